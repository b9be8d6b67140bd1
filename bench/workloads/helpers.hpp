// SPDX-License-Identifier: Apache-2.0
// The helpers of the workloads, for guests; helpers.cpp has what they do.
#pragma once

#include <femto/helper.hpp>

#include <phydat.h>

#include <array>
#include <cstddef>
#include <cstdint>

extern "C" {
int bpf_store_local(std::uint32_t key, std::uint32_t value);
int bpf_store_global(std::uint32_t key, std::uint32_t value);
int bpf_fetch_local(std::uint32_t key, std::uint32_t* value);
int bpf_fetch_global(std::uint32_t key, std::uint32_t* value);
void* bpf_saul_reg_find_nth(int pos);
int bpf_saul_reg_read(void* device, phydat_t* data);
std::size_t bpf_fmt_u32_dec(char* out, std::uint32_t value);
}

namespace workloads {

inline int fetch_local(std::uint32_t key, femto::guest_ref<std::uint32_t> value) {
    std::uint32_t found = 0;
    const int status = bpf_fetch_local(key, &found);
    value.set(found);
    return status;
}
inline int fetch_global(std::uint32_t key, femto::guest_ref<std::uint32_t> value) {
    std::uint32_t found = 0;
    const int status = bpf_fetch_global(key, &found);
    value.set(found);
    return status;
}
/// A guest knows a sensor by its number, never by an address of the host.
inline std::uint32_t find_nth(std::int32_t pos) {
    return bpf_saul_reg_find_nth(pos) != nullptr ? static_cast<std::uint32_t>(pos) : 0;
}
inline int read(std::uint32_t device, femto::guest_ref<phydat_t> data) {
    phydat_t reading{};
    const int status = bpf_saul_reg_read(bpf_saul_reg_find_nth(static_cast<int>(device)), &reading);
    data.set(reading);
    return status;
}
/// Ten characters is what the largest number takes, so ten must be writable.
inline std::size_t fmt_u32_dec(femto::guest_ref<std::array<char, 10>> out, std::uint32_t value) {
    auto text = out.get();
    const std::size_t size = bpf_fmt_u32_dec(text.data(), value);
    out.set(text);
    return size;
}

/// Helpers that do nothing, one for each kind of argument, for benchmarks of the call itself.
inline std::uint32_t take_nothing() { return 0; }
inline std::uint32_t take_span(femto::guest_span<const std::byte> bytes) { return bytes.size(); }
inline std::size_t take_string(femto::guest_string s) { return s.text.size(); }
inline void suspend(femto::caller& from) { from.suspend(); }

using helpers = femto::helper_set<
    femto::helper<0x10, "bpf_store_local", &bpf_store_local>,
    femto::helper<0x11, "bpf_store_global", &bpf_store_global>,
    femto::helper<0x12, "bpf_fetch_local", &fetch_local>,
    femto::helper<0x13, "bpf_fetch_global", &fetch_global>,
    femto::helper<0x30, "bpf_saul_reg_find_nth", &find_nth>,
    femto::helper<0x32, "bpf_saul_reg_read", &read>,
    femto::helper<0x51, "bpf_fmt_u32_dec", &fmt_u32_dec>,
    femto::helper<0x7001, "take_nothing", &take_nothing>,
    femto::helper<0x7002, "take_span", &take_span>,
    femto::helper<0x7003, "take_string", &take_string>,
    femto::helper<0x7004, "suspend", &suspend>>;

}  // namespace workloads
