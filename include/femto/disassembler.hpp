// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/syntax.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace femto {

/// One disassembled instruction; 64 bytes, enough for every instruction.
struct disassembly {
    std::array<char, 64> characters{};
    std::size_t size = 0;
    std::uint32_t slots = 1;  ///< 2 for lddw

    [[nodiscard]] constexpr std::string_view text() const { return {characters.data(), size}; }
};

namespace detail {

class text_writer {
public:
    constexpr explicit text_writer(disassembly& to) : to_{to} {}

    constexpr void put(char c) {
        if (to_.size < to_.characters.size()) to_.characters[to_.size++] = c;
    }
    constexpr void put(std::string_view s) {
        for (const char c : s) put(c);
    }
    constexpr void number(std::uint64_t value, unsigned base) {
        std::array<char, 20> digits{};
        std::size_t n = 0;
        do {
            digits[n++] = "0123456789abcdef"[value % base];
            value /= base;
        } while (value != 0);
        while (n != 0) put(digits[--n]);
    }
    /// As LLVM prints numbers: sign, 0x, digits.
    constexpr void hex(std::int64_t value) {
        if (value < 0) put('-');
        put("0x");
        number(value < 0 ? 0 - static_cast<std::uint64_t>(value)
                         : static_cast<std::uint64_t>(value), 16);
    }
    constexpr void signed_hex(std::int64_t value) {
        if (value >= 0) put('+');
        hex(value);
    }
    constexpr void reg(char kind, std::uint32_t number_) {
        put(kind);
        number(number_, 10);
    }

private:
    disassembly& to_;
};

}  // namespace detail

/// The instruction at slot `pc` of `text`, which must be below its size, as llvm-objdump 22 prints it
/// (without symbols) or in mnemonics. What is no instruction becomes `<unknown>`, as there.
/// Constexpr, no storage beyond the result; for tools: it searches the list of instructions.
[[nodiscard]] constexpr disassembly disassemble(std::span<const instruction> text,
                                                std::size_t pc, syntax s = syntax::llvm) {
    const instruction i = text[pc];
    disassembly result;
    detail::text_writer out{result};
    const instruction_info* row = find_info(i);
    const bool lddw = row != nullptr && row->format == format::load_imm64;
    if (row == nullptr || (lddw && pc + 1 >= text.size())) {
        out.put("<unknown>");
        return result;
    }
    if (lddw) result.slots = 2;
    const auto low = static_cast<std::uint32_t>(i.imm());
    const auto high = lddw ? static_cast<std::uint32_t>(text[pc + 1].imm()) : 0;
    // clang up to 18 puts the register of callx into the immediate.
    const std::uint32_t dst = row->format == format::call_register && i.dst() == 0
                                  ? low & 15
                                  : i.dst();
    const syntax_pattern pattern = pattern_of(*row, s);
    for (std::size_t n = 0; n < pattern.size; ++n) {
        if (pattern.text[n] != '%' || n + 1 == pattern.size) {
            out.put(pattern.text[n]);
            continue;
        }
        switch (pattern.text[++n]) {
            case 'D': out.reg('r', dst); break;
            case 'd':
            case 'e': out.reg('w', dst); break;
            case 'S': out.reg('r', i.src()); break;
            case 's':
            case 'f': out.reg('w', i.src()); break;
            case 'I': out.hex(i.imm()); break;
            case 'U': out.hex(low); break;
            case 'O': out.signed_hex(i.offset()); break;
            case 'J': out.signed_hex(i.imm()); break;
            case 'L':
                out.hex(static_cast<std::int64_t>(std::uint64_t{high} << 32 | low));
                break;
            case 'M':
                out.put(i.offset() < 0 ? " - " : " + ");
                out.hex(i.offset() < 0 ? -i.offset() : i.offset());
                break;
            case 'm':
                if (i.offset() != 0) out.signed_hex(i.offset());
                break;
            default:  // "%= ": the operator of modulo
                out.put('%');
                --n;
                break;
        }
    }
    return result;
}

}  // namespace femto
