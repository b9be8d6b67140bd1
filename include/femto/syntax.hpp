// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/isa.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace femto {

/// Two ways to write an instruction as text.
enum class syntax : std::uint8_t {
    llvm,      ///< `r1 += 0x2`, as LLVM's assembler reads and llvm-objdump prints
    mnemonic,  ///< `add r1, 2`, as uBPF and the public conformance suite have it
};

/// The text of an instruction with places for its fields, each written as % and a letter:
///   D, d  destination as r or w     S, s  source as r or w     I  immediate
///   e     destination, f source: w is printed, r is read, too, as LLVM did before cpu v3
///   O     jump by offset            J     jump or call by immediate
///   M     memory offset with sign (llvm)    m  the same, left out if 0 (mnemonic)
///   L     64-bit immediate          U     immediate as unsigned word
struct syntax_pattern {
    std::array<char, 48> text{};
    std::size_t size = 0;

    constexpr syntax_pattern& operator+=(std::string_view more) {
        for (const char c : more) text[size++] = c;
        return *this;
    }
    [[nodiscard]] constexpr std::string_view view() const { return {text.data(), size}; }
};

namespace detail {

/// How LLVM writes an operation; an assignment's = follows arithmetic.
[[nodiscard]] constexpr std::string_view operator_of(operation op) {
    switch (op) {
        case operation::add: return "+";
        case operation::sub: return "-";
        case operation::mul: return "*";
        case operation::div: return "/";
        case operation::sdiv: return "s/";
        case operation::mod: return "%";
        case operation::smod: return "s%";
        case operation::or_: return "|";
        case operation::and_: return "&";
        case operation::xor_: return "^";
        case operation::lsh: return "<<";
        case operation::rsh: return ">>";
        case operation::arsh: return "s>>";
        case operation::jeq: return "==";
        case operation::jne: return "!=";
        case operation::jgt: return ">";
        case operation::jge: return ">=";
        case operation::jlt: return "<";
        case operation::jle: return "<=";
        case operation::jset: return "&";
        case operation::jsgt: return "s>";
        case operation::jsge: return "s>=";
        case operation::jslt: return "s<";
        case operation::jsle: return "s<=";
        default: return "";
    }
}

/// The name of an operation without the LLVM prefix of its instruction, for atomics.
[[nodiscard]] constexpr std::string_view fetch_name_of(operation op) {
    switch (op) {
        case operation::add: return "add";
        case operation::or_: return "or";
        case operation::and_: return "and";
        default: return "xor";
    }
}

[[nodiscard]] constexpr std::string_view memory_type_of(std::uint8_t opcode, bool is_signed) {
    switch (access_width(opcode)) {
        case 1: return is_signed ? "s8" : "u8";
        case 2: return is_signed ? "s16" : "u16";
        case 4: return is_signed ? "s32" : "u32";
        default: return "u64";
    }
}

[[nodiscard]] constexpr syntax_pattern atomic_pattern(const instruction_info& row) {
    const bool wide = access_width(row.opcode) == 8;
    const std::string_view source = wide ? "%S" : "%f";
    syntax_pattern p;
    if (row.operation == operation::xchg) {
        p += source;
        p += wide ? " = xchg_64(%D%M, " : " = xchg32_32(%D%M, ";
        p += source;
        return p += ")";
    }
    if (row.operation == operation::cmpxchg) {
        p += wide ? "r0 = cmpxchg_64(%D%M, r0, " : "w0 = cmpxchg32_32(%D%M, w0, ";
        p += source;
        return p += ")";
    }
    if ((row.selector & 1) != 0) {
        p += source;
        p += " = atomic_fetch_";
        p += fetch_name_of(row.operation);
        p += wide ? "((u64 *)(%D%M), " : "((u32 *)(%D%M), ";
        p += source;
        return p += ")";
    }
    p += wide ? "lock *(u64 *)(%D%M) " : "lock *(u32 *)(%D%M) ";
    p += operator_of(row.operation);
    p += "= ";
    return p += source;
}

[[nodiscard]] constexpr syntax_pattern llvm_pattern(const instruction_info& row) {
    const auto kind = class_of(row.opcode);
    const bool narrow = kind == instruction_class::alu || kind == instruction_class::jmp32;
    const std::string_view to = narrow ? "%d" : "%D";
    const std::string_view from = narrow ? "%s" : "%S";
    const bool word = access_width(row.opcode) < 8;
    syntax_pattern p;
    switch (row.format) {
        case format::alu_imm:
        case format::alu_reg:
            p += to;
            p += " ";
            p += row.operation == operation::movsx ? "" : operator_of(row.operation);
            p += "= ";
            if (row.operation == operation::movsx) {
                p += row.selector == 8 ? "(s8)" : row.selector == 16 ? "(s16)" : "(s32)";
            }
            return p += row.format == format::alu_imm ? "%I" : from;
        case format::unary:
            p += to;
            p += " = -";
            return p += to;
        case format::swap:
            p += "%D = ";
            p += row.operation == operation::bswap ? "bswap"
                 : row.operation == operation::be  ? "be"
                                                   : "le";
            p += row.selector == 16 ? "16 " : row.selector == 32 ? "32 " : "64 ";
            return p += "%D";
        case format::jump: return p += "goto %O";
        case format::jump_long: return p += "gotol %J";
        case format::branch_imm:
        case format::branch_reg:
            p += "if ";
            p += to;
            p += " ";
            p += operator_of(row.operation);
            p += " ";
            p += row.format == format::branch_imm ? "%I" : from;
            return p += " goto %O";
        case format::call: return p += "call %I";
        case format::call_register: return p += "callx %D";
        case format::exit: return p += "exit";
        case format::load_imm64:
            if (row.selector == 0) return p += "%D = %L ll";
            p += "ld_pseudo\t%D, 0x";
            p += std::string_view{"0123456"}.substr(row.selector, 1);
            return p += ", %U";
        case format::load:
            p += word && row.operation == operation::ldx ? "%e = *(" : "%D = *(";
            p += memory_type_of(row.opcode, row.operation == operation::ldxs);
            return p += " *)(%S%M)";
        case format::store_imm:
        case format::store_reg:
            p += "*(";
            p += memory_type_of(row.opcode, false);
            p += " *)(%D%M) = ";
            return p += row.format == format::store_imm ? "%I" : word ? "%f" : "%S";
        case format::atomic: return atomic_pattern(row);
        case format::legacy:
            p += "r0 = *(";
            p += memory_type_of(row.opcode, false);
            return p += (row.opcode & 0xe0) == 0x40 ? " *)skb[%S]" : " *)skb[%I]";
    }
    return p;
}

[[nodiscard]] constexpr syntax_pattern mnemonic_pattern(const instruction_info& row) {
    syntax_pattern p;
    p += row.mnemonic;
    switch (row.format) {
        case format::alu_imm: return p += " %D, %I";
        case format::alu_reg: return p += " %D, %S";
        case format::unary:
        case format::swap: return p += " %D";
        case format::jump: return p += " %O";
        case format::jump_long: return p += " %J";
        case format::branch_imm: return p += " %D, %I, %O";
        case format::branch_reg: return p += " %D, %S, %O";
        case format::call: return p += row.selector == 1 ? " %J" : " %I";
        case format::call_register: return p += " %D";
        case format::exit: return p;
        case format::load_imm64: return p += " %D, %L";
        case format::load: return p += " %D, [%S%m]";
        case format::store_imm: return p += " [%D%m], %I";
        case format::store_reg:
        case format::atomic: return p += " [%D%m], %S";
        case format::legacy: return p += (row.opcode & 0xe0) == 0x40 ? " %S" : " %I";
    }
    return p;
}

}  // namespace detail

/// The text of instructions of `row`, derived from its format and operation.
[[nodiscard]] constexpr syntax_pattern pattern_of(const instruction_info& row, syntax s) {
    return s == syntax::llvm ? detail::llvm_pattern(row) : detail::mnemonic_pattern(row);
}

}  // namespace femto
