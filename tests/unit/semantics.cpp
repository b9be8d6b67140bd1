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

/// The conditions that `compact` has a body for each of with -O2.
bool is_order(operation op) {
    return op != operation::jeq && op != operation::jne && op != operation::jset;
}

template <class T>
bool same_order(const instruction_info& row, std::uint64_t a, std::uint64_t b) {
    const T x = static_cast<T>(a);
    const T y = static_cast<T>(b);
    const bool taken = semantics::compare(row.operation, x, y);
    const bool bits = row.operation == operation::jset;
    return semantics::holds(row.opcode, bits ? a & b : a, bits ? 0 : b) == taken &&
           (!is_order(row.operation) || semantics::ordered(row.opcode, x, y) == taken);
}

bool agrees(const instruction_info& row, std::uint64_t a, std::uint64_t b) {
    const std::uint32_t fields = row.opcode | std::uint32_t{row.selector} << 16;
    switch (class_of(row.opcode)) {
        case instruction_class::alu:
            return semantics::calculate<groups::all>(fields, true, a, b, 0) ==
                   expected<std::uint32_t>(row, a, b);
        case instruction_class::alu64:
            return semantics::calculate<groups::all>(fields, false, a, b, 0) ==
                   expected<std::uint64_t>(row, a, b);
        case instruction_class::jmp: return same_order<std::uint64_t>(row, a, b);
        default: return same_order<std::uint32_t>(row, a, b);
    }
}

// What RFC 9669 says of bytes and signs.
constexpr std::uint64_t bytes = 0x8182838485868788;
static_assert(semantics::byte_swap(bytes, 64) == 0x8887868584838281);
static_assert(semantics::byte_swap(bytes, 32) == 0x88878685);
static_assert(semantics::byte_swap(bytes, 16) == 0x8887);
static_assert(semantics::zero_extend(bytes, 64) == bytes);
static_assert(semantics::zero_extend(bytes, 32) == 0x85868788);
static_assert(semantics::zero_extend(bytes, 8) == 0x88);
constexpr std::uint64_t extended(std::uint32_t bits) {
    const std::uint64_t value = semantics::sign_extend(bytes, bits);
    return semantics::movsx(bytes, bits) == value ? value : 0;
}
static_assert(extended(8) == 0xffffffffffffff88);
static_assert(extended(16) == 0xffffffffffff8788);
static_assert(extended(32) == 0xffffffff85868788);
static_assert(semantics::movsx(0x7f, 8) == 0x7f && semantics::sign_extend(0x7f, 8) == 0x7f);
static_assert(semantics::sign_extend(bytes, 64) == bytes);
static_assert(semantics::swap(opcode::le16, bytes, 64) == bytes);
static_assert(semantics::swap(opcode::le16, bytes, 32) == 0x85868788);
static_assert(semantics::swap(opcode::le16, bytes, 16) == 0x8788);
static_assert(semantics::swap(opcode::le16 | 8, bytes, 64) == 0x8887868584838281);
static_assert(semantics::swap(opcode::le16 | 8, bytes, 32) == 0x88878685);
static_assert(semantics::swap(opcode::le16 | 8, bytes, 16) == 0x8887);

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
    CHECK(rows > 90);
}
