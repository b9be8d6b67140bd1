// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace femto {

/// Conformance groups of RFC 9669, section 2.4, as bits; `callx` is LLVM's call by register.
enum class group : std::uint8_t {
    none = 0,
    base32 = 1,
    base64 = 2,
    divmul32 = 4,
    divmul64 = 8,
    atomic32 = 16,
    atomic64 = 32,
    callx = 64,
    packet = 128,  ///< legacy packet access: named, always refused
};

constexpr group operator|(group a, group b) {
    return static_cast<group>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
constexpr group operator&(group a, group b) {
    return static_cast<group>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}
/// Whether every group of `wanted` is in `allowed`.
constexpr bool contains(group allowed, group wanted) {
    return (static_cast<unsigned>(wanted) & ~static_cast<unsigned>(allowed)) == 0;
}

/// Named sets of conformance groups.
namespace groups {
inline constexpr group base = group::base32 | group::base64;
inline constexpr group divmul = group::divmul32 | group::divmul64;
inline constexpr group atomic = group::atomic32 | group::atomic64;
inline constexpr group all = base | divmul | atomic | group::callx;
}  // namespace groups

/// Instruction classes, the low three bits of an opcode (RFC 9669, section 3).
enum class instruction_class : std::uint8_t { ld, ldx, st, stx, alu, jmp, jmp32, alu64 };

/// What an instruction does, apart from widths and operand forms. Arithmetic and jumps have the codes
/// of RFC 9669, sections 4.1 and 4.3, so that an opcode's bits 4 to 7 name them: a variant that the
/// offset selects is 0x10 further, jumps begin at 0x20.
enum class operation : std::uint8_t {
    add, sub, mul, div, or_, and_, lsh, rsh, neg, mod, xor_, mov, arsh,
    sdiv = 0x13, smod = 0x19, movsx = 0x1b, le, be, bswap,
    ja = 0x20, jeq, jgt, jge, jset, jne, jsgt, jsge, call, exit, jlt, jle, jslt, jsle,
    ldx, ldxs, st, stx, xchg, cmpxchg, legacy,
};

/// The arithmetic operation of an ALU or ALU64 opcode, or of the immediate of an atomic one.
[[nodiscard]] constexpr operation arithmetic_of(std::uint32_t code, std::int32_t offset = 0) {
    return static_cast<operation>(((code >> 4) & 15) | (offset != 0 ? 0x10 : 0));
}
/// The condition of a JMP or JMP32 opcode.
[[nodiscard]] constexpr operation condition_of(std::uint32_t opcode) {
    return static_cast<operation>(0x20 + ((opcode >> 4) & 15));
}

/// How an instruction uses one of its fields; see opcodes.def.
enum class use : std::uint8_t { none, read, write, value, jump, selector };

/// Families of instructions that use their fields alike.
enum class format : std::uint8_t {
#define FEMTO_FORMAT(name, destination, source, offset, immediate) name,
#include <femto/opcodes.def>
};

/// Use of the four fields by one `format`.
struct field_rules {
    use destination;
    use source;
    use offset;
    use immediate;
};

inline constexpr std::array rules_of_format{
#define FEMTO_FORMAT(name, destination, source, offset, immediate) \
    field_rules{use::destination, use::source, use::offset, use::immediate},
#include <femto/opcodes.def>
};

[[nodiscard]] constexpr const field_rules& rules_of(format f) {
    return rules_of_format[static_cast<std::size_t>(f)];
}

/// One row of opcodes.def.
struct instruction_info {
    std::string_view name;
    std::uint8_t opcode;
    std::uint8_t selector;
    femto::group group;
    femto::format format;
    femto::operation operation;
    std::string_view mnemonic;
};

/// All instructions, sorted by opcode, then selector. For tools and constant expressions: code on
/// the device must use what is derived from it (`opcode_table`), or pays 5 KiB for the names.
inline constexpr std::array instruction_list{
#define FEMTO_INSTRUCTION(name, opcode, selector, group_, format_, operation_, mnemonic)       \
    instruction_info{#name,           opcode,                 selector, group::group_,         \
                     format::format_, operation::operation_, mnemonic},
#include <femto/opcodes.def>
};

/// The opcode of each row of opcodes.def, by the name of the row.
namespace opcode {
enum : std::uint8_t {
#define FEMTO_INSTRUCTION(name, opcode, selector, group, format, operation, mnemonic) name = opcode,
#include <femto/opcodes.def>
};
}  // namespace opcode

/// Widths of memory accesses, bits 3 and 4 of a load or store opcode, as bytes: 4, 2, 1, 8.
[[nodiscard]] constexpr std::uint32_t access_width(std::uint32_t opcode) {
    return 1u << ((0x17u - opcode) >> 3 & 3);
}

[[nodiscard]] constexpr instruction_class class_of(std::uint8_t opcode) {
    return static_cast<instruction_class>(opcode & 7);
}

[[nodiscard]] constexpr bool is_atomic(std::uint8_t opcode) {
    return (opcode & 0xe7) == 0xc3;
}

/// Whether an instruction jumps inside its function: by the offset, or by the immediate if it is gotol.
[[nodiscard]] constexpr bool is_jump(std::uint8_t opcode) {
    const auto c = class_of(opcode);
    return (c == instruction_class::jmp || c == instruction_class::jmp32) &&
           (opcode & 0xe0) != 0x80;  // call, exit
}
static_assert([] {
    for (const auto& info : instruction_list) {
        const field_rules& uses = rules_of(info.format);
        const use field = info.opcode == opcode::gotol ? uses.immediate : uses.offset;
        if (is_jump(info.opcode) != (field == use::jump)) return false;
    }
    return true;
}());

/// One slot of eBPF text (RFC 9669, section 3), in the order the guest has it: little-endian.
/// Two words, so that a 32-bit core fetches it with one or two loads and extracts fields by shifts.
struct instruction {
    std::uint32_t fields;     ///< opcode, registers, offset
    std::uint32_t immediate;

    [[nodiscard]] static constexpr std::uint32_t guest(std::uint32_t word) {
        if constexpr (std::endian::native == std::endian::big) {
            word = (word >> 24) | ((word >> 8) & 0xff00) | ((word << 8) & 0xff0000) | (word << 24);
        }
        return word;
    }
    [[nodiscard]] static constexpr instruction make(std::uint8_t opcode, unsigned dst = 0,
                                                    unsigned src = 0, std::int32_t offset = 0,
                                                    std::int32_t imm = 0) {
        return {guest(opcode | (dst & 15u) << 8 | (src & 15u) << 12 |
                      (static_cast<std::uint32_t>(offset) & 0xffffu) << 16),
                guest(static_cast<std::uint32_t>(imm))};
    }
    [[nodiscard]] constexpr std::uint8_t opcode() const {
        return static_cast<std::uint8_t>(guest(fields));
    }
    [[nodiscard]] constexpr std::uint32_t dst() const { return (guest(fields) >> 8) & 15u; }
    [[nodiscard]] constexpr std::uint32_t src() const { return (guest(fields) >> 12) & 15u; }
    [[nodiscard]] constexpr std::int32_t offset() const {
        return static_cast<std::int32_t>(guest(fields)) >> 16;
    }
    [[nodiscard]] constexpr std::int32_t imm() const {
        return static_cast<std::int32_t>(guest(immediate));
    }

    friend constexpr bool operator==(const instruction&, const instruction&) = default;
};
static_assert(sizeof(instruction) == 8 && alignof(instruction) <= 4);

/// The field that tells rows with the same opcode apart, 0 where there is none.
[[nodiscard]] constexpr std::uint32_t selector_of(const field_rules& rules, instruction i) {
    if (rules.source == use::selector) return i.src();
    if (rules.offset == use::selector) return static_cast<std::uint32_t>(i.offset());
    if (rules.immediate == use::selector) return static_cast<std::uint32_t>(i.imm());
    return 0;
}

/// The row that an instruction is an instance of, or nullptr. For tools: it searches the list.
[[nodiscard]] constexpr const instruction_info* find_info(instruction i) {
    for (const auto& info : instruction_list) {
        if (info.opcode == i.opcode() && info.selector == selector_of(rules_of(info.format), i)) {
            return &info;
        }
    }
    return nullptr;
}

}  // namespace femto
