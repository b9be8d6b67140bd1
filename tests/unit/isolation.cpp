// SPDX-License-Identifier: Apache-2.0
// Ways out of a guest, each tried on every machine: whatever a program does to memory, calls, fuel and
// resumption, it reaches nothing that it was not given.
#include "catch.hpp"
#include "every_vm.hpp"

#include <femto/helpers/memory.hpp>
#include <femto/helpers/text.hpp>

#include <array>
#include <cstring>
#include <optional>
#include <vector>

using namespace femto;
using test::op;

namespace {

const instruction leave = op(0x95);
instruction set(unsigned r, std::int32_t value) { return op(0xb7, r, 0, 0, value); }
instruction copy(unsigned to, unsigned from) { return op(0xbf, to, from); }
instruction add(unsigned r, std::int32_t value) { return op(0x07, r, 0, 0, value); }
instruction call(std::int32_t id) { return op(0x85, 0, 0, 0, id); }
/// r = a 64-bit constant, in two slots.
std::array<instruction, 2> lddw(unsigned r, std::uint64_t value) {
    return {op(0x18, r, 0, 0, static_cast<std::int32_t>(value)),
            op(0, 0, 0, 0, static_cast<std::int32_t>(value >> 32))};
}

std::uint32_t sum(guest_span<const std::uint8_t> from) {
    std::uint32_t total = 0;
    for (std::uint32_t n = 0; n < from.size(); ++n) total += from[n];
    return total;
}
std::uint32_t fill(guest_span<std::uint8_t> to) {
    for (std::uint32_t n = 0; n < to.size(); ++n) to.set(n, 0x77);
    return to.size();
}
std::uint64_t fill_words(guest_span<std::uint64_t> to) { return to.size(); }
void increment(guest_ref<std::uint32_t> at) { at.set(at.get() + 1); }
/// A header that says how many bytes follow, as a device's message would: looked at, then used while
/// what is written changes it, if the two lie at one place.
struct message {
    std::uint32_t size;
    std::uint8_t bytes[4];
};
std::uint32_t unpack(guest_ref<const message> from, guest_span<std::uint8_t> to) {
    const message m = from.get();
    if (m.size > sizeof m.bytes || to.size() < m.size) return 0;
    for (std::uint32_t n = 0; n < to.size(); ++n) to.set(n, 0xff);
    for (std::uint32_t n = 0; n < m.size; ++n) to.set(n, m.bytes[n]);
    return m.size;
}
/// Bytes of a text that are not zero while they are overwritten.
std::uint32_t erase(guest_string text, guest_span<std::uint8_t> to) {
    std::uint32_t read = 0;
    for (const char c : text.text) {
        for (std::uint32_t n = 0; n < to.size(); ++n) to.set(n, 'x');
        read += c != 0 ? 1 : 0;
    }
    return read;
}
void charge(caller& c, std::uint32_t n) { c.charge(n); }
void sleep(caller& c) { c.suspend(); }
void end_here(caller& c) { c.finish(); }

using guest_helpers = join_helpers<
    helper_set<helper<0x100, "sum", &sum>, helper<0x101, "fill", &fill>,
               helper<0x102, "fill_words", &fill_words>, helper<0x103, "increment", &increment>,
               helper<0x104, "charge", &charge>, helper<0x105, "sleep", &sleep>,
               helper<0x106, "end_here", &end_here>, helper<0x107, "unpack", &unpack>,
               helper<0x108, "erase", &erase>>,
    femto::helpers::memory, femto::helpers::text>;

static_assert(guest_helpers::bit_of(0x100) == 1 && guest_helpers::bit_of(0x103) == 8);

constexpr config ordinary{.stack_size = 128, .max_regions = 8};

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
    const auto mapped = lddw(1, g.mapped_at);
    return {{copy(1, 1)},
            {copy(1, 10), add(1, -128)},
            {op(0x18, 1, 2, 0, 0), op(0)},
            {op(0x18, 1, 2, 0, 1), op(0)},
            {mapped.begin(), mapped.end()}};
}
std::vector<instruction> operator+(std::vector<instruction> a, std::vector<instruction> b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

const std::pair<std::uint8_t, int> loads[]{{0x71, 1}, {0x69, 2}, {0x61, 4}, {0x79, 8},
                                           {0x91, 1}, {0x89, 2}, {0x81, 4}};
const std::pair<std::uint8_t, int> stores[]{{0x72, 1}, {0x6a, 2}, {0x62, 4}, {0x7a, 8},
                                            {0x73, 1}, {0x6b, 2}, {0x63, 4}, {0x7b, 8},
                                            {0xc3, 4}, {0xdb, 8}};

}  // namespace

TEST_CASE("isolation: no byte before or behind a region is read or written") {
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const auto at = lddw(1, g.mapped_at);
        CHECK(g.fault({at[0], at[1], op(0x79, 0, 1), leave}) == error{});
        g.m.unmap(g.mapped_at);
        CHECK(g.fault({at[0], at[1], op(0x79, 0, 1), leave}).code == errc::illegal_memory);
        CHECK(g.fault({at[0], at[1], set(2, 1), call(0x101), leave}).code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: the machine's own state is not in the guest's stack") {
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // f overwrites the whole stack, its own frame and its caller's; the return works all the same.
        const std::vector f{copy(1, 10), add(1, 8), set(2, 11), op(0x7a, 1, 0, -8, 0x41),
                            add(1, -8), add(2, -1), op(0x55, 2, 0, -4), set(0, 6), leave};
        const auto r = g.run(std::vector{set(6, 1), set(9, 4), op(0x7b, 10, 6, -8), op(0x85, 0, 1, 0, 3),
                                         op(0x0f, 0, 6), op(0x0f, 0, 9), leave} + f, 10000);
        REQUIRE(r.has_value());
        CHECK(*r == 6 + 1 + 4);
        const auto* stack = g.m.memory().template find<false>(
            g.m.memory().address_of(region_number::stack), 88);
        REQUIRE(stack != nullptr);
        for (int n = 0; n < 88; n += 8) {
            const auto word = load_little<std::uint64_t>(stack + n);
            CHECK((word == 0x41 || word == 1 || word == 0));
        }
    });
}

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
    test::on_every_vm<ordinary>([](auto c) {
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
            const auto r = g.run(below_two_calls(std::vector(where.begin(), where.end()) + attack));
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
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
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

TEST_CASE("isolation: frames read after return hold the guest's own bytes alone") {
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        static_cast<void>(g.run({op(0x7a, 10, 0, -8, 0x5ec), copy(1, 10), add(1, -64),
                                 op(0x7a, 1, 0, 0, 0x5ec), leave}));
        // Another program: reads the frame of a function that has returned, then every byte below.
        const auto r = g.run({op(0x7a, 10, 0, -8, 3), op(0x85, 0, 1, 0, 2), op(0x79, 0, 10, -16), leave,
                              op(0x7a, 10, 0, -8, 0x66), leave});
        REQUIRE(r.has_value());
        CHECK((*r == 0x66 || *r == 0));  // whatever it is, it is not the other program's
        const auto all = g.run({set(2, 16), copy(1, 10), op(0x79, 3, 1, -8), op(0x0f, 0, 3), add(1, -8),
                                add(2, -1), op(0x55, 2, 0, -5), leave});
        CHECK(*all == 0);
    });
}

TEST_CASE("isolation: one machine, two programs: neither finds anything of the other") {
    test::on_every_vm<ordinary>([](auto c) {
        using machine = typename decltype(c)::template vm<guest_helpers>;
        machine m;
        std::vector<std::byte> secret(16, std::byte{0x99}), own(16);
        test::loaded<machine> first{{op(0x7a, 10, 0, -8, 0x99), set(6, 0x99), call(0x105), leave}, {}, secret};
        test::loaded<machine> second{{op(0x79, 0, 10, -8), op(0x4f, 0, 6), op(0x18, 1, 2, 0, 1), op(0),
                                      op(0x79, 2, 1), op(0x4f, 0, 2), leave}, {}, own};
        const auto a = first.verify();
        const auto b = second.verify();
        REQUIRE((a.has_value() && b.has_value()));
        std::vector<std::byte> context(8);
        CHECK(m.run(*a, a->entry(), std::span{context}, 100).error().code == errc::suspended);
        // The other one's state is not for it to resume, nor is its own after somebody else ran.
        CHECK(m.resume(*b, 100).error().code == errc::not_resumable);
        CHECK(*m.run(*b, b->entry(), std::span<std::byte>{}, 100) == 0);
        CHECK(m.resume(*a, 100).error().code == errc::not_resumable);
        // The context of the first is gone.
        test::loaded<machine> third{{op(0x71, 0, 1), leave}};
        const auto t = third.verify();
        CHECK(m.run(*t, t->entry(), std::span<std::byte>{}, 100).error().code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: a fault cannot be resumed, whatever it was") {
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        CHECK(g.m.resume(*test::loaded<typename decltype(c)::template vm<guest_helpers>>{{leave}}.verify(), 10)
                  .error().code == errc::not_resumable);
        const std::vector<std::vector<instruction>> faults{
            {op(0x71, 0, 3), leave},                          // memory
            {op(0x18, 1, 2, 0, 0), op(0), op(0x73, 1, 0), leave},  // write
            {set(1, 99), op(0x8d, 1), leave},                 // call
            {op(0x18, 1, 4, 0, -1), op(0), op(0x8d, 1), leave},  // depth
            {set(1, 3), set(2, 1), call(0x101), leave},       // in a helper
            {leave},                                          // none: it ended
            {call(0x106), leave},                             // a helper ended it
        };
        for (const auto& text : faults) {
            static_cast<void>(g.run(text));
            CHECK(g.m.resume(*g.verified, 100).error() == error{errc::not_resumable, 0, 0});
        }
        // What was suspended once cannot be resumed twice.
        CHECK(g.fault({call(0x105), leave}).code == errc::suspended);
        CHECK(g.m.resume(*g.verified, 100).has_value());
        CHECK(g.m.resume(*g.verified, 100).error().code == errc::not_resumable);
        // Nor what the machine was told to forget.
        CHECK(g.fault({call(0x105), leave}).code == errc::suspended);
        g.m.forget();
        CHECK(g.m.resume(*g.verified, 100).error().code == errc::not_resumable);
    });
}

TEST_CASE("isolation: a suspended guest loses a context that its owner takes away") {
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const auto r = g.run({copy(6, 1), call(0x105), op(0x71, 0, 6), leave});
        CHECK(r.error().code == errc::suspended);
        g.m.drop_context();
        CHECK(g.m.resume(*g.verified, 100).error().code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: calls through registers reach the starts of functions and granted helpers alone") {
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // 0, 1: lddw; 2: callx; 3: exit; 4: call of 6; 5: exit; 6, 7: lddw; 8: add; 9: exit
        const auto with = [&](std::uint64_t target) {
            const auto at = lddw(1, target);
            return std::vector{at[0], at[1], op(0x8d, 1), leave, op(0x85, 0, 1, 0, 1), leave,
                               op(0x18, 0, 0, 0, 5), op(0), add(0, 1), leave};
        };
        CHECK(*g.run(with(code_address(6))) == 6);
        for (const std::uint64_t target :
             {code_address(7), code_address(8), code_address(9), code_address(10), code_address(2),
              code_address(6) + 1, code_address(6) + 4, code_address(0x1fffffff),
              code_address(6) - 1, code_address(6) + (std::uint64_t{1} << 32),
              code_address(6) | std::uint64_t{1} << 63, std::uint64_t{0x10a}, std::uint64_t{0},
              std::uint64_t{1} << 32 | 0x100u, ~std::uint64_t{0}}) {
            const error e = g.fault(with(target));
            CHECK(e == error{errc::illegal_call, 2, target});
        }
    });
    // Not granted: refused by number, and through a register while it runs.
    using machine = vm<ordinary, guest_helpers>;
    const std::vector text{set(1, 0x101), op(0x8d, 1), leave};
    std::array<std::uint8_t, 8> scratch{};
    const auto p = machine::verify({text, {}, {}, {}}, scratch, guest_helpers::bit_of(0x100));
    REQUIRE(p.has_value());
    machine m;
    CHECK(m.run(*p, p->entry(), 100).error() == error{errc::illegal_call, 1, 0x101});
}

TEST_CASE("isolation: fuel that runs out inside a helper or a local call stops the run there") {
    test::on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // A helper that charges more than there is: the run stops behind it, in debt.
        auto r = g.run({set(1, 5000), call(0x104), set(0, 1), leave}, 100);
        CHECK(r.error() == error{errc::out_of_fuel, 2, 0});
        CHECK(g.m.executed() == 5002);
        CHECK(g.m.state().fuel == 100 - 5002);
        CHECK(g.m.resume(*g.verified, 4000).error().code == errc::out_of_fuel);
        CHECK(g.m.executed() == 0);
        CHECK(*g.m.resume(*g.verified, 1000) == 1);
        // As much as can be charged does not turn around into fuel.
        const auto most = lddw(1, 0xffffffff);
        r = g.run({most[0], most[1], call(0x104), op(0x05, 0, 0, -2)}, 100);
        CHECK(r.error().code == errc::out_of_fuel);
        CHECK(g.m.resume(*g.verified, 0x0fffffff).error().code == errc::out_of_fuel);
        CHECK(g.m.state().fuel <= 0x0fffffff);
        // Every fuel from 1 on, with calls nested: it never executes more than fuel and one stretch.
        const std::vector nested{op(0x85, 0, 1, 0, 1), leave, op(0x85, 0, 1, 0, 2), add(0, 1), leave,
                                 add(0, 1), add(0, 1), leave};
        for (std::uint32_t fuel = 1; fuel < 12; ++fuel) {
            auto step = g.run(nested, fuel);
            std::uint32_t total = g.m.executed();
            CHECK(g.m.executed() <= fuel + 3);
            for (int n = 0; !step && n < 20; ++n) {
                CHECK(step.error().code == errc::out_of_fuel);
                step = g.m.resume(*g.verified, 1);
                total += g.m.executed();
            }
            REQUIRE(step.has_value());
            CHECK(*step == 3);
            CHECK(total == 8);
        }
        // An endless recursion through registers meets the depth, an endless loop its fuel.
        CHECK(g.fault({op(0x18, 1, 4, 0, -1), op(0), op(0x8d, 1), leave}).code == errc::call_too_deep);
        CHECK(g.fault({op(0x05, 0, 0, -1)}).code == errc::out_of_fuel);
        CHECK(g.m.executed() == 1000);
    });
}

TEST_CASE("isolation: memcpy between overlapping pieces moves them, and stays inside") {
    test::on_every_vm<ordinary>([](auto c) {
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
    test::on_every_vm<ordinary>([](auto c) {
        using machine = typename decltype(c)::template vm<guest_helpers>;
        // The context may be read only; the region lies around it and may be written.
        std::vector<std::byte> bytes(32);
        const std::span around{bytes};
        const std::span<const std::byte> context = around.subspan(8, 16);
        machine m;
        const auto region = lddw(6, *m.map(around, permission::read_write));
        const auto run = [&](std::vector<instruction> text) {
            text.insert(text.begin(), region.begin(), region.end());
            test::loaded<machine> program{std::move(text)};
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
