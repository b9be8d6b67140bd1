// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
#include <femto/opcode_table.hpp>
#include <femto/verifier.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace femto::detail {

/// Whether `threaded` has a body of its own for an opcode. The others are executed by the body of
/// `compact`: they are rare, and each would cost 30 to 100 bytes. With `for_size` what is less
/// frequent has none, either: 4 % of what the workloads of bench/ execute.
template <rules Rules>
[[nodiscard]] constexpr bool is_hot(std::uint8_t code) {
    if (opcodes<Rules.allowed>[code].refusal() != errc::ok) return false;
    const auto op = arithmetic_of(code);
    const bool from_register = (code & 8) != 0;
    switch (class_of(code)) {
        case instruction_class::alu:
        case instruction_class::alu64:
            if (op == operation::div || op == operation::mod || op > operation::arsh) return false;
            if (!for_size) return true;
            if (op == operation::sub || op == operation::mul || op == operation::or_) {
                return from_register;
            }
            if (op == operation::lsh || op == operation::rsh) return !from_register;
            return op != operation::neg && op != operation::arsh;
        case instruction_class::jmp:
        case instruction_class::jmp32:
            if (!for_size || code == opcode::ja) return code != opcode::callx;
            switch (condition_of(code)) {
                case operation::jeq:
                case operation::jne: return true;
                case operation::jlt: return true;
                case operation::jgt:
                case operation::jle: return from_register;
                default: return false;
            }
        case instruction_class::ld: return true;
        case instruction_class::ldx:
            if (!for_size && (code & 0xe0) == 0x80) return true;  // extends the sign
            [[fallthrough]];
        case instruction_class::stx: return (code & 0xe0) == 0x60;
        case instruction_class::st: return !for_size && (code & 0xe0) == 0x60;
        default: return false;
    }
}

/// The opcodes of no instruction. What is not eBPF has its body listed under one of them.
inline constexpr auto spare_opcodes = [] {
    std::array<std::uint8_t, for_size ? 24 : 40> spare{};
    std::size_t n = 0;
    for (std::uint32_t code = 0; n < spare.size(); ++code) {
        if (std::none_of(std::begin(instruction_list), std::end(instruction_list),
                         [&](const auto& info) { return info.opcode == code; })) {
            spare[n++] = static_cast<std::uint8_t>(code);
        }
    }
    return spare;
}();

/// Which of them an opcode is, or how many there are.
[[nodiscard]] constexpr std::size_t spare_number(std::uint8_t code) {
    return static_cast<std::size_t>(std::find(spare_opcodes.begin(), spare_opcodes.end(), code) -
                                    spare_opcodes.begin());
}

// In this order: the body of `compact`, accesses at an offset from r10, moves that extend the sign,
// fusions.
inline constexpr std::uint8_t shared_entry = spare_opcodes[0];
inline constexpr std::size_t first_frame = 1, first_move = 9, first_fusion = 14;

/// The entry of a load or store at a constant offset from r10, by the width and class of `code`.
[[nodiscard]] constexpr std::uint8_t entry_of_frame(std::uint8_t code) {
    const bool store = class_of(code) == instruction_class::stx;
    return spare_opcodes[first_frame + (store ? 4u : 0u) + (code >> 3 & 3u)];
}
/// The entry of a move that extends the sign of 8, 16 or (only to 64) 32 bits.
[[nodiscard]] constexpr std::uint8_t entry_of_move(bool to_64, std::uint32_t bits) {
    return spare_opcodes[first_move + (to_64 ? 2u : 0u) + bits / 16];
}
[[nodiscard]] constexpr std::uint8_t entry_of_fusion(std::size_t n) {
    return spare_opcodes[first_fusion + n];
}

/// Two bodies that prepared code has as one, since compilers often emit what they execute one behind the
/// other. What the second one executes keeps its slot, so that jumps to it and faults in it need no care.
struct fusion {
    std::uint8_t first;
    std::uint8_t second;

    /// Whether operands of both share one slot: of a copy or a constant, and an operation on it in the
    /// same register. Others have their own.
    [[nodiscard]] constexpr bool is_packed() const {
        return first == opcode::mov32_reg || first == opcode::mov64_reg || first == opcode::lddw;
    }
};
/// Those of them that are first in others.
inline constexpr std::uint8_t copied_left32 = entry_of_fusion(2), copied_right32 = entry_of_fusion(3),
                              in_table = entry_of_fusion(8), copied_right64 = entry_of_fusion(9);
inline constexpr fusion fusions[]{
    {opcode::mov32_reg, opcode::add32_reg}, {opcode::mov32_reg, opcode::add32_imm},
    {opcode::mov32_reg, opcode::lsh32_imm}, {opcode::mov32_reg, opcode::rsh32_imm},
    {opcode::mov32_reg, opcode::and32_imm}, {opcode::mov64_reg, opcode::add64_reg},
    {opcode::mov64_reg, opcode::add64_imm}, {opcode::mov64_reg, opcode::lsh64_imm},
    {opcode::lddw, opcode::add64_reg},
#if !FEMTO_FOR_SIZE
    {opcode::mov64_reg, opcode::rsh64_imm},
    {copied_left32, opcode::xor32_reg}, {copied_right32, opcode::xor32_reg},
    {copied_left32, opcode::or32_reg}, {copied_right64, opcode::xor64_reg},
    {in_table, opcode::ldxb}, {in_table, opcode::ldxw},
    {in_table, opcode::stxb}, {in_table, opcode::stxw}, {in_table, opcode::stb},
    {opcode::mul64_imm, opcode::add64_reg},
    {opcode::add64_imm, opcode::jlt64_reg}, {opcode::add64_imm, opcode::jne64_imm},
    {opcode::add64_imm, opcode::jeq64_imm}, {opcode::add32_imm, opcode::jne32_imm},
#endif
};

static_assert(first_fusion + std::size(fusions) <= spare_opcodes.size());
static_assert([] {
    constexpr auto is = [](std::uint8_t entry, std::uint8_t first, std::uint8_t second) {
        const fusion f = fusions[spare_number(entry) - first_fusion];
        return f.first == first && f.second == second;
    };
    return is(copied_left32, opcode::mov32_reg, opcode::lsh32_imm) &&
           is(copied_right32, opcode::mov32_reg, opcode::rsh32_imm) && is(in_table, opcode::lddw, opcode::add64_reg) &&
           (for_size || is(copied_right64, opcode::mov64_reg, opcode::rsh64_imm));
}());

// What is first neither accesses memory nor jumps, so that execution always comes to what is second.
static_assert(std::all_of(std::begin(fusions), std::end(fusions), [](fusion f) {
    const std::size_t n = spare_number(f.first);
    if (n != spare_opcodes.size()) return n >= first_fusion && fusions[n - first_fusion].is_packed();
    const auto kind = class_of(f.first);
    return f.first == opcode::lddw || kind == instruction_class::alu || kind == instruction_class::alu64;
}));

// The slot of a second body has the operands of its instruction, even if it begins a fusion itself.
static_assert(std::none_of(std::begin(fusions), std::end(fusions), [](fusion f) {
    return !f.is_packed() && fusion{f.second, 0}.is_packed();
}));

/// The entries that are first in one of them, a bit for each.
inline constexpr auto fusion_starts = [] {
    std::array<std::uint32_t, 8> bits{};
    for (const fusion f : fusions) bits[f.first / 32u] |= 1u << f.first % 32u;
    return bits;
}();

/// Whether there is a body for an entry.
template <rules Rules, bool Prepared>
[[nodiscard]] constexpr bool has_body(std::uint8_t entry) {
    const std::size_t n = spare_number(entry);
    if (n == spare_opcodes.size()) return is_hot<Rules>(entry);
    if (!Prepared || n == 0) return false;
    if (n < first_move) return true;
    if (n < first_fusion) return !for_size;
    if (n - first_fusion >= std::size(fusions)) return false;
    const fusion pair = fusions[n - first_fusion];
    return has_body<Rules, Prepared>(pair.first) && has_body<Rules, Prepared>(pair.second);
}

/// Whether operands have the immediate of an instruction where others have the offset. 32-bit cores
/// read the others from the text; an instruction whose immediate is too long has the shared body.
[[nodiscard]] constexpr bool has_short_immediate(std::uint8_t code) {
    const auto op = arithmetic_of(code);
    return (code & 0x0c) == 0x04 && (code & 3) % 3 == 0 &&
           (op == operation::add || op == operation::mul || op == operation::lsh ||
            op == operation::rsh || op == operation::arsh);
}

/// Whether an instruction jumps by its offset and has no immediate.
[[nodiscard]] constexpr bool jumps_without_immediate(std::uint8_t code) {
    const auto kind = class_of(code);
    return code == opcode::ja || ((kind == instruction_class::jmp || kind == instruction_class::jmp32) &&
                                  (code & 8) != 0 && code != opcode::callx);
}

/// Where the bodies are, by entry: addresses or, `for_size`, distances from one of them.
#if FEMTO_FOR_SIZE
struct body_table {
    const std::int16_t* distances;
    const void* from;

    [[nodiscard]] FEMTO_ALWAYS_INLINE const void* operator[](std::uint32_t entry) const {
        return static_cast<const char*>(from) + distances[entry];
    }
};
#else
using body_table = const void* const*;
#endif

}  // namespace femto::detail
