// SPDX-License-Identifier: Apache-2.0
// Which instructions `threaded` and prepared code have bodies for. Without one an instruction does the same, slower,
// so that only this test sees the difference.
#include "catch.hpp"

#include <femto/bodies.hpp>

#include <algorithm>
#include <iterator>
#include <set>

using namespace femto;

namespace {

template <class... Operations>
constexpr bool is_one_of(operation op, Operations... of) {
    return ((op == of) || ...);
}

/// Whether a row of opcodes.def is to have a body: what programs do often, and least of it where bytes count.
constexpr bool is_frequent(const instruction_info& row) {
    using enum operation;
    const operation op = row.operation;
    switch (row.format) {
        case format::alu_imm:
            if (detail::for_size) return is_one_of(op, add, and_, xor_, operation::mov, lsh, rsh);
            return !is_one_of(op, div, mod, sdiv, smod, movsx);
        case format::alu_reg:
            if (detail::for_size) return is_one_of(op, add, and_, xor_, operation::mov, sub, mul, or_);
            return !is_one_of(op, div, mod, sdiv, smod, movsx);
        case format::unary:
        case format::jump_long:
        case format::call:
        case format::exit: return !detail::for_size;
        case format::branch_imm: return !detail::for_size || is_one_of(op, jeq, jne, jlt);
        case format::branch_reg: return !detail::for_size || is_one_of(op, jeq, jne, jlt, jgt, jle);
        case format::jump:
        case format::load_imm64:
        case format::store_reg: return true;
        case format::load: return op == ldx || !detail::for_size;
        case format::store_imm: return !detail::for_size;
        default: return false;
    }
}
constexpr bool has_rows(std::uint32_t opcode, group allowed, bool (*wanted)(const instruction_info&)) {
    return std::any_of(instruction_list.begin(), instruction_list.end(), [&](const instruction_info& row) {
        return row.opcode == opcode && contains(allowed, row.group) && wanted(row);
    });
}

/// Whether an entry is one of two that exist, or an instruction that is frequent and allowed.
bool is_wanted(std::uint8_t entry, group allowed) {
    for (std::size_t n = 0; n < std::size(detail::fusions); ++n) {
        const auto [first, second] = detail::fusions[n];
        if (entry == detail::entry_of_fusion(n)) return is_wanted(first, allowed) && is_wanted(second, allowed);
    }
    return has_rows(entry, allowed, is_frequent);
}

template <rules Rules>
bool has_what_is_wanted(const std::set<std::uint8_t>& frames, const std::set<std::uint8_t>& moves) {
    for (unsigned n = 0; n < 256; ++n) {
        const auto entry = static_cast<std::uint8_t>(n);
        const bool instruction = has_rows(entry, Rules.allowed, is_frequent);
        const bool other = frames.contains(entry) || (moves.contains(entry) && !detail::for_size);
        if (detail::has_body<Rules, false>(entry) != instruction) return false;
        if (detail::has_body<Rules, true>(entry) != (other || is_wanted(entry, Rules.allowed))) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("bodies: there are those for what is frequent and allowed, and for what is no instruction") {
    std::set<std::uint8_t> frames, moves, all{detail::shared_entry};
    for (unsigned width = 0; width < 0x20; width += 8) {
        frames.insert(detail::entry_of_frame(static_cast<std::uint8_t>(0x61 | width)));
        frames.insert(detail::entry_of_frame(static_cast<std::uint8_t>(0x63 | width)));
    }
    for (const std::uint32_t bits : {8u, 16u, 32u}) {
        if (bits < 32) moves.insert(detail::entry_of_move(false, bits));
        moves.insert(detail::entry_of_move(true, bits));
    }
    all.insert(frames.begin(), frames.end());
    all.insert(moves.begin(), moves.end());
    for (std::size_t n = 0; n < std::size(detail::fusions); ++n) all.insert(detail::entry_of_fusion(n));
    CHECK(all.size() == 1 + 8 + 5 + std::size(detail::fusions));  // none is another's
    CHECK(std::size(detail::fusions) >= 9);
    for (const auto& row : instruction_list) CHECK(!all.contains(row.opcode));

    CHECK(has_what_is_wanted<rules{}>(frames, moves));
    CHECK(has_what_is_wanted<rules{.allowed = groups::base}>(frames, moves));
    CHECK(has_what_is_wanted<rules{.allowed = group::base32}>(frames, moves));
}

TEST_CASE("bodies: what can be the first of two is known at once") {
    for (unsigned entry = 0; entry < 256; ++entry) {
        const bool first = std::any_of(std::begin(detail::fusions), std::end(detail::fusions),
                                       [&](detail::fusion f) { return f.first == entry; });
        CHECK((detail::fusion_starts[entry / 32] >> entry % 32 & 1u) == (first ? 1u : 0u));
    }
}

TEST_CASE("bodies: immediates that can take the place of an offset") {
    for (unsigned code = 0; code < 256; ++code) {
        CAPTURE(code);
        const bool expected = has_rows(code, groups::all, [](const instruction_info& row) {
            using enum operation;
            return row.format == format::alu_imm && is_one_of(row.operation, add, mul, lsh, rsh, arsh);
        });
        CHECK(detail::has_short_immediate(static_cast<std::uint8_t>(code)) == expected);
    }
}

TEST_CASE("bodies: jumps whose immediate is free for their distance in bytes") {
    for (unsigned code = 0; code < 256; ++code) {
        CAPTURE(code);
        const bool expected = has_rows(code, groups::all, [](const instruction_info& row) {
            return row.format == format::jump || row.format == format::branch_reg;
        });
        if (!has_rows(code, groups::all, [](const instruction_info&) { return true; })) continue;
        CHECK(detail::jumps_without_immediate(static_cast<std::uint8_t>(code)) == expected);
    }
}
