// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/cbor.hpp>
#include <femto/update/stage.hpp>

#include <array>
#include <optional>

namespace femto::update {

/// The value of a Block1 or Block2 option of CoAP (RFC 7959, section 2.2).
struct block_option {
    static constexpr std::uint32_t max_number = (1u << 20) - 1;

    std::uint32_t number = 0;
    bool more = false;
    std::uint8_t size_exponent = 6;  ///< SZX, 0 to 6

    [[nodiscard]] constexpr std::uint32_t size() const { return 16u << size_exponent; }
    /// Of its first byte in the body; below 2^30.
    [[nodiscard]] constexpr std::uint32_t offset() const { return number * size(); }

    /// Nothing if it is longer than three bytes or its SZX is the reserved 7.
    [[nodiscard]] static constexpr std::optional<block_option> decode(bytes value) {
        std::uint32_t all = 0;
        if (value.size() > 3) return std::nullopt;
        for (const auto byte : value) all = all << 8 | byte;
        if ((all & 7) == 7) return std::nullopt;
        return block_option{all >> 4, (all & 8) != 0, static_cast<std::uint8_t>(all & 7)};
    }
    /// The value as an unsigned number, sent in as few bytes as it needs (0 in none).
    [[nodiscard]] constexpr std::uint32_t encode() const {
        return number << 4 | (more ? 8u : 0u) | size_exponent;
    }
    friend constexpr bool operator==(const block_option&, const block_option&) = default;
};

/// Where a body goes, chunk by chunk and in order: `on_chunk(offset, bytes, more) -> result<...>`,
/// whose error ends the transfer. All that an update asks of a transport.
template <class Sink>
concept chunk_sink = requires(Sink& on_chunk, std::uint64_t offset, bytes data, bool more) {
    { on_chunk(offset, data, more).has_value() } -> std::same_as<bool>;
    { on_chunk(offset, data, more).error() } -> std::convertible_to<error>;
};

/// Pulls a body of known size with Block2, over any transport: ask for `next()`, hand every response
/// to `on_block`, ask again after a silence. It is all the state there is (40 bytes), so a transfer
/// that was interrupted goes on where it was. Blocks that come twice, late or in another order have
/// no effect. Not shared between threads.
class block_fetch {
public:
    /// `size` as the manifest says. The first request asks for blocks of 16 << `size_exponent`.
    constexpr explicit block_fetch(std::uint64_t size, std::uint8_t size_exponent = 6)
        : size_{size}, exponent_{size_exponent} {}

    [[nodiscard]] constexpr block_option next() const {
        return {static_cast<std::uint32_t>(received_ >> (4 + exponent_)), false, exponent_};
    }
    [[nodiscard]] constexpr std::uint64_t received() const { return received_; }
    [[nodiscard]] constexpr bool done() const { return received_ == size_; }

    /// Takes a 2.05 response: its Block2 option if it had one, its ETag (empty if none) and payload.
    /// True if the block was the next one, false if it had no effect.
    /// Errors: update_fetch_failed if the body changed meanwhile (another ETag) or the block has
    /// another length than its option says, update_size_mismatch if the body is longer or shorter
    /// than announced, or than options can count blocks; with the offset. Those of the sink. After an error start over.
    template <chunk_sink Sink>
    [[nodiscard]] constexpr result<bool> on_block(std::optional<block_option> option, bytes etag,
                                                  bytes payload, Sink&& sink) {
        const auto block = option.value_or(block_option{0, false, exponent_});
        const auto refuse = [&](errc code) -> result<bool> {
            return fail(code, static_cast<std::uint32_t>(stage::fetch), received_);
        };
        if (done() || block.offset() != received_) return false;
        // A server may send smaller blocks than it was asked for, never larger ones.
        if (block.size_exponent > exponent_ || etag.size() > etag_.size() ||
            (block.more && payload.size() != block.size()) ||
            (option && payload.size() > block.size())) {
            return refuse(errc::update_fetch_failed);
        }
        if (received_ == 0) {
            std::ranges::copy(etag, etag_.begin());
            etag_size_ = static_cast<std::uint8_t>(etag.size());
        } else if (!same(etag, bytes{etag_}.first(etag_size_))) {
            return refuse(errc::update_fetch_failed);
        }
        const auto left = size_ - received_;
        const bool uncountable = block.more && block.number == block_option::max_number;
        if (uncountable || (block.more ? payload.size() >= left : payload.size() != left)) {
            return refuse(errc::update_size_mismatch);
        }
        const auto taken = sink(received_, payload, block.more);
        if (!taken.has_value()) return failure{taken.error()};
        exponent_ = block.size_exponent;
        received_ += payload.size();
        return true;
    }

private:
    std::uint64_t size_;
    std::uint64_t received_ = 0;
    std::array<std::uint8_t, 8> etag_{};
    std::uint8_t etag_size_ = 0;
    std::uint8_t exponent_;
};

/// How an update that was pushed ends, as a CoAP response code: class << 5 | detail.
[[nodiscard]] constexpr std::uint8_t response_code(errc why) {
    constexpr auto code = [](unsigned whole, unsigned detail) {
        return static_cast<std::uint8_t>(whole << 5 | detail);
    };
    switch (why) {
    case errc::ok: return code(2, 4);                       // Changed
    case errc::update_already_current: return code(2, 3);   // Valid
    case errc::update_truncated:
    case errc::update_malformed_cbor:
    case errc::update_non_canonical:
    case errc::update_bad_envelope: return code(4, 0);      // Bad Request
    case errc::update_unsigned:
    case errc::update_unsupported_auth:
    case errc::update_unsupported_algorithm:
    case errc::update_unknown_key:
    case errc::update_bad_signature:
    case errc::update_manifest_digest: return code(4, 1);   // Unauthorized
    case errc::update_not_authorised: return code(4, 3);    // Forbidden
    case errc::update_fetch_failed: return code(4, 8);      // Request Entity Incomplete
    case errc::update_rollback:
    case errc::update_sequence_conflict: return code(4, 9);  // Conflict (RFC 8132)
    case errc::update_too_large:
    case errc::update_image_too_large: return code(4, 13);  // Request Entity Too Large
    case errc::update_storage:
    case errc::update_crypto: return code(5, 0);            // Internal Server Error
    case errc::update_busy: return code(5, 3);              // Service Unavailable
    default: return code(4, 22);                            // Unprocessable Entity (RFC 8132)
    }
}

/// What to answer to a block that was pushed.
struct push_answer {
    std::uint8_t code = 0;   ///< class << 5 | detail
    bool ended = false;      ///< the envelope was whole, `why` says what became of it
    error why{};
    static constexpr std::uint8_t go_on = 2 << 5 | 31;  ///< 2.31 Continue
};

/// Takes an envelope that is pushed with Block1 to an `updater`, which holds it. Blocks that come
/// twice have no effect, one that comes too early is answered 4.08, whereupon the sender begins
/// again; a last block that comes again, since its answer was lost, gets the same answer. One sender
/// at a time: others get 5.03 until `update_policy::patience` of the first is over. 40 bytes.
class block_push {
public:
    /// `sender` is a number that tells peers apart, `announced` the Size1 option. A request without
    /// Block1 is a body in one piece, of any length.
    template <class Updater>
    [[nodiscard]] constexpr push_answer on_block(Updater& to, std::uint32_t sender,
                                                 std::optional<block_option> option,
                                                 std::optional<std::uint64_t> announced,
                                                 bytes payload) {
        const auto block = option.value_or(block_option{});
        if (option && (block.more ? payload.size() != block.size()
                                  : payload.size() > block.size())) {
            return refuse(errc::update_bad_envelope, block.offset());
        }
        // The last block once more. (An envelope of one block is simply looked at again.)
        if (last_at_ > 0 && !block.more && sender == sender_ && block.offset() == last_at_ &&
            sum_of(payload) == last_sum_) {
            return last_;
        }
        if (announced && *announced > Updater::max_envelope)
            return refuse(errc::update_too_large, *announced);
        const std::uint64_t end = block.offset() + payload.size();
        if (block.number > 0 && block.more && sender == sender_ && end <= to.received())
            return {push_answer::go_on, false, {}};
        const auto done = to.envelope_chunk(sender, {block.offset(), payload, block.more});
        if (!done.has_value() && done.error().pc == static_cast<std::uint32_t>(stage::envelope) &&
            (done.error().code == errc::update_busy ||
             done.error().code == errc::update_fetch_failed)) {
            return refuse(done.error().code, done.error().address);
        }
        sender_ = sender;
        last_at_ = 0;
        if (done.has_value() && block.more) return {push_answer::go_on, false, {}};
        last_ = {};
        last_.ended = true;
        if (!done.has_value()) last_.why = done.error();
        last_.code = response_code(last_.why.code);
        if (!block.more && last_.why.code != errc::update_busy) {
            last_at_ = block.offset();
            last_sum_ = sum_of(payload);
        }
        return last_;
    }

private:
    static constexpr push_answer refuse(errc why, std::uint64_t at) {
        return {response_code(why), false, {why, static_cast<std::uint32_t>(stage::envelope), at}};
    }
    /// FNV-1a: tells a repeated block from another one; nothing else relies on it.
    static constexpr std::uint32_t sum_of(bytes data) {
        std::uint32_t sum = 0x811c9dc5;
        for (const auto byte : data) sum = (sum ^ byte) * 0x01000193;
        return sum;
    }

    push_answer last_{};
    std::uint32_t last_at_ = 0;  ///< of the last block of the envelope answered with `last_`
    std::uint32_t last_sum_ = 0;
    std::uint32_t sender_ = 0;
};

}  // namespace femto::update
