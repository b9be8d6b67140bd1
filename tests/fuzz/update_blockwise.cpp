// SPDX-License-Identifier: Apache-2.0
// Fuzz target: block options, and both block transfers over a transport that does what the input says.
// A body that was fetched is the one that was sent, in order and whole; what has no effect or is refused
// changes nothing; a push never takes more than fits, and nobody disturbs the one who sends.
#include "any_component.hpp"
#include "any_crypto.hpp"

#include <femto/update/blockwise.hpp>

using namespace femto;
using namespace femto::update;

namespace {

void option(fuzz::reader& in) {
    std::vector<std::uint8_t> value(in.byte() % 5u);
    for (auto& byte : value) byte = in.byte();
    const auto block = block_option::decode(value);
    if (!block) return;
    const std::uint32_t sent = block->encode();
    const std::uint8_t again[]{static_cast<std::uint8_t>(sent >> 16), static_cast<std::uint8_t>(sent >> 8),
                               static_cast<std::uint8_t>(sent)};
    fuzz::require(sent < 1u << 24 && block_option::decode(again) == block, "what is encoded is decoded");
    fuzz::require(block->offset() / block->size() == block->number, "no offset wraps around");
}

/// Half of the blocks are as a server would send them, the others are not.
void fetch(fuzz::reader& in) {
    std::vector<std::uint8_t> body(in.value<std::uint16_t>() % 2049), arrived;
    for (std::size_t n = 0; n < body.size(); ++n) body[n] = static_cast<std::uint8_t>(n * 7 + n / 256);
    block_fetch fetch{body.size(), static_cast<std::uint8_t>(in.byte() % 7u)};
    while (!in.rest().empty()) {
        const auto what = in.byte();
        const auto next = fetch.next();
        fuzz::require(fetch.done() || next.offset() == fetch.received(), "the next block is asked for");
        std::optional<block_option> block = next;
        if ((what & 1) != 0) block->size_exponent = in.byte() % 7u;
        if ((what & 2) != 0) block->number = in.byte();
        const std::size_t from = std::min<std::size_t>(block->offset(), body.size());
        std::size_t length = std::min<std::size_t>(block->size(), body.size() - from);
        block->more = from + length < body.size();
        if ((what & 4) != 0) block->more = !block->more;
        if ((what & 8) != 0) length = std::min<std::size_t>(in.value<std::uint16_t>(), body.size() - from);
        if ((what & 16) != 0) block.reset();
        const std::uint8_t etag[9]{(what & 32) != 0 ? in.byte() : std::uint8_t{0}};
        const bool fails = (what & 64) != 0;
        const auto before = fetch.received();
        const auto taken = fetch.on_block(
            block, bytes{etag}.first((what & 128) != 0 ? 9 : 4), bytes{body}.subspan(from, length),
            [&](std::uint64_t offset, bytes chunk, bool more) -> result<void> {
                if (fails) return fail(errc::update_storage);
                fuzz::require(offset == arrived.size(), "chunks follow each other");
                arrived.insert(arrived.end(), chunk.begin(), chunk.end());
                fuzz::require(more == (arrived.size() < body.size()), "the last one is the last one");
                return {};
            });
        fuzz::require((taken.has_value() && *taken) || fetch.received() == before,
                      "what was not taken changes nothing");
        fuzz::require(fetch.received() == arrived.size(), "what was taken has arrived");
        fuzz::require(arrived.size() <= body.size() &&
                          std::equal(arrived.begin(), arrived.end(), body.begin()),
                      "it is the body");
        fuzz::require(fetch.done() == (arrived.size() == body.size()), "done with the last byte");
    }
}

void push(fuzz::reader& in) {
    static constexpr std::uint8_t key[32]{}, first_id[16]{1}, same_id[16]{};
    static constexpr std::string_view schemes[]{"coap:"};
    static const bytes rights[]{first_id};
    const trust_anchor anchors[]{{key_type::ed25519, key, {}, rights}};
    const update_policy policy{anchors, {same_id, same_id, same_id}, schemes};
    fuzz::any_crypto backend;
    fuzz::any_component component{first_id};
    fuzz::require(component.kept.format().has_value(), "format");
    constexpr limits wide{.envelope = 700, .components = 1};
    updater<wide, fuzz::any_crypto, fuzz::any_component> updates{backend, policy, component};
    block_push pushed;
    std::uint32_t now = 0, sending = 0;
    while (!in.rest().empty()) {
        const auto what = in.byte();
        const std::uint32_t sender = what & 1;
        const auto exponent = static_cast<std::uint8_t>((what >> 1) % 4u);
        const auto before = updates.received();
        const auto number = (what & 8) != 0 ? in.value<std::uint16_t>()
                                            : static_cast<std::uint32_t>(before >> (4 + exponent));
        const block_option block{number, (what & 16) != 0, exponent};
        const std::size_t wanted = (what & 32) != 0 ? in.byte() : block.size();
        std::vector<std::uint8_t> piece;
        while (piece.size() < wanted && !in.rest().empty()) piece.push_back(in.byte());
        if ((what & 32) == 0 && block.more) piece.resize(wanted);
        fuzz::any_crypto::look(piece);
        const auto announced = (what & 64) != 0 ? std::optional<std::uint64_t>{in.value<std::uint16_t>()}
                                                : std::nullopt;
        if ((what & 128) != 0) updates.poll(now += in.byte());
        const bool taken = updates.received() != 0;
        const auto answer = pushed.on_block(
            updates, sender, what == 0xff ? std::nullopt : std::optional{block}, announced, piece);
        const unsigned kind = answer.code >> 5;
        fuzz::require(kind == 2 || kind == 4 || kind == 5, "an answer is a response");
        fuzz::require((answer.code == push_answer::go_on) ==
                          (!answer.ended && answer.why.code == errc::ok),
                      "2.31 is for what goes on");
        fuzz::require(!answer.ended || answer.code == response_code(answer.why.code),
                      "an end is answered with its reason");
        fuzz::require(updates.received() <= wide.envelope, "the envelope fits");
        if (taken && sender != sending)
            fuzz::require(updates.received() == before && answer.code != push_answer::go_on,
                          "nobody disturbs the one who sends");
        if (!taken && updates.received() != 0) sending = sender;
        if (updates.wanted()) updates.abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::reader in{data, size};
    switch (in.byte() % 3u) {
    case 0: option(in); break;
    case 1: fetch(in); break;
    default: push(in); break;
    }
    return 0;
}
