// SPDX-License-Identifier: Apache-2.0
// A guest that attacks: a machine with one region of each kind, and helpers of each shape.
#pragma once

#include "every_vm.hpp"

#include <femto/helpers/memory.hpp>
#include <femto/helpers/text.hpp>

#include <optional>
#include <utility>
#include <vector>

namespace test {

using namespace femto;

inline std::uint32_t sum(guest_span<const std::uint8_t> from) {
    std::uint32_t total = 0;
    for (std::uint32_t n = 0; n < from.size(); ++n) total += from[n];
    return total;
}
inline std::uint32_t fill(guest_span<std::uint8_t> to) {
    for (std::uint32_t n = 0; n < to.size(); ++n) to.set(n, 0x77);
    return to.size();
}
inline std::uint64_t fill_words(guest_span<std::uint64_t> to) { return to.size(); }
inline void increment(guest_ref<std::uint32_t> at) { at.set(at.get() + 1); }
/// A header that says how many bytes follow, as a device's message would: looked at, then used while
/// what is written changes it, if the two lie at one place.
struct message {
    std::uint32_t size;
    std::uint8_t bytes[4];
};
inline std::uint32_t unpack(guest_ref<const message> from, guest_span<std::uint8_t> to) {
    const message m = from.get();
    if (m.size > sizeof m.bytes || to.size() < m.size) return 0;
    for (std::uint32_t n = 0; n < to.size(); ++n) to.set(n, 0xff);
    for (std::uint32_t n = 0; n < m.size; ++n) to.set(n, m.bytes[n]);
    return m.size;
}
/// Bytes of a text that are not zero while they are overwritten.
inline std::uint32_t erase(guest_string text, guest_span<std::uint8_t> to) {
    std::uint32_t read = 0;
    for (const char c : text.text) {
        for (std::uint32_t n = 0; n < to.size(); ++n) to.set(n, 'x');
        read += c != 0 ? 1 : 0;
    }
    return read;
}
inline void charge(caller& c, std::uint32_t n) { c.charge(n); }
inline void sleep(caller& c) { c.suspend(); }
inline void end_here(caller& c) { c.finish(); }

using guest_helpers = join_helpers<
    helper_set<helper<0x100, "sum", &sum>, helper<0x101, "fill", &fill>,
               helper<0x102, "fill_words", &fill_words>, helper<0x103, "increment", &increment>,
               helper<0x104, "charge", &charge>, helper<0x105, "sleep", &sleep>,
               helper<0x106, "end_here", &end_here>, helper<0x107, "unpack", &unpack>,
               helper<0x108, "erase", &erase>>,
    femto::helpers::memory, femto::helpers::text>;

static_assert(guest_helpers::bit_of(0x100) == 1 && guest_helpers::bit_of(0x103) == 8);

inline constexpr config ordinary{.stack_size = 128, .max_regions = 8};

/// A guest with one region of each kind, every one in heap memory of its own, so that ASan sees the
/// first byte beyond.
template <class Kind>
struct guest {
    using machine = typename Kind::template vm<guest_helpers>;

    result<std::uint64_t> run(std::vector<instruction> text, std::uint32_t fuel = 1000) {
        program = test::loaded<machine>{std::move(text), rodata, data};
        verified.emplace(*program.verify());
        return m.run(*verified, verified->entry(), std::span{context}, fuel);
    }
    error fault(std::vector<instruction> text) {
        const auto r = run(std::move(text));
        return r ? error{} : r.error();
    }

    machine m;
    std::vector<std::byte> context = std::vector<std::byte>(16, std::byte{0x11});
    std::vector<std::byte> rodata = std::vector<std::byte>(16, std::byte{0x22});
    std::vector<std::byte> data = std::vector<std::byte>(16, std::byte{0x33});
    std::vector<std::byte> mapped = std::vector<std::byte>(16, std::byte{0x44});
    std::uint64_t mapped_at = *m.map(mapped, permission::read_write);
    test::loaded<machine> program{{}};
    std::optional<typename machine::verified> verified;
};

/// Slots that put the address of each region into r1: context, stack, rodata, data, mapped.
template <class Guest>
std::vector<std::vector<instruction>> pointers(const Guest& g) {
    return {{copy(1, 1)},
            {copy(1, 10), add(1, -128)},
            {op(0x18, 1, 2, 0, 0), op(0)},
            {op(0x18, 1, 2, 0, 1), op(0)},
            lddw(1, g.mapped_at)};
}
/// Opcodes and how many bytes they access.
inline constexpr std::pair<std::uint8_t, int> loads[]{{0x71, 1}, {0x69, 2}, {0x61, 4}, {0x79, 8},
                                                      {0x91, 1}, {0x89, 2}, {0x81, 4}};
inline constexpr std::pair<std::uint8_t, int> stores[]{{0x72, 1}, {0x6a, 2}, {0x62, 4}, {0x7a, 8},
                                                       {0x73, 1}, {0x6b, 2}, {0x63, 4}, {0x7b, 8},
                                                       {0xc3, 4}, {0xdb, 8}};

}  // namespace test
