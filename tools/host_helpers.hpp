// SPDX-License-Identifier: Apache-2.0
// The helpers that `femto run` has: those of Femto-Containers that mean something on a host.
#pragma once

#include <femto/helper.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>

namespace femto_tool {

/// What the helpers work on, for the length of one run.
struct host {
    std::map<std::uint32_t, std::uint32_t> local, global;
    std::string printed;
    bool echo = true;  ///< print it, too
};

namespace detail {

/// Prints a format with up to four integers: %d %i %u %x %c with l and ll, %%. Anything else is
/// refused, %s too, since its pointer has not been checked.
inline void print(femto::caller& c, femto::guest_string format, std::uint64_t a, std::uint64_t b,
                  std::uint64_t d, std::uint64_t e) {
    const std::uint64_t arguments[]{a, b, d, e};
    std::size_t next = 0;
    std::string out;
    const std::string_view f = format.text;
    for (std::size_t n = 0; n < f.size(); ++n) {
        if (f[n] != '%') {
            out += f[n];
            continue;
        }
        unsigned longs = 0;
        while (++n < f.size() && f[n] == 'l') ++longs;
        const char kind = n < f.size() ? f[n] : '\0';
        if (kind == '%' && longs == 0) {
            out += '%';
            continue;
        }
        if (next == std::size(arguments) || std::strchr("diuxc", kind) == nullptr || kind == '\0') {
            return c.fail(femto::errc::helper_failed, n);
        }
        const std::uint64_t wide = arguments[next++];
        const auto low = static_cast<std::uint32_t>(wide);
        char text[32];
        if (kind == 'c') {
            out += static_cast<char>(wide);
            continue;
        }
        if (kind == 'd' || kind == 'i') {
            const std::int64_t value = longs ? static_cast<std::int64_t>(wide)
                                             : std::int64_t{static_cast<std::int32_t>(low)};
            std::snprintf(text, sizeof text, "%lld", static_cast<long long>(value));
        } else {
            const auto value = static_cast<unsigned long long>(longs ? wide : low);
            std::snprintf(text, sizeof text, kind == 'u' ? "%llu" : "%llx", value);
        }
        out += text;
    }
    c.charge(static_cast<std::uint32_t>(out.size()));
    auto* const h = c.host<host>();
    h->printed += out;
    if (h->echo) std::fputs(out.c_str(), stdout);
}

inline std::int32_t store(std::map<std::uint32_t, std::uint32_t>& in, std::uint32_t key,
                          std::uint32_t value) {
    in[key] = value;
    return 0;
}
inline std::int32_t fetch(const std::map<std::uint32_t, std::uint32_t>& in, std::uint32_t key,
                          femto::guest_ref<std::uint32_t> value) {
    const auto found = in.find(key);
    value.set(found == in.end() ? 0 : found->second);
    return 0;
}

inline std::int32_t store_local(femto::caller& c, std::uint32_t key, std::uint32_t value) {
    return store(c.host<host>()->local, key, value);
}
inline std::int32_t store_global(femto::caller& c, std::uint32_t key, std::uint32_t value) {
    return store(c.host<host>()->global, key, value);
}
inline std::int32_t fetch_local(femto::caller& c, std::uint32_t key,
                                femto::guest_ref<std::uint32_t> value) {
    return fetch(c.host<host>()->local, key, value);
}
inline std::int32_t fetch_global(femto::caller& c, std::uint32_t key,
                                 femto::guest_ref<std::uint32_t> value) {
    return fetch(c.host<host>()->global, key, value);
}
inline std::uint32_t now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}
inline std::uint32_t strlen(femto::guest_string s) {
    return static_cast<std::uint32_t>(s.text.size());
}
/// Decimal digits of `value` into `to`; returns how many. `to` must have room for ten.
inline std::uint32_t fmt_u32_dec(femto::guest_ref<std::array<char, 10>> to, std::uint32_t value) {
    const std::string digits = std::to_string(value);
    auto text = to.get();
    std::copy(digits.begin(), digits.end(), text.begin());
    to.set(text);
    return static_cast<std::uint32_t>(digits.size());
}

}  // namespace detail

using host_helpers =
    femto::helper_set<femto::helper<0x01, "bpf_printf", &detail::print>,
                      femto::helper<0x10, "bpf_store_local", &detail::store_local>,
                      femto::helper<0x11, "bpf_store_global", &detail::store_global>,
                      femto::helper<0x12, "bpf_fetch_local", &detail::fetch_local>,
                      femto::helper<0x13, "bpf_fetch_global", &detail::fetch_global>,
                      femto::helper<0x20, "bpf_now_ms", &detail::now_ms>,
                      femto::helper<0x51, "bpf_fmt_u32_dec", &detail::fmt_u32_dec>,
                      femto::helper<0x52, "bpf_strlen", &detail::strlen>>;

}  // namespace femto_tool
