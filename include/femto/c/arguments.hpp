// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/c/femto.h>
#include <femto/helper.hpp>

#include <cstdint>
#include <type_traits>

// How the parameters of helpers that are written in C are fetched and checked; see femto.h.
namespace femto::detail {

template <>
struct argument<femto_bytes> {
    using checked = argument<guest_span<const std::byte>>;
    static constexpr std::array kinds = checked::kinds;
    using storage = femto_bytes;
    template <class Memory>
    static bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        guest_span<const std::byte> span;
        if (!checked::fetch(span, r, memory)) return false;
        to = {reinterpret_cast<const std::uint8_t*>(span.bytes().data()), span.size()};
        return true;
    }
};

template <>
struct argument<femto_buffer> {
    using checked = argument<guest_span<std::byte>>;
    static constexpr std::array kinds = checked::kinds;
    using storage = femto_buffer;
    template <class Memory>
    static bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        guest_span<std::byte> span;
        if (!checked::fetch(span, r, memory)) return false;
        to = {reinterpret_cast<std::uint8_t*>(span.bytes().data()), span.size()};
        return true;
    }
};

template <>
struct argument<femto_text> {
    static constexpr std::array kinds = argument<guest_string>::kinds;
    using storage = femto_text;
    template <class Memory>
    static bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        guest_string string;
        if (!argument<guest_string>::fetch(string, r, memory)) return false;
        to = {string.text.data(), static_cast<std::uint32_t>(string.text.size())};
        return true;
    }
};

template <>
struct argument<femto_caller*> {
    static constexpr std::array<argument_kind, 0> kinds{};
    static femto_caller* of(caller& c) { return reinterpret_cast<femto_caller*>(&c); }
};

/// An object in guest memory, in place: C has nothing that would copy it, so its alignment is checked.
template <class T>
    requires std::is_object_v<T>
struct argument<T*> {
    static_assert(!std::is_same_v<std::remove_const_t<T>, char>,
                  "femto: a helper in C takes a string as femto_text, bytes as femto_bytes or "
                  "femto_buffer");
    using checked = argument<guest_ref<T>>;
    static constexpr std::array kinds = checked::kinds;
    using storage = T*;
    template <class Memory>
    static bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        const std::uint64_t one[2]{*r, 1};
        guest_span<T> span;
        if (!argument<guest_span<T>>::fetch(span, one, memory)) return false;
        if (reinterpret_cast<std::uintptr_t>(span.bytes().data()) % alignof(T) != 0) return false;
        to = reinterpret_cast<T*>(span.bytes().data());
        return true;
    }
};

}  // namespace femto::detail
