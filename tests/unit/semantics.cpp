// SPDX-License-Identifier: Apache-2.0
// The small body of all arithmetic and the functions that have one operation each are the same.
#include "catch.hpp"

#include <femto/semantics.hpp>

#include <array>

using namespace femto;

namespace {

constexpr std::array<std::uint64_t, 14> edges{
    0, 1, 2, 31, 32, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
    0x8000000000000000, 0xffffffffffffffff};

template <class T>
std::uint64_t expected(const instruction_info& row, std::uint64_t a, std::uint64_t b) {
    if (row.operation == operation::movsx) {
        return static_cast<T>(semantics::sign_extend(b, row.selector));
    }
    return semantics::alu<T>(row.operation, static_cast<T>(a), static_cast<T>(b));
}

bool agrees(const instruction_info& row, std::uint64_t a, std::uint64_t b) {
    const auto kind = class_of(row.opcode);
    std::uint64_t to = a;
    const bool taken =
        semantics::execute<groups::all>(to, row.opcode | std::uint32_t{row.selector} << 16, b);
    switch (kind) {
        case instruction_class::alu: return !taken && to == expected<std::uint32_t>(row, a, b);
        case instruction_class::alu64: return !taken && to == expected<std::uint64_t>(row, a, b);
        case instruction_class::jmp:
            return to == a && taken == semantics::compare<std::uint64_t>(row.operation, a, b);
        default:
            return to == a && taken == semantics::compare<std::uint32_t>(
                                           row.operation, static_cast<std::uint32_t>(a),
                                           static_cast<std::uint32_t>(b));
    }
}

}  // namespace

TEST_CASE("semantics: one body for all is the same as one function for each") {
    unsigned rows = 0;
    for (const auto& row : instruction_list) {
        const bool computes = row.format == format::alu_imm || row.format == format::alu_reg ||
                              row.format == format::unary || row.format == format::branch_imm ||
                              row.format == format::branch_reg;
        if (!computes) continue;
        ++rows;
        for (const std::uint64_t a : edges) {
            for (const std::uint64_t b : edges) {
                CAPTURE(row.opcode, row.selector, a, b);
                CHECK(agrees(row, a, b));
            }
        }
    }
    CHECK(rows > 100);
}
