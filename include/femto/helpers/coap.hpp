// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/environment.hpp>
#include <femto/helper.hpp>

#include <concepts>
#include <span>

namespace femto::helpers {

/// A CoAP response under construction (RFC 7252, section 3). Firmware has written the first byte,
/// message id and token: `header` bytes. Nothing is written past the buffer.
class coap_response {
public:
    constexpr coap_response() = default;
    constexpr coap_response(std::span<std::byte> buffer, std::uint32_t header)
        : buffer_{buffer}, header_{header}, used_{header} {}

    /// Starts over with a code, as (class << 5 | detail).
    constexpr bool start(std::uint8_t code) {
        if (buffer_.size() < header_ || header_ < 4) return false;
        buffer_[1] = static_cast<std::byte>(code);
        used_ = header_;
        finished_ = false;
        return true;
    }
    /// Adds option Content-Format (12), the only one: its delta is its number.
    constexpr bool add_format(std::uint16_t format) {
        const std::uint32_t length = format == 0 ? 0 : format < 256 ? 1 : 2;
        if (used_ != header_ || finished_ || header_ < 4 || left() < 1 + length) return false;
        put(static_cast<std::uint8_t>(12u << 4 | length));
        if (length == 2) put(static_cast<std::uint8_t>(format >> 8));
        if (length > 0) put(static_cast<std::uint8_t>(format));
        return true;
    }
    /// Ends the options; with `payload` also writes its marker, for which at least one byte must
    /// follow. The length so far, or -1.
    constexpr std::int32_t finish(bool payload) {
        if (finished_ || header_ < 4 || left() < (payload ? 2u : 0u)) return -1;
        if (payload) put(0xff);
        finished_ = true;
        return static_cast<std::int32_t>(used_);
    }
    /// Bytes written; the payload begins here once finished.
    [[nodiscard]] constexpr std::uint32_t used() const { return used_; }

private:
    [[nodiscard]] constexpr std::size_t left() const {
        return buffer_.size() < used_ ? 0 : buffer_.size() - used_;
    }
    constexpr void put(std::uint8_t value) { buffer_[used_++] = static_cast<std::byte>(value); }

    std::span<std::byte> buffer_;
    std::uint32_t header_ = 0;
    std::uint32_t used_ = 0;
    bool finished_ = false;
};

/// What a container of a CoAP hook sees at the start of its context: `bpf_coap_ctx_t` of
/// Femto-Containers. `buffer` is a guest address; on `segmented` machines, that of the bytes behind
/// this structure is `segmented_address(region_number::context, sizeof(coap_context))`. 24 bytes.
struct coap_context {
    std::uint64_t packet = 0;
    std::uint64_t buffer = 0;
    std::uint64_t length = 0;
};

/// A platform with the response that is being made.
template <class T>
concept has_coap = requires(T& p) {
    { p.response() } -> std::same_as<coap_response&>;
};

namespace detail {

template <has_coap Platform>
coap_response* response(caller& c) {
    auto* e = c.host<environment<Platform>>();
    return e == nullptr ? nullptr : &e->platform->response();
}
template <has_coap Platform>
std::int32_t resp_init(caller& c, guest_ref<const coap_context>, std::uint8_t code) {
    auto* r = response<Platform>(c);
    return r != nullptr && r->start(code) ? 0 : -1;
}
template <has_coap Platform>
std::int32_t opt_finish(caller& c, guest_ref<const coap_context>, std::uint32_t flags) {
    auto* r = response<Platform>(c);
    return r == nullptr ? -1 : r->finish((flags & 1) != 0);
}
template <has_coap Platform>
std::int32_t add_format(caller& c, guest_ref<const coap_context>, std::uint16_t format) {
    auto* r = response<Platform>(c);
    return r != nullptr && r->add_format(format) ? 0 : -1;
}
/// The guest address of the payload. The guest may have changed `buffer`: what it gets is an
/// address like any other, checked when it is used.
template <has_coap Platform>
std::uint64_t get_pdu(caller& c, guest_ref<const coap_context> context) {
    auto* r = response<Platform>(c);
    return r == nullptr ? 0 : context.get().buffer + r->used();
}

}  // namespace detail

/// CoAP responses, with the numbers of Femto-Containers. r1 is the context, checked though unused.
template <has_coap Platform>
using coap = helper_set<helper<0x40, "gcoap_resp_init", &detail::resp_init<Platform>>,
                        helper<0x41, "coap_opt_finish", &detail::opt_finish<Platform>>,
                        helper<0x42, "coap_add_format", &detail::add_format<Platform>>,
                        helper<0x43, "coap_get_pdu", &detail::get_pdu<Platform>>>;

}  // namespace femto::helpers
