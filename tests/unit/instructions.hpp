// SPDX-License-Identifier: Apache-2.0
// Short names for the instructions that tests write by hand.
#pragma once

#include <femto/isa.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace test {

constexpr femto::instruction op(std::uint8_t opcode, unsigned dst = 0, unsigned src = 0,
                                std::int32_t offset = 0, std::int32_t imm = 0) {
    return femto::instruction::make(opcode, dst, src, offset, imm);
}
inline constexpr femto::instruction leave = op(0x95);
constexpr femto::instruction set(unsigned r, std::int32_t value) { return op(0xb7, r, 0, 0, value); }
constexpr femto::instruction copy(unsigned to, unsigned from) { return op(0xbf, to, from); }
constexpr femto::instruction add(unsigned r, std::int32_t value) { return op(0x07, r, 0, 0, value); }
constexpr femto::instruction call(std::int32_t id) { return op(0x85, 0, 0, 0, id); }
/// r = a 64-bit constant, in two slots.
inline std::vector<femto::instruction> lddw(unsigned r, std::uint64_t value) {
    return {op(0x18, r, 0, 0, static_cast<std::int32_t>(value)),
            op(0, 0, 0, 0, static_cast<std::int32_t>(value >> 32))};
}
inline std::vector<femto::instruction> operator+(std::vector<femto::instruction> a,
                                                 const std::vector<femto::instruction>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace test
