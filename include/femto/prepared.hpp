// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/bodies.hpp>
#include <femto/memory.hpp>
#include <femto/verifier.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace femto {

namespace detail {
template <class Prepared>
struct prepared_form;
template <rules Rules, class Helpers, class Memory>
class preparation;
}  // namespace detail

/// One slot of prepared code: where the machine code for an instruction lies and what it works on.
/// 8 bytes on a 32-bit core, 16 on a 64-bit one.
class prepared_instruction {
    template <class Prepared>
    friend struct detail::prepared_form;
    template <rules Rules, class Helpers, class Memory>
    friend class detail::preparation;

    static constexpr bool small = sizeof(void*) == 4;

    // Operands, then the address. Operands are, from the lowest bit: 8 times dst (8 bits), 8 times
    // src (8), the offset or a short immediate (16), and on 64-bit cores the immediate, or an access's
    // offset or a jump's in bytes (32). On a 32-bit core both are halves of one word, so that one instruction
    // loads them (ldrd).
    std::uint64_t words_[small ? 1 : 2];
};

/// A verified program with code for `dispatch::threaded` beside its text: slot n of the one is slot n
/// of the other. Only `vm::prepare` makes one, for machines of one type; text and code must outlive
/// every use of it.
template <rules Rules, class Helpers, class Memory>
class prepared_program : public verified_program<Rules, Helpers> {
public:
    [[nodiscard]] const prepared_instruction* code() const { return code_; }

private:
    friend class detail::preparation<Rules, Helpers, Memory>;
    prepared_program(const verified_program<Rules, Helpers>& p, const prepared_instruction* code)
        : verified_program<Rules, Helpers>{p}, code_{code} {}

    const prepared_instruction* code_;
};

namespace detail {

/// Makes prepared code: one pass over verified text, 100 to 150 instructions for each slot.
template <rules Rules, class Helpers, class Memory>
class preparation {
public:
    using prepared = prepared_program<Rules, Helpers, Memory>;

    /// `bodies` are those of `threaded` by entry. Errors: no_space.
    /// The span comes by reference since GCC for Arm notes, of a span by value of what is aligned to 8
    /// bytes, that GCC 7 changed how it is passed.
    static result<prepared> make(const verified_program<Rules, Helpers>& p,
                                 const std::span<prepared_instruction>& code,
                                 body_table bodies) {
        const std::span text = p.source().text;
        if (code.size() < text.size()) return fail(errc::no_space, 0, text.size());
        for (std::size_t n = 0; n < text.size(); ++n) {
            operation_of_slot slot{};
            std::size_t behind = n;
            do {  // one place that decodes, and decodes no more than it has to; the last slot begins nothing (proof 5)
                const operation_of_slot next{text[behind]};
                if (behind == n) {
                    slot = next;
                } else if (!slot.fuse(next)) {
                    break;
                }
                behind += next.entry == opcode::lddw ? 2 : 1;
            } while (slot.starts_fusion());
            const std::uint64_t body = reinterpret_cast<std::uintptr_t>(bodies[slot.entry]);
            if constexpr (prepared_instruction::small) {
                code[n].words_[0] = slot.packed() | body << 32;
            } else {
                code[n].words_[0] = slot.packed();
                code[n].words_[1] = body;
            }
            if (text[n].opcode() == opcode::lddw) {
                ++n;
                code[n].words_[0] = constant_of(text[n - 1], text[n], n);
            }
        }
        return prepared{p, code.data()};
    }

private:
    struct operation_of_slot {
        std::uint8_t entry;
        std::uint32_t dst, src;
        std::int32_t half;
        std::int32_t immediate;

        operation_of_slot() = default;
        explicit operation_of_slot(instruction i)
            : entry{i.opcode()}, dst{i.dst()}, src{i.src()},
              half{has_short_immediate(entry) ? i.imm() : i.offset()}, immediate{i.imm()} {
            if (!prepared_instruction::small && jumps_without_immediate(entry)) {
                immediate = half * static_cast<std::int32_t>(sizeof(prepared_instruction));
            }
            const bool load = class_of(entry) == instruction_class::ldx;
            if (load || class_of(entry) == instruction_class::stx) {
                immediate = half;
                if ((entry & 0xe0) == 0x60 && (load ? src : dst) == 10) entry = entry_of_frame(entry);
            }
            if (!fits(half)) entry = shared_entry;
            const bool wide = entry == opcode::mov64_reg;
            if ((wide || entry == opcode::mov32_reg) && half != 0) {
                entry = for_size ? shared_entry : entry_of_move(wide, static_cast<std::uint32_t>(half));
            }
            if (entry == opcode::lddw && is_host_address(i)) entry = shared_entry;
        }
        [[nodiscard]] bool starts_fusion() const {
            return (fusion_starts[entry / 32u] >> entry % 32u & 1u) != 0;
        }
        /// Adds what is behind. False if no body executes both.
        bool fuse(const operation_of_slot& next) {
            for (const fusion& both : fusions) {
                if (both.first != entry || both.second != next.entry) continue;
                if (both.is_packed() && !pack(next)) return false;
                entry = entry_of_fusion(static_cast<std::size_t>(&both - fusions));
                return true;
            }
            return false;
        }
        bool pack(const operation_of_slot& next) {
            const bool from_register = (next.entry & 8) != 0;
            if (dst != next.dst || (from_register && next.src == next.dst)) return false;
            const auto third = from_register ? static_cast<std::int32_t>(next.src * 8) : next.immediate;
            if (!fits(third)) return false;
            if (entry == opcode::lddw) src = next.src;
            half = third;
            immediate = next.immediate;
            return true;
        }
        [[nodiscard]] std::uint64_t packed() const {
            std::uint64_t all = dst * 8 | src * 8 << 8 | static_cast<std::uint32_t>(half) << 16;
            if constexpr (!prepared_instruction::small) {
                all |= std::uint64_t{static_cast<std::uint32_t>(immediate)} << 32;
            }
            return all;
        }
        static bool fits(std::int32_t value) {
            return !prepared_instruction::small || value == static_cast<std::int16_t>(value);
        }
    };

    /// Whether a lddw loads what is known only to the memory of a run.
    static constexpr bool is_host_address(instruction i) {
        return Memory::space == address_space::flat && i.src() != 0 && i.src() != 4;
    }
    /// What the lddw before slot `n` loads.
    static constexpr std::uint64_t constant_of(instruction i, instruction behind, std::size_t n) {
        const auto low = static_cast<std::uint32_t>(i.imm());
        const auto high = static_cast<std::uint32_t>(behind.imm());
        switch (i.src()) {
            case 0: return low | std::uint64_t{high} << 32;
            case 4: return code_address(static_cast<std::uint32_t>(n) + low);
            default: return segmented_address(region_number::rodata + low) + high;
        }
    }
};

}  // namespace detail

}  // namespace femto
