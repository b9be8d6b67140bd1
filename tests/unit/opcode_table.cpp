// SPDX-License-Identifier: Apache-2.0
// The verifier's table decompresses to opcodes.def, for each set of groups that can be allowed.
#include "catch.hpp"

#include <femto/opcode_table.hpp>

#include <algorithm>

using namespace femto;

namespace {

/// Whether the compressed table says of every opcode and selector what opcodes.def says.
bool is_faithful(group allowed) {
    using detail::opcode_shape;
    const detail::opcode_compressor compressed{allowed};
    const auto table = compressed.table<32, 32>();
    const auto by_opcode = detail::rows_by_opcode(allowed);
    for (std::uint32_t opcode = 0; opcode < 256; ++opcode) {
        const auto& rows = by_opcode[opcode];
        const opcode_shape shape = table[opcode];
        if (shape.refusal() != rows.refusal) return false;
        if (rows.refusal != errc::ok) continue;
        for (std::uint32_t rule = 1; rule < 256; rule *= 2) {
            const auto bit = static_cast<opcode_shape::rule>(rule);
            if (shape.has(bit) != detail::holds(bit, rows.uses)) return false;
        }
        for (std::uint32_t selector = 0; selector < 512; ++selector) {
            const auto* last = rows.selectors.begin() + rows.variants;
            const bool listed = std::find(rows.selectors.begin(), last, selector) != last;
            if (table.has_variant(shape, selector) != listed) return false;
        }
    }
    return true;
}

/// Whether the quick look passes over exactly the slots of which it says that nothing more is to be known.
bool passes_what_it_may(group allowed) {
    using detail::opcode_shape;
    const detail::plain_slot_table plain{allowed};
    const auto by_opcode = detail::rows_by_opcode(allowed);
    for (std::uint32_t opcode = 0; opcode < 256; ++opcode) {
        const auto& rows = by_opcode[opcode];
        const auto* last = rows.selectors.begin() + rows.variants;
        const bool defined = rows.refusal == errc::ok &&
                             std::find(rows.selectors.begin(), last, 0) != last && opcode != 0x18 &&
                             opcode != 0x85 && opcode != 0x8d;
        for (std::uint32_t registers = 0; registers < 256; ++registers) {
            for (std::int32_t n = 0; n < 9; ++n) {
                constexpr std::int32_t values[]{0, 1, -0x8000};
                const auto i = instruction::make(static_cast<std::uint8_t>(opcode), registers & 15, registers >> 4,
                                                 values[n % 3], values[n / 3]);
                const auto zero = [&](opcode_shape::rule none, opcode_shape::rule selects) {
                    return detail::holds(none, rows.uses) || detail::holds(selects, rows.uses);
                };
                const bool expected =
                    defined && i.dst() < 10 && i.src() < 10 &&
                    !(detail::holds(opcode_shape::no_destination, rows.uses) && i.dst() != 0) &&
                    !(zero(opcode_shape::no_source, opcode_shape::source_selects) && i.src() != 0) &&
                    !(zero(opcode_shape::no_offset, opcode_shape::offset_selects) && i.offset() != 0) &&
                    !(zero(opcode_shape::no_immediate, opcode_shape::immediate_selects) && i.imm() != 0);
                if ((plain.end_of_plain(&i, 0, 1) == 1) != expected) return false;
            }
        }
    }
    return true;
}

/// What the compressed table takes of flash. Not evaluated by the compiler: GCC 12, once it has done that, forgets
/// the defaults of `opcode_rows` in what runs. The library has it evaluated by the compiler alone.
std::size_t bytes_of_table(group allowed) {
    const detail::opcode_compressor compressed{allowed};
    return detail::opcode_table<1, 1>::end / 2 + 2 * compressed.shapes() + compressed.selectors();
}

}  // namespace

TEST_CASE("opcode table: the compressed table says what opcodes.def says, whatever is allowed") {
    for (unsigned allowed = 0; allowed < 128; ++allowed) {
        CAPTURE(allowed);
        CHECK(is_faithful(static_cast<group>(allowed)));
    }
}

TEST_CASE("opcode table: a quick look passes over what needs no closer one, and nothing else") {
    for (unsigned allowed = 0; allowed < 128; allowed = allowed * 2 + 1) {
        CAPTURE(allowed);
        CHECK(passes_what_it_may(static_cast<group>(allowed)));
        CHECK(passes_what_it_may(static_cast<group>(127 - allowed)));
    }
}

TEST_CASE("opcode table: an instruction that is not allowed is not an unknown one") {
    const auto rows = detail::rows_by_opcode(groups::base);
    CHECK(rows[opcode::add64_imm].refusal == errc::ok);
    CHECK(rows[opcode::mul64_imm].refusal == errc::unsupported_group);
    CHECK(rows[0x20].refusal == errc::unsupported_instruction);
    CHECK(rows[0xff].refusal == errc::illegal_instruction);
}

TEST_CASE("opcode table: the tables are as small as they say") {
    CHECK(bytes_of_table(groups::all) == 193);
    CHECK(sizeof(detail::plain_slot_table) == 328);
}
