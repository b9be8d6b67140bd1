// SPDX-License-Identifier: Apache-2.0
// Ways out of a guest, each tried on every machine: whatever a program does to memory, itself or through a
// helper, it reaches nothing that it was not given.
#include "catch.hpp"
#include "guest.hpp"

#include <cstring>

using namespace test;

TEST_CASE("isolation: no byte before or behind a region is read or written") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        std::size_t which = 0;
        for (const auto& pointer : pointers(g)) {
            const int size = which == 1 ? 128 : 16;
            const bool writable = which++ != 2;
            const auto pc = static_cast<std::uint32_t>(pointer.size());
            for (const auto& [opcode, width] : loads) {
                CHECK(g.fault(pointer + std::vector{op(opcode, 0, 1, size - width), leave}) == error{});
                CHECK(g.fault(pointer + std::vector{op(opcode, 0, 1, 0), leave}) == error{});
                for (const int at : {size - width + 1, size, -1, -width, -32768, 32767}) {
                    const error e = g.fault(pointer + std::vector{op(opcode, 0, 1, at), leave});
                    CHECK(e.code == errc::illegal_memory);
                    CHECK(e.pc == pc);
                }
            }
            for (const auto& [opcode, width] : stores) {
                const error last = g.fault(pointer + std::vector{op(opcode, 1, 0, size - width), leave});
                CHECK(last.code == (writable ? errc::ok : errc::illegal_write));
                for (const int at : {size - width + 1, size, -1, -width}) {
                    const error e = g.fault(pointer + std::vector{op(opcode, 1, 0, at), leave});
                    CHECK(e.code == errc::illegal_memory);
                    CHECK(e.pc == pc);
                }
            }
        }
    });
}

TEST_CASE("isolation: addresses wrap around into nothing") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const std::uint64_t context = [&] {
            static_cast<void>(g.run({leave}));
            return g.m.memory().address_of(region_number::context);
        }();
        for (const std::uint64_t at :
             {~std::uint64_t{0}, ~std::uint64_t{0} - 7, std::uint64_t{0}, std::uint64_t{1},
              context + (std::uint64_t{1} << 40), context - (std::uint64_t{1} << 40),
              context + (std::uint64_t{1} << 63), context | std::uint64_t{1} << 48,
              context + 0x80000000u, std::uint64_t{0xC0DE} << 32}) {
            const auto pointer = lddw(3, at);
            for (const auto& [opcode, width] : loads) {
                for (const int offset : {0, 7, -8, 32767, -32768}) {
                    const error e = g.fault({pointer[0], pointer[1], op(opcode, 0, 3, offset), leave});
                    CHECK(e == error{errc::illegal_memory, 2,
                                     at + static_cast<std::uint64_t>(std::int64_t{offset})});
                }
            }
            CHECK(g.fault({pointer[0], pointer[1], op(0x7b, 3, 0, 0), leave}).code ==
                  errc::illegal_memory);
        }
    });
}

TEST_CASE("isolation: an access does not straddle two regions that touch") {
    on_every_vm<ordinary>([](auto c) {
        constexpr config configured = decltype(c)::value;
        guest<decltype(c)> g;
        std::vector<std::byte> both(16);
        const auto first = *g.m.map(std::span{both}.first(8), permission::read_write);
        const auto second = *g.m.map(std::span{both}.subspan(8), permission::read_write);
        if (configured.address_space == address_space::flat) CHECK(second == first + 8);
        const auto pointer = lddw(1, first);
        CHECK(g.fault({pointer[0], pointer[1], op(0x79, 0, 1, 4), leave}) ==
              error{errc::illegal_memory, 2, first + 4});
        CHECK(g.fault({pointer[0], pointer[1], op(0x7b, 1, 0, 4), leave}).code == errc::illegal_memory);
        CHECK(g.fault({pointer[0], pointer[1], add(1, 4), set(2, 8), call(0x100), leave}) ==
              error{errc::illegal_memory, 4, first + 4});
        CHECK(g.fault({pointer[0], pointer[1], add(1, 4), set(2, 8), call(0x101), leave}).code ==
              errc::illegal_memory);
        CHECK(g.fault({pointer[0], pointer[1], add(1, 6), call(0x103), leave}) ==
              error{errc::illegal_memory, 3, first + 6});
        // A string that only ends in the next region does not end.
        std::memset(both.data(), 'x', 8);
        CHECK(g.fault({pointer[0], pointer[1], call(0x52), leave}) ==
              error{errc::illegal_memory, 2, first});
        CHECK(both[8] == std::byte{0});
    });
}

TEST_CASE("isolation: lengths of helper arguments do not wrap around") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        for (const std::uint64_t length :
             {std::uint64_t{17}, std::uint64_t{0x7fffffff}, std::uint64_t{0x80000000},
              std::uint64_t{0xffffffff}, std::uint64_t{1} << 32, (std::uint64_t{1} << 32) + 1,
              ~std::uint64_t{0}, std::uint64_t{1} << 61, (std::uint64_t{1} << 61) + 1}) {
            const auto n = lddw(2, length);
            for (const std::int32_t id : {0x100, 0x101, 0x102}) {
                const error e = g.fault({n[0], n[1], call(id), leave});
                CHECK(e.code == errc::illegal_memory);
                CHECK(e.pc == 2);
            }
        }
        // Two elements fill the region, three do not fit.
        CHECK(*g.run({set(2, 2), call(0x102), leave}) == 2);
        CHECK(g.fault({set(2, 3), call(0x102), leave}).code == errc::illegal_memory);
        CHECK(g.context == std::vector<std::byte>(16, std::byte{0x11}));
    });
}

TEST_CASE("isolation: helpers write only where the guest may write") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const std::vector rodata{op(0x18, 1, 2, 0, 0), op(0)};
        for (const std::int32_t id : {0x101, 0x103}) {
            CHECK(g.fault(rodata + std::vector{set(2, 4), call(id), leave}).code ==
                  errc::illegal_memory);
        }
        std::vector<std::byte> bytes(8, std::byte{5});
        const auto write_only = lddw(1, *g.m.map(bytes, permission::write));
        CHECK(g.fault({write_only[0], write_only[1], set(2, 8), call(0x100), leave}).code ==
              errc::illegal_memory);
        CHECK(g.fault({write_only[0], write_only[1], op(0x71, 0, 1), leave}).code ==
              errc::illegal_memory);
        // A guest_span<T> can be read: write permission alone is not enough.
        CHECK(g.fault({write_only[0], write_only[1], set(2, 8), call(0x101), leave}).code ==
              errc::illegal_memory);
        CHECK(bytes == std::vector<std::byte>(8, std::byte{5}));
        CHECK(g.rodata == std::vector<std::byte>(16, std::byte{0x22}));
    });
}

TEST_CASE("isolation: atomics change nothing that is read-only, and read nothing that is write-only") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        std::vector<std::byte> bytes(8, std::byte{5});
        const auto write_only = lddw(1, *g.m.map(bytes, permission::write));
        for (const std::uint8_t opcode : {std::uint8_t{0xc3}, std::uint8_t{0xdb}}) {
            for (const int imm : {0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xa0, 0xa1, 0xe1, 0xf1}) {
                const std::vector atomic{set(0, 7), set(3, 9), op(opcode, 1, 3, 0, imm), leave};
                CHECK(g.fault(std::vector{op(0x18, 1, 2, 0, 0), op(0)} + atomic).code ==
                      errc::illegal_write);
                CHECK(g.m.state().r[0] == 7);
                CHECK(g.m.state().r[3] == 9);
                CHECK(g.fault(std::vector{write_only[0], write_only[1]} + atomic).code ==
                      errc::illegal_memory);
                CHECK(g.m.state().r[0] == 7);
                CHECK(g.m.state().r[3] == 9);
            }
        }
        CHECK(g.rodata == std::vector<std::byte>(16, std::byte{0x22}));
        CHECK(bytes == std::vector<std::byte>(8, std::byte{5}));
    });
}

TEST_CASE("isolation: regions that overlap keep their own permissions") {
    on_every_vm<ordinary>([](auto c) {
        constexpr config configured = decltype(c)::value;
        guest<decltype(c)> g;
        std::vector<std::byte> bytes(16);
        const auto read = lddw(1, *g.m.map(std::span{bytes}, permission::read));
        const auto write = lddw(2, *g.m.map(std::span{bytes}.subspan(8), permission::read_write));
        // Through the one that may be written it is written, whichever was mapped first.
        CHECK(g.fault({write[0], write[1], op(0x7a, 2, 0, 0, 1), leave}) == error{});
        CHECK(bytes[8] == std::byte{1});
        CHECK(*g.run({read[0], read[1], op(0x71, 0, 1, 8), leave}) == 1);
        CHECK(g.fault({read[0], read[1], op(0x7a, 1, 0, 0, 1), leave}).code == errc::illegal_write);
        // In the flat space an address does not say through which region it came.
        const errc behind = g.fault({read[0], read[1], op(0x7a, 1, 0, 8, 2), leave}).code;
        CHECK(behind == (configured.address_space == address_space::flat ? errc::ok
                                                                         : errc::illegal_write));
        CHECK(g.fault({read[0], read[1], op(0x7a, 1, 0, 4, 2), leave}).code == errc::illegal_write);
        CHECK(bytes[0] == std::byte{0});
    });
}

TEST_CASE("isolation: a region without bytes gives nothing and takes nobody's place") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const auto empty = *g.m.map(std::span<std::byte>{}, permission::read_write);
        std::vector<std::byte> bytes(8);
        const auto behind = *g.m.map(bytes, permission::read_write);
        CHECK(empty != behind);
        const auto at = lddw(1, empty);
        CHECK(g.fault({at[0], at[1], op(0x71, 0, 1), leave}).code == errc::illegal_memory);
        CHECK(g.fault({at[0], at[1], op(0x73, 1, 0), leave}).code == errc::illegal_memory);
        CHECK(g.fault({at[0], at[1], set(2, 1), call(0x101), leave}).code == errc::illegal_memory);
        CHECK(*g.run({at[0], at[1], set(2, 0), call(0x101), leave}) == 0);
        g.m.unmap(empty);
        const auto other = lddw(1, behind);
        CHECK(g.fault({other[0], other[1], op(0x7b, 1, 0), leave}) == error{});
        CHECK(g.m.map(std::span<std::byte>{}, permission::read).has_value());
        // A context and data of no bytes.
        g.context.clear();
        g.data.clear();
        CHECK(g.fault({op(0x71, 0, 1), leave}).code == errc::illegal_memory);
        CHECK(g.fault({op(0x18, 1, 2, 0, 1), op(0), op(0x73, 1, 0), leave}).code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: a region that was taken back is out of reach") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const auto at = lddw(1, g.mapped_at);
        CHECK(g.fault({at[0], at[1], op(0x79, 0, 1), leave}) == error{});
        g.m.unmap(g.mapped_at);
        CHECK(g.fault({at[0], at[1], op(0x79, 0, 1), leave}).code == errc::illegal_memory);
        CHECK(g.fault({at[0], at[1], set(2, 1), call(0x101), leave}).code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: memcpy between overlapping pieces moves them, and stays inside") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        for (int n = 0; n < 16; ++n) g.context[static_cast<std::size_t>(n)] = static_cast<std::byte>(n);
        CHECK(g.fault({copy(2, 1), add(1, 4), set(3, 12), call(0x02), leave}) == error{});
        for (int n = 4; n < 16; ++n) {
            CHECK(g.context[static_cast<std::size_t>(n)] == static_cast<std::byte>(n - 4));
        }
        CHECK(g.fault({copy(2, 1), add(1, 5), set(3, 12), call(0x02), leave}).code ==
              errc::illegal_memory);
        CHECK(g.fault({copy(2, 1), add(2, 5), set(3, 12), call(0x02), leave}).code ==
              errc::illegal_memory);
    });
}

TEST_CASE("isolation: a program that changes its context while a helper reads it deceives itself alone") {
    on_every_vm<ordinary>([](auto c) {
        using machine = typename decltype(c)::template vm<guest_helpers>;
        // The context may be read only; the region lies around it and may be written.
        std::vector<std::byte> bytes(32);
        const std::span around{bytes};
        const std::span<const std::byte> context = around.subspan(8, 16);
        machine m;
        const auto region = lddw(6, *m.map(around, permission::read_write));
        const auto run = [&](std::vector<instruction> text) {
            text.insert(text.begin(), region.begin(), region.end());
            loaded<machine> program{std::move(text)};
            const auto verified = program.verify();
            REQUIRE(verified.has_value());
            return m.run(*verified, verified->entry(), context, 1000);
        };
        // `unpack` writes over the message that it has looked at, from any place around it.
        for (int from = 0; from <= 16; ++from) {
            for (const int size : {3, 8, 15}) {
                bytes.assign(32, std::byte{9});
                store_little<std::uint32_t>(bytes.data() + 8, 3);
                for (std::size_t n = 0; n < 4; ++n) bytes[12 + n] = static_cast<std::byte>(n + 1);
                auto expected = bytes;
                for (int n = 0; n < size; ++n) {
                    expected[static_cast<std::size_t>(from + n)] =
                        n < 3 ? static_cast<std::byte>(n + 1) : std::byte{0xff};
                }
                const auto r = run({copy(2, 6), add(2, from), set(3, size), call(0x107), leave});
                REQUIRE(r.has_value());
                CHECK(*r == 3);
                CHECK(bytes == expected);
            }
        }
        // What it says before the call counts: more than there is is refused.
        CHECK(*run({op(0x7a, 6, 0, 8, 5), copy(2, 6), set(3, 8), call(0x107), leave}) == 0);
        // A text whose zero byte is overwritten while it is read ends where it ended.
        for (int from = 0; from <= 16; ++from) {
            bytes.assign(32, std::byte{'a'});
            bytes[23] = std::byte{0};
            CHECK(*run({copy(2, 6), add(2, from), set(3, 16), call(0x108), leave}) == 15);
            bytes.assign(32, std::byte{'a'});
            bytes[10] = std::byte{0};
            CHECK(*run({copy(2, 6), add(2, from), set(3, 16), call(0x108), leave}) == 2);
        }
        // Through the pointer that may only read, no helper writes, not even where the region may.
        bytes.assign(32, std::byte{0});
        const auto through = run({copy(2, 1), set(3, 16), call(0x107), leave});
        if (decltype(c)::value.address_space == address_space::segmented) {
            CHECK(through.error() == error{errc::illegal_memory, 4, segmented_address(region_number::context)});
        } else {
            CHECK(through.has_value());  // an address does not say through which region it came
        }
    });
}
