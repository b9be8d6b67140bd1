// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
#include <femto/isa.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <type_traits>

/// The meaning of each operation, written once, as functions on plain values (RFC 9669, sections 4
/// and 5). A dispatcher that passes constants for `op` gets straight-line code; one that passes the
/// opcode's fields gets one shared switch.
namespace femto::semantics {

/// The low `bits` bits of `value`, sign-extended to 64; bits is 8, 16, 32 or 64.
[[nodiscard]] constexpr std::uint64_t sign_extend(std::uint64_t value, std::uint32_t bits) {
    switch (bits) {
        case 8: return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int8_t>(value)});
        case 16: return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int16_t>(value)});
        case 32: return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(value)});
        default: return value;
    }
}

/// The same for 8, 16 or 32 bits.
[[nodiscard]] constexpr std::uint64_t movsx(std::uint64_t value, std::uint32_t bits) {
    const std::uint32_t high = static_cast<std::uint32_t>(value) << (32 - bits);
    return static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(high) >> (32 - bits)});
}

/// Binary arithmetic on T = uint32_t (class ALU) or uint64_t (ALU64), section 4.1: wraps around;
/// division by zero gives 0, modulo by zero leaves `a`, the signed overflow MIN / -1 gives MIN and
/// MIN % -1 gives 0; shift counts are masked to the width.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T alu(operation op, T a, T b) {
    using S = std::make_signed_t<T>;
    constexpr T shift_mask = sizeof(T) * 8 - 1;
    switch (op) {
        case operation::add: return a + b;
        case operation::sub: return a - b;
        case operation::mul: return a * b;
        case operation::or_: return a | b;
        case operation::and_: return a & b;
        case operation::xor_: return a ^ b;
        case operation::lsh: return a << (b & shift_mask);
        case operation::rsh: return a >> (b & shift_mask);
        case operation::arsh: return static_cast<T>(static_cast<S>(a) >> (b & shift_mask));
        case operation::neg: return T{0} - a;
        case operation::div: return b == 0 ? 0 : a / b;
        case operation::mod: return b == 0 ? a : a % b;
        case operation::sdiv:
            if (b == 0) return 0;
            if (b == T{0} - 1) return T{0} - a;  // MIN / -1 wraps to MIN
            return static_cast<T>(static_cast<S>(a) / static_cast<S>(b));
        case operation::smod:
            if (b == 0) return a;
            if (b == T{0} - 1) return 0;
            return static_cast<T>(static_cast<S>(a) % static_cast<S>(b));
        default: return b;  // mov
    }
}

/// The condition of a jump on T = uint32_t (class JMP32) or uint64_t (JMP), section 4.3.
template <std::unsigned_integral T>
[[nodiscard]] constexpr bool compare(operation op, T a, T b) {
    using S = std::make_signed_t<T>;
    switch (op) {
        case operation::jeq: return a == b;
        case operation::jne: return a != b;
        case operation::jgt: return a > b;
        case operation::jge: return a >= b;
        case operation::jlt: return a < b;
        case operation::jle: return a <= b;
        case operation::jset: return (a & b) != 0;
        case operation::jsgt: return static_cast<S>(a) > static_cast<S>(b);
        case operation::jsge: return static_cast<S>(a) >= static_cast<S>(b);
        case operation::jslt: return static_cast<S>(a) < static_cast<S>(b);
        case operation::jsle: return static_cast<S>(a) <= static_cast<S>(b);
        default: return true;
    }
}

/// The low `bits` bits (16, 32 or 64) in reverse byte order, zero-extended.
[[nodiscard]] constexpr std::uint64_t byte_swap(std::uint64_t value, std::uint32_t bits) {
#if defined(__GNUC__)
    if (bits == 64) return __builtin_bswap64(value);
    if (bits == 32) return __builtin_bswap32(static_cast<std::uint32_t>(value));
#endif
    std::uint64_t swapped = 0;
    for (std::uint32_t done = 0; done < bits; done += 8) {
        swapped = swapped << 8 | (value & 0xff);
        value >>= 8;
    }
    return swapped;
}

/// The low `bits` bits (16, 32 or 64), zero-extended.
[[nodiscard]] constexpr std::uint64_t zero_extend(std::uint64_t value, std::uint32_t bits) {
    return value & (~std::uint64_t{0} >> (64 - bits));
}

/// Byte order conversions, section 4.2; `fields` is the first word of the instruction, `bits` is 16, 32 or
/// 64. The guest is little-endian: le truncates.
[[nodiscard]] constexpr std::uint64_t swap(std::uint32_t fields, std::uint64_t value,
                                           std::uint32_t bits) {
    const bool reverse = (fields & 0xff) != opcode::le16;
    if (bits == 64) return reverse ? byte_swap(value, 64) : value;
    auto low = static_cast<std::uint32_t>(value);
    low = reverse ? static_cast<std::uint32_t>(byte_swap(low, 32)) : low << (32 - bits);
    return low >> (32 - bits);
}

/// Makes GCC forget what it knows of `value`, so that it does not make a copy of code for each case.
template <class T>
FEMTO_ALWAYS_INLINE constexpr void forget([[maybe_unused]] T& value) {
#if defined(__GNUC__)
    if (!std::is_constant_evaluated()) asm("" : "+r"(value));
#endif
}

/// Division and modulo for `calculate`, with one division. Signed ones are done on magnitudes.
template <group Allowed>
[[nodiscard]] FEMTO_COLD constexpr std::uint64_t divide(std::uint32_t fields, std::uint64_t a,
                                                        std::uint64_t b) {
    const bool narrow = contains(Allowed, group::divmul32) && (fields & 1) == 0;
    const bool modulo = (fields & 0x80) != 0;
    std::int64_t sign = 0;
    if (fields >> 16 != 0) {
        if (narrow) {
            a = sign_extend(a, 32);
            b = sign_extend(b, 32);
        }
        sign = static_cast<std::int64_t>(modulo ? a : a ^ b);
        if (static_cast<std::int64_t>(a) < 0) a = 0 - a;
        if (static_cast<std::int64_t>(b) < 0) b = 0 - b;
    } else if (narrow) {
        a = static_cast<std::uint32_t>(a);
        b = static_cast<std::uint32_t>(b);
    }
    std::uint64_t quotient = 0;
    if (b != 0) {
        quotient = a / b;
        a = a % b;
    }
    if (!modulo) a = quotient;
    return sign < 0 ? 0 - a : a;
}

/// The three shifts for `calculate`; T is as wide as the operation. Bit 7 of `fields` is arsh, bit 4 rsh.
/// Where bytes count, arsh of a negative number is rsh of its complement.
template <std::unsigned_integral T>
[[nodiscard]] FEMTO_ALWAYS_INLINE constexpr T shift(std::uint32_t fields, T a, T b) {
    const T count = b & (sizeof(T) * 8 - 1);
    if ((fields & 0x90) == 0) return a << count;
    const auto number = static_cast<std::make_signed_t<T>>(a);
    if (!detail::for_size) return (fields & 0x80) == 0 ? a >> count : static_cast<T>(number >> count);
    T sign = 0;
    if ((fields & 0x80) != 0) sign = static_cast<T>(number >> (sizeof(T) * 8 - 1));
    return ((a ^ sign) >> count) ^ sign;
}

/// `alu`, sign-extending moves and byte swaps once more, in the form that takes least code: one body for
/// classes ALU (`narrow`) and ALU64 (tests/unit/semantics.cpp compares them). `fields` is the first word
/// of the instruction. Most operations on 64 bits have the low word of the same operation on words,
/// whatever the high words are.
template <group Allowed>
[[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::uint64_t calculate(std::uint32_t fields, bool narrow,
                                                                    std::uint64_t a, std::uint64_t b,
                                                                    std::int32_t imm) {
    switch (arithmetic_of(fields)) {
        case operation::add: a += b; break;
        case operation::sub: a -= b; break;
        case operation::mul:
            if constexpr ((Allowed & groups::divmul) != group::none) a *= b;
            break;
        case operation::div:
        case operation::mod:
            if constexpr ((Allowed & groups::divmul) != group::none) a = divide<Allowed>(fields, a, b);
            break;
        case operation::or_: a |= b; break;
        case operation::and_: a &= b; break;
        case operation::neg: a = 0 - a; break;
        case operation::xor_: a ^= b; break;
        case operation::mov:
            a = b;
            if (fields >> 16 != 0) a = movsx(b, fields >> 16);
            break;
        case operation::lsh:
        case operation::rsh:
        case operation::arsh:
            if (narrow && !detail::for_size) {
                a = shift(fields, static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
                break;
            }
            if (narrow) {  // as double words
                b &= 31;
                a = (fields & 0x80) != 0 ? sign_extend(a, 32) : static_cast<std::uint32_t>(a);
            }
            a = shift(fields, a, b);
            break;
        default: return swap(fields, a, static_cast<std::uint32_t>(imm));  // bit 3 is the order
    }
    return narrow ? static_cast<std::uint32_t>(a) : a;
}

/// `compare` once more, for the eight orders: bit 4 of `fields` is "or equal", bit 6 "signed", bit 7 "less".
template <std::unsigned_integral T>
[[nodiscard]] FEMTO_ALWAYS_INLINE constexpr bool ordered(std::uint32_t fields, T a, T b) {
    if ((fields & 0x40) != 0) {
        constexpr T sign = T{1} << (sizeof(T) * 8 - 1);
        a ^= sign;
        b ^= sign;
    }
    if (a == b) return (fields & 0x10) != 0;
    if (a > b) fields = ~fields;
    return (fields & 0x80) != 0;
}

/// Which jumps are taken where operands compare as `a` and `b` do: a bit for each value of bits 4 to 7 of the
/// opcode. That of jset is for an operand compared with 0.
[[nodiscard]] constexpr std::uint32_t taken_at(std::uint32_t a, std::uint32_t b) {
    std::uint32_t taken = 0;
    for (std::uint32_t code = 0; code < 14; ++code) {
        operation condition = condition_of(code << 4);
        if (condition == operation::jset) condition = operation::jne;
        if (compare(condition, a, b)) taken |= 1u << code;
    }
    return taken;
}

/// `compare` once more, for both widths and all jumps but calls and exits; jset gets `a & b` and 0. Words
/// decide, unless the high ones are equal.
[[nodiscard]] FEMTO_ALWAYS_INLINE constexpr bool holds(std::uint32_t fields, std::uint64_t a, std::uint64_t b) {
    auto x = static_cast<std::uint32_t>(a >> 32);
    auto y = static_cast<std::uint32_t>(b >> 32);
    if ((fields & 1) == 0) {
        x = static_cast<std::uint32_t>(a);
        y = static_cast<std::uint32_t>(b);
    }
    if ((fields & 0x40) != 0) {
        x ^= 0x80000000;
        y ^= 0x80000000;
    }
    if (x == y) {
        x = static_cast<std::uint32_t>(a);
        y = static_cast<std::uint32_t>(b);
    }
    constexpr std::uint32_t equal = taken_at(0, 0);
    constexpr std::uint32_t less = taken_at(0, 1);
    constexpr std::uint32_t greater = taken_at(1, 0);
    std::uint32_t taken = equal;
    if (x < y) taken = less;
    if (x > y) taken = greater;
    return (taken >> (fields >> 4 & 15) & 1) != 0;
}

}  // namespace femto::semantics
