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

}  // namespace

TEST_CASE("opcode table: the compressed table says what opcodes.def says, whatever is allowed") {
    for (unsigned allowed = 0; allowed < 128; ++allowed) {
        CAPTURE(allowed);
        CHECK(is_faithful(static_cast<group>(allowed)));
    }
}
