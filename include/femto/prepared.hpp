// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
#include <femto/memory.hpp>
#include <femto/verifier.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
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
    // offset once more (32). On a 32-bit core both are halves of one word, so that one instruction
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
        case instruction_class::stx: return (code & 0xe0) == 0x60;
        default: return false;
    }
}

/// Two instructions that compilers emit one behind the other and that prepared code executes at once,
/// where both write the same register: a copy or a constant, and an operation on it. The second one
/// keeps its slot, so that jumps to it and faults in it need no care.
struct fusion {
    std::uint8_t first;
    std::uint8_t second;
};
inline constexpr fusion fusions[]{
    {opcode::mov32_reg, opcode::add32_reg}, {opcode::mov32_reg, opcode::add32_imm},
    {opcode::mov32_reg, opcode::lsh32_imm}, {opcode::mov32_reg, opcode::rsh32_imm},
    {opcode::mov32_reg, opcode::and32_imm}, {opcode::mov64_reg, opcode::add64_reg},
    {opcode::mov64_reg, opcode::add64_imm}, {opcode::mov64_reg, opcode::lsh64_imm},
    {opcode::lddw, opcode::add64_reg},
};

// Bodies are listed by opcode. What is not eBPF is listed under opcodes of class ld that no program
// has: 0 for the body of `compact`, frame accesses from 0x20, fusions from 0x80.
inline constexpr std::uint8_t shared_entry = 0;
[[nodiscard]] constexpr std::uint8_t entry_of_fusion(std::size_t n) {
    return static_cast<std::uint8_t>(0x80 + 8 * n);
}
/// The entry of a load or store at a constant offset from r10, by the width and class of `code`.
[[nodiscard]] constexpr std::uint8_t entry_of_frame(std::uint8_t code) {
    return static_cast<std::uint8_t>((code & 0x18) |
                                     (class_of(code) == instruction_class::stx ? 0x20 : 0x40));
}

/// Whether there is a body for an entry.
template <rules Rules, bool Prepared>
[[nodiscard]] constexpr bool has_body(std::uint8_t entry) {
    if (!Prepared || class_of(entry) != instruction_class::ld || entry == opcode::lddw) {
        return is_hot<Rules>(entry);
    }
    if (entry >= 0x20 && entry < 0x60) return true;
    const auto n = (entry - 0x80u) / 8;
    return entry >= 0x80 && n < std::size(fusions) && is_hot<Rules>(fusions[n].first) &&
           is_hot<Rules>(fusions[n].second);
}

/// Whether operands have the immediate of an instruction where others have the offset. 32-bit cores
/// read the others from the text; an instruction whose immediate is too long has the shared body.
[[nodiscard]] constexpr bool has_short_immediate(std::uint8_t code) {
    const auto op = arithmetic_of(code);
    return (code & 0x0c) == 0x04 && (code & 3) % 3 == 0 &&
           (op == operation::add || op == operation::mul || op == operation::lsh ||
            op == operation::rsh || op == operation::arsh);
}

/// Where the bodies are, by entry: addresses or, `for_size`, distances from one of them.
#if FEMTO_FOR_SIZE
struct body_table {
    const std::int16_t* distances;
    const void* from;

    [[nodiscard]] const void* operator[](std::uint32_t entry) const {
        return static_cast<const char*>(from) + distances[entry];
    }
};
#else
using body_table = const void* const*;
#endif

/// Makes prepared code: one pass over verified text, 80 to 150 instructions for each slot.
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
            const instruction i = text[n];
            const bool constant = i.opcode() == opcode::lddw;
            operation_of_slot slot{i};
            const std::size_t behind = n + (constant ? 2u : 1u);
            if (behind < text.size()) slot.fuse(i, text[behind]);
            const std::uint64_t body = reinterpret_cast<std::uintptr_t>(bodies[slot.entry]);
            if constexpr (prepared_instruction::small) {
                code[n].words_[0] = slot.packed() | body << 32;
            } else {
                code[n].words_[0] = slot.packed();
                code[n].words_[1] = body;
            }
            if (constant) {
                ++n;
                code[n].words_[0] = constant_of(i, text[n], n);
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

        explicit operation_of_slot(instruction i)
            : entry{i.opcode()}, dst{i.dst()}, src{i.src()},
              half{has_short_immediate(entry) ? i.imm() : i.offset()}, immediate{i.imm()} {
            const bool copy = entry == opcode::mov32_reg || entry == opcode::mov64_reg;
            const bool load = class_of(entry) == instruction_class::ldx;
            const bool access = (load || class_of(entry) == instruction_class::stx) &&
                                (entry & 0xe0) == 0x60;
            if (access) immediate = half;
            if (access && (load ? src : dst) == 10) entry = entry_of_frame(entry);
            if (!fits(half) || (copy && half != 0)) entry = shared_entry;  // movsx
            if (entry == opcode::lddw && is_host_address(i)) entry = shared_entry;
        }
        void fuse(instruction i, instruction j) {
            if (i.dst() != j.dst() || entry != i.opcode()) return;
            for (std::size_t n = 0; n < std::size(fusions); ++n) {
                if (fusions[n].first != entry || fusions[n].second != j.opcode()) continue;
                const bool from_register = (j.opcode() & 8) != 0;
                if (from_register && j.src() == j.dst()) return;
                const auto third = from_register ? static_cast<std::int32_t>(j.src() * 8) : j.imm();
                if (!fits(third)) return;
                if (entry == opcode::lddw) src = j.src();
                half = third;
                immediate = j.imm();
                entry = entry_of_fusion(n);
                return;
            }
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
