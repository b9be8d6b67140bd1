// SPDX-License-Identifier: Apache-2.0
// What local calls save lies in the stack's own memory: no access and no helper of a guest reaches it.
#include "catch.hpp"
#include "guest.hpp"

using namespace test;

namespace {

/// A program that attacks what calls save while two calls are open: main sets r6 to r9 and calls f, which
/// changes them and calls g, which does `attack`. What main returns tells whether both got theirs back.
std::vector<instruction> below_two_calls(const std::vector<instruction>& attack) {
    return std::vector{set(6, 1), set(7, 2), set(8, 3), set(9, 4), op(0x7a, 10, 0, -8, 9), op(0x85, 0, 1, 0, 8),
                       op(0x0f, 0, 6), op(0x0f, 0, 7), op(0x0f, 0, 8), op(0x0f, 0, 9), op(0x79, 1, 10, -8),
                       op(0x0f, 0, 1), op(0x05, 0, 0, 0), leave,
                       set(6, 50), set(9, 60), op(0x85, 0, 1, 0, 4), copy(0, 6), op(0x0f, 0, 9),
                       op(0x05, 0, 0, 0), leave} + attack + std::vector{set(6, -1), set(9, -1), leave};
}
constexpr std::uint64_t intact = 50 + 60 + 1 + 2 + 3 + 4 + 9;
/// Two calls with a frame of 8 bytes each leave this much of the 128 bytes to the guest.
constexpr std::uint32_t stack_left = 128 - 2 * saved_frame_size;

}  // namespace

TEST_CASE("isolation: what calls save is read and written by no access and no helper") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        REQUIRE(*g.run(below_two_calls({set(0, 0)})) == intact);
        const std::uint64_t base = g.m.memory().address_of(region_number::stack);
        REQUIRE(g.m.memory().readable(region_number::stack) == stack_left);
        REQUIRE(g.m.memory().writable(region_number::stack) == stack_left);
        const auto inside = [&](std::uint64_t at, std::uint64_t size) {
            return at - base < stack_left && at - base + size <= stack_left;
        };
        const auto judge = [&](std::uint64_t at, std::uint64_t size, const std::vector<instruction>& attack) {
            const auto where = lddw(1, at);
            const auto r = g.run(below_two_calls(where + attack));
            // main's own word in the stack is the guest's to overwrite.
            const bool own = inside(at, size) && at + size > base + stack_left - 8;
            if (inside(at, size)) {
                REQUIRE(r.has_value());
                if (!own) CHECK(*r == intact);
            } else {
                REQUIRE(!r.has_value());
                CHECK(r.error().code == errc::illegal_memory);
            }
        };
        // Every byte of the stack's storage and some around it.
        for (std::uint64_t at = base - 16; at != base + 128 + 16; ++at) {
            for (const auto& [opcode, width] : loads) {
                judge(at, static_cast<std::uint64_t>(width), {op(opcode, 0, 1)});
            }
            for (const auto& [opcode, width] : stores) {
                judge(at, static_cast<std::uint64_t>(width), {set(0, 0), op(opcode, 1, 0)});
            }
            for (const int size : {1, 7, 8, 40, 48, 80, 128}) {
                const auto length = static_cast<std::uint64_t>(size);
                judge(at, length, {set(2, size), call(0x100)});  // reads
                judge(at, length, {set(2, size), call(0x101)});  // writes
                judge(at, length, {copy(2, 1), set(3, size), call(2)});  // both
            }
            judge(at, 4, {call(0x103)});
        }
        // A text without an end runs up to what is saved, where zeros are.
        const auto text = lddw(1, base + stack_left - 8);
        const auto r = g.run(below_two_calls(std::vector{text[0], text[1], op(0x18, 2, 0, 0, -1), op(0, 0, 0, 0, -1),
                                                         op(0x7b, 1, 2, 0), copy(2, 10), add(2, -8), set(3, 1),
                                                         call(0x108)}));
        REQUIRE(!r.has_value());
        CHECK(r.error().code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: what calls save is no part of what the next program finds") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        REQUIRE(*g.run(below_two_calls({set(0, 0)})) == intact);
        // Without calls the whole stack is the guest's, and all of it is zero.
        const auto all = g.run({set(2, 16), copy(1, 10), op(0x79, 3, 1, -8), op(0x4f, 0, 3), add(1, -8),
                                add(2, -1), op(0x55, 2, 0, -5), leave});
        REQUIRE(all.has_value());
        CHECK(*all == 0);
        CHECK(g.m.memory().readable(region_number::stack) == 128);
    });
}

TEST_CASE("isolation: calls through registers go as deep as the stack has room, and no deeper") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // main: a counter in memory; f: counts, stores to its whole frame, calls itself through r1.
        const auto deep = [&](int frame) {
            g.data.assign(16, std::byte{0});
            const error e = g.fault({op(0x18, 6, 2, 0, 1), op(0), op(0x18, 1, 4, 0, 3), op(0), op(0x8d, 1), leave,
                                     op(0x71, 2, 6), add(2, 1), op(0x73, 6, 2), op(0x7a, 10, 0, -8, -1),
                                     op(0x7a, 10, 0, static_cast<std::int16_t>(-frame), -1), op(0x8d, 1), leave});
            CHECK(e.code == errc::call_too_deep);
            return std::to_integer<int>(g.data[0]);
        };
        CHECK(deep(8) == 2);    // 3 * 8 + 2 * 40 <= 128, one more is not
        CHECK(deep(16) == 2);   // 3 * 16 + 2 * 40 == 128
        CHECK(deep(24) == 1);
        CHECK(deep(40) == 1);
        CHECK(deep(48) == 0);   // 2 * 48 + 40 > 128
        CHECK(deep(128) == 0);
    });
}
