// SPDX-License-Identifier: Apache-2.0
// What `vm::prepare` makes of each slot: which body, and what it works on. With another body that does the same an
// instruction is only slower, so that this test alone sees the difference.
#include "catch.hpp"
#include "every_vm.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <iterator>
#include <vector>

using namespace femto;
using namespace test;

namespace {

constexpr config segmented{.address_space = address_space::segmented, .dispatch = dispatch::threaded};
constexpr config flat{.address_space = address_space::flat, .dispatch = dispatch::threaded};
constexpr bool small = sizeof(void*) == 4;

struct slot {
    std::uint8_t entry;
    std::uint64_t operands;  // a word of 32 bits where `small`

    friend bool operator==(const slot&, const slot&) = default;
};
/// Operands as a slot has them: registers, then the offset, the short immediate or the third register, then the
/// immediate or what has its place.
constexpr std::uint64_t operands(unsigned dst, unsigned src, std::int32_t half, std::int32_t immediate) {
    const std::uint64_t low = dst * 8 | src * 8 << 8 | static_cast<std::uint32_t>(half) << 16;
    return small ? low : low | std::uint64_t{static_cast<std::uint32_t>(immediate)} << 32;
}

/// Bodies that are no code: the address of each tells its entry.
constexpr std::array<std::byte, 256> place{};
#if FEMTO_FOR_SIZE
const auto distances = [] {
    std::array<std::int16_t, place.size()> all{};
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = static_cast<std::int16_t>(n);
    return all;
}();
const detail::body_table bodies{distances.data(), place.data()};
#else
const auto addresses = [] {
    std::array<const void*, place.size()> all{};
    for (std::size_t n = 0; n < all.size(); ++n) all[n] = &place[n];
    return all;
}();
const detail::body_table bodies = addresses.data();
#endif

/// The slots of a program that ends with `leave`, and of what the second slots of `lddw` hold.
template <config Config = segmented>
std::vector<slot> prepared(std::vector<instruction> text) {
    using machine = vm<Config>;
    using preparation = detail::preparation<femto::rules_of(Config), helper_set<>, typename machine::memory_type>;
    std::vector<std::uint8_t> scratch(text.size());
    std::array<std::byte, 8> rodata{}, data{};
    const auto verified = machine::verify({text, rodata, data, {}}, scratch);
    REQUIRE(verified.has_value());
    std::vector<prepared_instruction> code(text.size());
    REQUIRE(preparation::make(*verified, code, bodies).has_value());
    std::vector<slot> slots;
    for (const prepared_instruction& made : code) {
        const auto words = std::bit_cast<std::array<std::uint64_t, sizeof made / 8>>(made);
        const std::uint64_t body = small ? words[0] >> 32 : words.back();
        slots.push_back({static_cast<std::uint8_t>(body - reinterpret_cast<std::uintptr_t>(place.data())),
                         small ? words[0] & 0xffffffff : words[0]});
    }
    return slots;
}
/// The first slot of `first`, `second` and an exit.
template <config Config = segmented>
slot first_of(std::vector<instruction> first, instruction second) {
    return prepared<Config>(first + std::vector{second, leave})[0];
}
template <config Config = segmented>
slot first_of(instruction first) {
    return prepared<Config>({first, leave})[0];
}
std::uint8_t entry_of_pair(std::uint8_t first, std::uint8_t second) {
    const auto* at = std::find_if(std::begin(detail::fusions), std::end(detail::fusions), [&](detail::fusion f) {
        return f.first == first && f.second == second;
    });
    if (at == std::end(detail::fusions)) return first;
    return detail::entry_of_fusion(static_cast<std::size_t>(at - std::begin(detail::fusions)));
}

/// An instruction that works on r1: what it makes, or where it reads and writes.
std::vector<instruction> on_r1(std::uint8_t code) {
    if (code == opcode::lddw) return lddw(1, 5);
    if (class_of(code) == instruction_class::ldx) return {op(code, 0, 1)};
    const bool from_register = class_of(code) == instruction_class::stx || ((code & 4) != 0 && (code & 8) != 0);
    return {from_register ? op(code, 1, 4) : op(code, 1, 0, 0, 7)};
}

}  // namespace

TEST_CASE("prepare: an instruction has the body of its opcode, and its operands") {
    CHECK(first_of(op(opcode::add32_imm, 3, 0, 0, 77)) == slot{opcode::add32_imm, operands(3, 0, 77, 77)});
    CHECK(first_of(op(opcode::and32_imm, 3, 0, 0, -5)) == slot{opcode::and32_imm, operands(3, 0, 0, -5)});
    CHECK(first_of(op(opcode::xor32_reg, 3, 4)) == slot{opcode::xor32_reg, operands(3, 4, 0, 0)});
    CHECK(first_of(op(opcode::mov64_reg, 9, 1)) == slot{opcode::mov64_reg, operands(9, 1, 0, 0)});
    CHECK(first_of(op(opcode::ldxw, 3, 4, -8)) == slot{opcode::ldxw, operands(3, 4, -8, -8)});
    CHECK(first_of(op(opcode::stxw, 3, 4, 8)) == slot{opcode::stxw, operands(3, 4, 8, 8)});
    CHECK(first_of(op(0x62, 3, 0, 8, 99)) == slot{0x62, operands(3, 0, 8, 99)});
    CHECK(first_of(op(opcode::jne64_imm, 3, 0, 0, 99)) == slot{opcode::jne64_imm, operands(3, 0, 0, 99)});
    // Jumps without an immediate have their distance in bytes.
    const auto bytes = static_cast<std::int32_t>(sizeof(prepared_instruction));
    CHECK(prepared({op(opcode::ja, 0, 0, 1), set(0, 1), leave})[0] == slot{opcode::ja, operands(0, 0, 1, bytes)});
    CHECK(prepared({op(opcode::jlt64_reg, 3, 4, 1), set(0, 1), leave})[0] ==
          slot{opcode::jlt64_reg, operands(3, 4, 1, bytes)});
    // An immediate in the place of the offset has 16 bits where there is no other.
    for (const std::int32_t fits : {32767, -32768}) {
        CHECK(first_of(op(opcode::add64_imm, 3, 0, 0, fits)) == slot{opcode::add64_imm, operands(3, 0, fits, fits)});
    }
    for (const std::int32_t long_one : {32768, -32769}) {
        CHECK(first_of(op(opcode::add64_imm, 3, 0, 0, long_one)).entry ==
              (small ? detail::shared_entry : std::uint8_t{opcode::add64_imm}));
    }
}

TEST_CASE("prepare: accesses at an offset from r10 have bodies of their own") {
    for (const unsigned width : {0x00u, 0x08u, 0x10u, 0x18u}) {
        const auto load = static_cast<std::uint8_t>(0x61 | width), store = static_cast<std::uint8_t>(0x63 | width);
        CHECK(first_of(op(load, 3, 10, -8)) == slot{detail::entry_of_frame(load), operands(3, 10, -8, -8)});
        CHECK(first_of(op(store, 10, 3, -8)) == slot{detail::entry_of_frame(store), operands(10, 3, -8, -8)});
        CHECK(first_of(op(load, 3, 4, -8)).entry == load);
        CHECK(first_of(op(store, 3, 10, -8)).entry == store);  // r10 is what is stored
    }
    CHECK(first_of(op(0x91, 3, 10, -8)).entry == 0x91);     // extends the sign
    CHECK(first_of(op(0xc3, 10, 3, -8, 0)).entry == 0xc3);  // atomic
}

TEST_CASE("prepare: moves that extend the sign have bodies by their width") {
    for (const std::int32_t bits : {8, 16, 32}) {
        const auto expected = [&](bool wide) {
            if (detail::for_size) return detail::shared_entry;
            return detail::entry_of_move(wide, static_cast<std::uint32_t>(bits));
        };
        CHECK(first_of(op(opcode::mov64_reg, 3, 4, bits)) == slot{expected(true), operands(3, 4, bits, 0)});
        if (bits < 32) CHECK(first_of(op(opcode::mov32_reg, 3, 4, bits)).entry == expected(false));
    }
}

TEST_CASE("prepare: a constant lies in the second slot of its lddw") {
    const auto number = prepared(lddw(3, 0x1122334455667788) + std::vector{leave});
    CHECK(number[0] == slot{opcode::lddw, operands(3, 0, 0, 0x55667788)});
    const auto constant = [](const slot& s) { return small ? s.operands | std::uint64_t{s.entry} << 32 : s.operands; };
    if (!small) CHECK(number[1].operands == 0x1122334455667788);
    CHECK(number[2].entry == 0x95);
    CHECK(prepared<flat>(lddw(3, 1) + std::vector{leave})[0].entry == opcode::lddw);

    // The address of a slot is that of code, whatever the address space.
    const std::vector code{op(opcode::lddw, 3, 4, 0, 2), op(0), leave, set(0, 0), leave};
    CHECK(prepared(code)[0].entry == opcode::lddw);
    CHECK(prepared<flat>(code)[0].entry == opcode::lddw);
    CHECK(constant(prepared(code)[1]) == constant(prepared<flat>(code)[1]));
    if (!small) CHECK(prepared(code)[1].operands == code_address(3));

    // That of a section is known where addresses are ours, and else only to a run.
    const std::vector section{op(opcode::lddw, 3, 2, 0, 1), op(0, 0, 0, 0, 4), op(opcode::add64_reg, 3, 4), leave};
    CHECK(prepared(section)[0].entry == entry_of_pair(opcode::lddw, opcode::add64_reg));
    if (!small) CHECK(prepared(section)[1].operands == segmented_address(region_number::rodata + 1u) + 4);
    CHECK(prepared<flat>(section)[0].entry == detail::shared_entry);
    CHECK(prepared<flat>(section)[2].entry == opcode::add64_reg);
}

TEST_CASE("prepare: two that are executed as one have one body, and the second its own") {
    for (std::size_t n = 0; n < std::size(detail::fusions); ++n) {
        CAPTURE(n);
        const auto [first, second] = detail::fusions[n];
        std::vector<instruction> text;
        std::uint8_t before = first;
        if (const std::size_t of = detail::spare_number(first); of != detail::spare_opcodes.size()) {
            const detail::fusion two = detail::fusions[of - detail::first_fusion];  // which begin three
            text = on_r1(two.first);
            before = two.second;
        }
        text = text + on_r1(before);
        const std::size_t behind = text.size();
        text = text + on_r1(second) + std::vector{leave};
        const auto slots = prepared(text);
        CHECK(slots[0].entry == detail::entry_of_fusion(n));
        CHECK(slots[behind].entry == second);
        CHECK(slots.back().entry == 0x95);
    }
}

TEST_CASE("prepare: operands of two share a slot only if they fit") {
    const auto moved = std::vector{op(opcode::mov32_reg, 1, 2)};
    const auto fused = [](std::uint8_t second) { return entry_of_pair(opcode::mov32_reg, second); };
    CHECK(first_of(moved, op(opcode::add32_reg, 1, 4)) ==
          slot{fused(opcode::add32_reg), operands(1, 2, 4 * 8, 0)});
    CHECK(first_of(moved, op(opcode::and32_imm, 1, 0, 0, 99)) ==
          slot{fused(opcode::and32_imm), operands(1, 2, 99, 99)});
    CHECK(first_of(moved, op(opcode::add32_reg, 3, 4)).entry == opcode::mov32_reg);         // to another
    CHECK(first_of(moved, op(opcode::add32_reg, 1, 1)).entry == opcode::mov32_reg);         // what it made
    CHECK(first_of(moved, op(opcode::add32_imm, 1, 0, 0, 1)).entry == fused(opcode::add32_imm));  // no register
    CHECK(first_of(moved, op(opcode::add64_reg, 1, 4)).entry == opcode::mov32_reg);         // no such two
    for (const std::int32_t fits : {32767, -32768}) {
        CHECK(first_of(moved, op(opcode::and32_imm, 1, 0, 0, fits)).entry == fused(opcode::and32_imm));
    }
    for (const std::int32_t long_one : {32768, -32769}) {
        CHECK(first_of(moved, op(opcode::and32_imm, 1, 0, 0, long_one)).entry ==
              (small ? std::uint8_t{opcode::mov32_reg} : fused(opcode::and32_imm)));
    }
    // What fits but does not follow.
    CHECK(first_of(moved + std::vector{op(opcode::add32_reg, 3, 4)}, op(opcode::add32_reg, 1, 4)).entry ==
          opcode::mov32_reg);
    CHECK(first_of(lddw(1, 5), op(opcode::add64_reg, 1, 4)) ==
          slot{entry_of_pair(opcode::lddw, opcode::add64_reg), operands(1, 4, 4 * 8, 0)});
    CHECK(first_of(lddw(1, 5), op(opcode::add64_reg, 3, 4)).entry == opcode::lddw);
}
