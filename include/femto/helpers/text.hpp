// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/environment.hpp>
#include <femto/helper.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <span>
#include <string_view>

namespace femto::helpers {

/// A platform that prints text, in pieces.
template <class T>
concept has_output = requires(T& p, std::string_view text) { p.print(text); };

namespace detail {

/// A number as text, built from its last digit on.
struct digits {
    std::array<char, 21> text{};
    std::size_t first = 21;

    constexpr void push(char c) { text[--first] = c; }
    constexpr void push(std::uint64_t value, unsigned base) {
        do {
            push("0123456789abcdef"[value % base]);
            value /= base;
        } while (value != 0);
    }
    [[nodiscard]] constexpr std::string_view view() const {
        return {text.data() + first, text.size() - first};
    }
};

constexpr digits format_number(char conversion, bool wide, std::uint64_t value) {
    digits d;
    if (conversion == 'x') {
        d.push(wide ? value : value & 0xffffffff, 16);
    } else if (conversion == 'u') {
        d.push(wide ? value : value & 0xffffffff, 10);
    } else {
        const auto number = wide ? static_cast<std::int64_t>(value)
                                 : static_cast<std::int64_t>(static_cast<std::int32_t>(value));
        const auto magnitude = static_cast<std::uint64_t>(number);
        d.push(number < 0 ? 0 - magnitude : magnitude, 10);
        if (number < 0) d.push('-');
    }
    return d;
}

/// The conversions d, i, u, x, c and %, with l or ll before d, i, u and x. No pointer is ever
/// followed, so there is no s. Calls `put` with pieces of text; the place in `format` of a
/// conversion that is not one of these or has no argument left, or npos.
template <class Put>
constexpr std::size_t print_format(std::string_view format, std::span<const std::uint64_t> values,
                                   Put put) {
    std::size_t next = 0;
    for (std::size_t at = 0; at < format.size();) {
        const std::size_t percent = std::min(format.find('%', at), format.size());
        if (percent > at) put(format.substr(at, percent - at));
        at = percent;
        if (at == format.size()) break;
        ++at;
        bool wide = false;
        for (int n = 0; n < 2 && at < format.size() && format[at] == 'l'; ++n, ++at) wide = true;
        const char c = at < format.size() ? format[at] : '\0';
        ++at;
        if (c == '%' && !wide) {
            put(std::string_view{"%"});
            continue;
        }
        const bool number = c == 'd' || c == 'i' || c == 'u' || c == 'x';
        if ((!number && (c != 'c' || wide)) || next == values.size()) return percent;
        if (c == 'c') {
            const char one = static_cast<char>(values[next++]);
            put(std::string_view{&one, 1});
        } else {
            put(format_number(c, wide, values[next++]).view());
        }
    }
    return std::string_view::npos;
}

template <has_output Platform>
void print(caller& c, guest_string format, std::uint64_t a, std::uint64_t b, std::uint64_t d,
           std::uint64_t e) {
    const std::array values{a, b, d, e};
    // Checked whole before anything is printed, and paid for: its length is the guest's choice.
    const std::size_t bad = print_format(format.text, values, [](std::string_view) {});
    c.charge(static_cast<std::uint32_t>(format.text.size()));
    if (bad != std::string_view::npos) return c.fail(errc::bad_format, bad);
    if (auto* env = c.host<environment<Platform>>()) {
        print_format(format.text, values, [&](std::string_view t) { env->platform->print(t); });
    }
}
template <has_output Platform>
void print_debug(caller& c, std::uint32_t value) {
    if (auto* env = c.host<environment<Platform>>()) {
        env->platform->print(format_number('u', false, value).view());
        env->platform->print("\n");
    }
}

inline std::size_t length(caller& c, guest_string text) {
    c.charge(static_cast<std::uint32_t>(text.text.size()));
    return text.text.size();
}

/// The decimal fits 10 characters: the guest gives room for all of them.
inline std::uint32_t u32_dec(guest_ref<std::array<char, 10>> out, std::uint32_t value) {
    auto text = out.get();
    const digits d = format_number('u', false, value);
    std::ranges::copy(d.view(), text.begin());
    out.set(text);
    return static_cast<std::uint32_t>(d.view().size());
}

/// RIOT's fmt_s16_dfp: `value` x 10^`point`, with -point digits after the decimal point, which are
/// at most 4; a positive point appends zeros, at most 4. 8 characters at most ("-32768" with a point,
/// or 10 with zeros); the guest gives room for 10. 0 if `point` is not in -4 to 4.
inline std::uint32_t s16_dfp(guest_ref<std::array<char, 10>> out, std::int16_t value,
                             std::int32_t point) {
    if (point < -4 || point > 4) return 0;
    digits d;
    for (std::int32_t n = 0; n < point && value != 0; ++n) d.push('0');
    auto magnitude = static_cast<std::uint32_t>(value < 0 ? -std::int32_t{value} : value);
    for (std::int32_t n = 0; n < -point; ++n) {
        d.push(static_cast<char>('0' + magnitude % 10));
        magnitude /= 10;
    }
    if (point < 0) d.push('.');
    d.push(magnitude, 10);
    if (value < 0) d.push('-');
    auto text = out.get();
    std::ranges::copy(d.view(), text.begin());
    out.set(text);
    return static_cast<std::uint32_t>(d.view().size());
}

}  // namespace detail

/// Text. Format of 0x01: see docs/containers.md; a format that is not allowed faults (bad_format).
template <has_output Platform>
using output = helper_set<helper<0x01, "printf", &detail::print<Platform>>,
                          helper<0x03, "print_debug", &detail::print_debug<Platform>>>;
/// Need no platform. `fmt_*` write text without a zero byte and return its length.
using text = helper_set<helper<0x50, "fmt_s16_dfp", &detail::s16_dfp>,
                        helper<0x51, "fmt_u32_dec", &detail::u32_dec>,
                        helper<0x52, "strlen", &detail::length>>;

}  // namespace femto::helpers
