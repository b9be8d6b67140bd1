// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/helper.hpp>
#include <femto/isa.hpp>
#include <femto/opcode_table.hpp>
#include <femto/program.hpp>
#include <femto/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace femto {

/// What a program is verified against.
struct rules {
    group allowed = groups::all;
    std::uint32_t max_instructions = 4096;  ///< slots of text
    std::uint16_t stack_size = 512;         ///< bytes for the frames of all functions
    std::uint8_t max_call_depth = 8;        ///< nested local calls, at most 60
};

/// Bytes of scratch that `verify` needs: one for each slot. They must live as long as the program is
/// used, since they say where functions begin (callx checks its target against them).
[[nodiscard]] constexpr std::size_t scratch_size(const program& p) { return p.text.size(); }

/// The slot at which a run begins; only a `verified_program` makes one.
class entry_point {
public:
    [[nodiscard]] constexpr std::uint32_t pc() const { return pc_; }

private:
    template <rules, class>
    friend class verified_program;
    constexpr explicit entry_point(std::uint32_t pc) : pc_{pc} {}
    std::uint32_t pc_;
};

namespace detail {
template <rules Rules, class Helpers>
class verification;

/// Marks in the scratch: one byte for each slot.
namespace mark {
inline constexpr std::uint8_t continuation = 0x80;  ///< second slot of lddw
inline constexpr std::uint8_t entry = 0x40;         ///< first slot of a function
inline constexpr std::uint8_t state = 0x3f;         ///< of a function: see below
inline constexpr std::uint8_t unvisited = 0;
inline constexpr std::uint8_t in_progress = 1;
inline constexpr std::uint8_t done = 2;  ///< plus the height of the calls below it
}  // namespace mark
}  // namespace detail

/// A program for which `verify` has proved, and the interpreter relies on, that
///  1. every opcode is defined, in an allowed group, with every field as RFC 9669 wants it,
///  2. register numbers are at most 10 and r10 is never written,
///  3. every jump leads to an instruction of the same function, never into a lddw,
///  4. every local call and every lddw of a code address leads to the start of a function,
///  5. no function runs past its end,
///  6. every helper called by number is in the set and granted,
///  7. local calls do not recurse, nest at most `max_call_depth` deep, and their frames of
///     `frame_size` bytes each fit the stack; calls through registers are counted at run time,
///  8. accesses through r10 at a constant offset lie inside the frame.
/// Everything else (other addresses, callx targets, fuel) is checked at run time.
template <rules Rules, class Helpers>
class verified_program {
public:
    [[nodiscard]] constexpr const program& source() const { return program_; }
    [[nodiscard]] constexpr std::uint16_t frame_size() const { return frame_size_; }
    [[nodiscard]] constexpr std::uint8_t call_depth() const { return call_depth_; }
    [[nodiscard]] constexpr std::uint64_t granted() const { return granted_; }

    /// Whether a function begins at `pc`.
    [[nodiscard]] constexpr bool is_function(std::uint64_t pc) const {
        return pc < program_.text.size() && (marks_[pc] & detail::mark::entry) != 0;
    }
    /// The first function of the program.
    [[nodiscard]] constexpr entry_point entry() const {
        return entry_point{program_.functions.empty() ? 0 : program_.functions.front().start};
    }
    /// The function called `name`. Errors: unknown_function.
    [[nodiscard]] constexpr result<entry_point> entry(std::string_view name) const {
        for (const auto& f : program_.functions) {
            if (f.name == name) return entry_point{f.start};
        }
        return fail(errc::unknown_function);
    }

    /// Function number `n` of the program, which has as many; slot 0 if it names none.
    [[nodiscard]] constexpr entry_point entry(std::size_t n) const {
        return entry_point{program_.functions.empty() ? 0 : program_.functions[n].start};
    }

    /// The same program, granted other helpers: of what was proved, only proof 6 depends on them, so
    /// only calls are looked at. Errors: illegal_call.
    [[nodiscard]] constexpr result<verified_program> granting(std::uint64_t granted) const {
        verified_program other = *this;
        other.granted_ = granted;
        if ((granted_ & ~granted) == 0) return other;
        for (std::uint32_t pc = 0; pc < program_.text.size(); ++pc) {
            const instruction i = program_.text[pc];  // a second slot of lddw has opcode 0
            const auto id = static_cast<std::uint32_t>(i.imm());
            if (i.opcode() == 0x85 && i.src() == 0 &&
                (Helpers::bit_of(id) & granted) == 0) {
                return fail(errc::illegal_call, pc, id);
            }
        }
        return other;
    }

private:
    friend class detail::verification<Rules, Helpers>;
    constexpr verified_program(const program& p, const std::uint8_t* marks, std::uint64_t granted)
        : program_{p}, granted_{granted}, marks_{marks} {}

    program program_;
    std::uint64_t granted_;
    const std::uint8_t* marks_;
    std::uint16_t frame_size_ = 0;
    std::uint8_t call_depth_ = 0;
};

namespace detail {

template <rules Rules, class Helpers>
class verification {
    static_assert(Rules.max_call_depth <= 60, "femto: max_call_depth is at most 60");
    static_assert(Rules.max_instructions <= 0x80000000, "femto: max_instructions is at most 2^31");
    static_assert(Rules.stack_size % 8 == 0, "femto: stack_size is a multiple of 8");
    using verified = verified_program<Rules, Helpers>;

public:
    static constexpr result<verified> verify(const program& p, std::span<std::uint8_t> scratch,
                                             std::uint64_t granted) {
        result<verified> proved{verified{p, scratch.data(), granted}};
        verification v{*proved, scratch};
        errc code = v.length(scratch.size());
        if (code == errc::ok) code = v.instructions();
        if (code == errc::ok) code = v.functions();
        if (code == errc::ok) code = v.calls();
        if (code == errc::ok) code = v.stack();
        if (code != errc::ok) proved = fail(code, v.pc_, v.low_ | std::uint64_t{v.high_} << 32);
        return proved;
    }

private:
    constexpr verification(verified& proved, std::span<std::uint8_t> scratch)
        : proved_{proved}, text_{proved.program_.text.data()}, marks_{scratch.data()},
          size_{static_cast<std::uint32_t>(proved.program_.text.size())} {}

    // A check returns what it found; the slot is `pc_`, and the offending value noted on the way: most
    // are one word.
    constexpr errc refuse(errc code, std::uint32_t value) {
        low_ = value;
        return code;
    }
    constexpr errc refuse_signed(errc code, std::int64_t value) {
        high_ = static_cast<std::uint32_t>(value >> 32);
        return refuse(code, static_cast<std::uint32_t>(value));
    }

    constexpr errc length(std::size_t scratch) {
        const std::size_t size = proved_.program_.text.size();
        if (size == 0 || size > Rules.max_instructions || size > scratch) {
            return refuse_signed(errc::illegal_length, static_cast<std::int64_t>(size));
        }
        for (std::uint32_t n = 0; n < size_; ++n) marks_[n] = 0;
        marks_[0] = mark::entry;
        for (const auto& f : proved_.program_.functions) {
            if (f.start >= size_) return refuse(errc::illegal_call, f.start);
            marks_[f.start] = mark::entry;
        }
        return errc::ok;
    }

    // First pass: each instruction by itself (proofs 1, 2, 6, 8), marks for the second.
    constexpr errc instructions() {
        for (; pc_ < size_; ++pc_) {
            const instruction i = text_[pc_];
            errc code = fields(i);
            if (code == errc::ok) code = meaning(i);
            if (code == errc::ok && names_function(i)) {
                const std::uint32_t to = target(i.imm());
                if (to < size_) {
                    marks_[to] |= mark::entry;
                } else {
                    code = refuse_target(errc::illegal_call, i.imm());
                }
            }
            if (code != errc::ok) return code;
            if (class_of(i.opcode()) == instruction_class::ld) ++pc_;
        }
        return errc::ok;
    }

    constexpr errc fields(instruction i) {
        const auto& table = opcodes<Rules.allowed>;
        const opcode_shape shape = table[i.opcode()];
        if (shape.refusal() != errc::ok) return refuse(shape.refusal(), i.opcode());
        const std::uint32_t dst = i.dst();
        const std::uint32_t src = i.src();
        if (dst > 10 || (src > 10 && !shape.has(shape.source_selects))) {
            return refuse(errc::illegal_register, std::max(dst, src));
        }
        std::uint32_t unused = 0;
        if (shape.has(shape.no_destination)) unused |= dst;
        if (shape.has(shape.no_source)) unused |= src;
        if (shape.has(shape.no_offset)) unused |= static_cast<std::uint32_t>(i.offset());
        if (shape.has(shape.no_immediate)) unused |= static_cast<std::uint32_t>(i.imm());
        if (unused != 0) return errc::nonzero_field;
        std::uint32_t selector = 0;
        if (shape.has(shape.source_selects)) selector = src;
        if (shape.has(shape.offset_selects)) selector = static_cast<std::uint32_t>(i.offset());
        if (shape.has(shape.immediate_selects)) selector = static_cast<std::uint32_t>(i.imm());
        if (!table.has_variant(shape, selector)) return refuse(errc::undefined_variant, selector);
        if (dst == 10 && shape.has(shape.writes_destination)) return errc::frame_pointer_write;
        return errc::ok;
    }

    /// What classes ask for beyond the use of their fields.
    constexpr errc meaning(instruction i) {
        switch (class_of(i.opcode())) {
            case instruction_class::ld: return load_imm64(i);
            case instruction_class::ldx: return access(i, i.src());
            case instruction_class::stx:
                // Fetching operations write the source, compare-and-exchange writes r0.
                if (i.opcode() >= opcode::atomic_add32 && i.src() == 10 && (i.imm() & 1) != 0 && i.imm() != 0xf1) {
                    return errc::frame_pointer_write;
                }
                [[fallthrough]];
            case instruction_class::st: return access(i, i.dst());
            case instruction_class::jmp: return call(i);
            case instruction_class::alu64: frame_address(i); [[fallthrough]];
            default: return errc::ok;
        }
    }

    constexpr errc load_imm64(instruction i) {
        if (pc_ + 1 >= size_ || text_[pc_ + 1].fields != 0) return errc::incomplete_load;
        marks_[pc_ + 1] |= mark::continuation;
        switch (i.src()) {
            case 0: return errc::ok;
            case 2:
            case 6:
                if (i.imm() == 0 || i.imm() == 1) return errc::ok;
                return refuse(errc::undefined_variant, static_cast<std::uint32_t>(i.imm()));
            case 4: return text_[pc_ + 1].imm() == 0 ? errc::ok : errc::nonzero_field;
            default: return refuse(errc::unsupported_instruction, i.src());
        }
    }

    constexpr errc call(instruction i) {
        const auto imm = static_cast<std::uint32_t>(i.imm());
        if (i.opcode() == opcode::call_helper) {
            if (i.src() == 2) return refuse(errc::unsupported_instruction, 2);
            if (i.src() == 0 && (Helpers::bit_of(imm) & proved_.granted_) == 0) {
                return refuse(errc::illegal_call, imm);
            }
        } else if (i.opcode() == opcode::callx) {
            // clang up to 18 puts the register into the immediate, later ones into dst.
            if (imm != 0 && i.dst() != 0) return errc::nonzero_field;
            if (imm > 10) return refuse(errc::illegal_register, imm);
        }
        return errc::ok;
    }

    constexpr errc access(instruction i, std::uint32_t base) {
        if (base == 10) {
            const auto width = static_cast<std::int32_t>(access_width(i.opcode()));
            if (i.offset() > -width || i.offset() < -std::int32_t{Rules.stack_size}) {
                return refuse_signed(errc::illegal_stack_access, i.offset());
            }
            grow_frame(-i.offset());
        }
        return errc::ok;
    }

    /// `rX = r10; rX += -n` is how compilers take the address of a variable in the frame. It makes
    /// the frame large enough; what is done with the address is checked at run time.
    constexpr void frame_address(instruction i) {
        if (i.opcode() == opcode::add64_imm && pc_ != 0 &&
            text_[pc_ - 1].fields == instruction::make(opcode::mov64_reg, i.dst(), 10).fields &&
            i.imm() < 0 && i.imm() >= -std::int32_t{Rules.stack_size}) {
            grow_frame(-i.imm());
        }
    }

    constexpr void grow_frame(std::int32_t bytes) {
        if (bytes > proved_.frame_size_) {
            proved_.frame_size_ = static_cast<std::uint16_t>((bytes + 7) & ~7);
            deepest_ = pc_;
        }
    }

    /// Local calls and lddw of a code address.
    static constexpr bool names_function(instruction i) {
        const std::uint32_t opcode_and_source = instruction::guest(i.fields) & 0xf0ff;
        return opcode_and_source == (opcode::call_local | 1u << 12) ||
               opcode_and_source == (opcode::lddw_code | 4u << 12);
    }

    /// Jumps and calls count from the next slot. Modulo 2^32: the true sum is above -2^31 and below
    /// 2^31 + size <= 2^32, so a negative one becomes at least 2^31, which is no slot.
    constexpr std::uint32_t target(std::int32_t distance) const {
        return pc_ + 1 + static_cast<std::uint32_t>(distance);
    }
    constexpr errc refuse_target(errc code, std::int32_t distance) {
        return refuse_signed(code, std::int64_t{pc_} + 1 + distance);
    }

    // Second pass: each function from its first slot to the next one's (proofs 3, 4, 5).
    constexpr errc functions() {
        for (const auto& f : proved_.program_.functions) {
            pc_ = f.start;
            if ((marks_[pc_] & mark::continuation) != 0) return refuse(errc::jump_into_load, pc_);
        }
        std::uint32_t end = 0;
        do {
            const std::uint32_t begin = end;
            while (!ends(++end)) {}
            std::uint8_t last = 0;
            std::uint32_t last_pc = 0;
            for (pc_ = begin; pc_ < end; ++pc_) {
                if ((marks_[pc_] & mark::continuation) != 0) continue;
                const instruction i = text_[pc_];
                last = i.opcode();
                last_pc = pc_;
                std::uint32_t to = 0;
                if (is_jump(last)) {
                    const std::int32_t distance = last == opcode::gotol ? i.imm() : i.offset();
                    to = target(distance);
                    if (to < begin || to >= end) return refuse_target(errc::illegal_jump, distance);
                } else if (names_function(i)) {
                    to = target(i.imm());
                } else {
                    continue;
                }
                if ((marks_[to] & mark::continuation) != 0) {
                    return refuse(errc::jump_into_load, to);
                }
            }
            if (last != opcode::exit && last != opcode::ja && last != opcode::gotol) {
                pc_ = last_pc;
                return errc::no_return;
            }
        } while (end < size_);
        return errc::ok;
    }

    /// Whether a function begins, and so the one before it ends, at `pc`.
    [[nodiscard]] constexpr bool ends(std::uint32_t pc) const {
        return pc >= size_ || (marks_[pc] & mark::entry) != 0;
    }

    // Along the calls of each function that is called by none before it (proof 7).
    constexpr errc calls() {
        errc code = errc::ok;
        for (std::uint32_t pc = 0; pc < size_ && code == errc::ok; ++pc) {
            if ((marks_[pc] & mark::entry) != 0) code = descend(pc, 0);
        }
        return code;
    }

    constexpr errc descend(std::uint32_t entry, std::uint32_t depth) {
        if ((marks_[entry] & mark::state) >= mark::done) return errc::ok;
        marks_[entry] = mark::entry | mark::in_progress;
        std::uint32_t height = 0;
        std::uint32_t pc = entry;
        do {
            const instruction i = text_[pc];
            if (i.opcode() != opcode::call_local || i.src() != 1) continue;
            pc_ = pc;
            const std::uint32_t callee = target(i.imm());
            const std::uint32_t state = marks_[callee] & mark::state;
            if (state == mark::in_progress) return refuse(errc::recursion, callee);
            const std::uint32_t below = state >= mark::done ? state - mark::done : 0u;
            if (depth + 1 + below > Rules.max_call_depth) return refuse(errc::call_too_deep, callee);
            const errc code = descend(callee, depth + 1);
            if (code != errc::ok) return code;
            height = std::max<std::uint32_t>(height, (marks_[callee] & mark::state) - mark::done + 1u);
        } while (!ends(++pc));
        marks_[entry] = static_cast<std::uint8_t>(mark::entry | (mark::done + height));
        proved_.call_depth_ = std::max(proved_.call_depth_, static_cast<std::uint8_t>(height));
        return errc::ok;
    }

    constexpr errc stack() {
        pc_ = deepest_;
        const std::uint32_t needed = (proved_.call_depth_ + 1u) * proved_.frame_size_;
        return needed > Rules.stack_size ? refuse(errc::stack_too_small, needed) : errc::ok;
    }

    verified& proved_;
    const instruction* text_;
    std::uint8_t* marks_;
    std::uint32_t size_;
    std::uint32_t pc_ = 0;
    std::uint32_t deepest_ = 0;
    std::uint32_t low_ = 0;   ///< of the offending value
    std::uint32_t high_ = 0;
};

}  // namespace detail

/// Proves what `verified_program` lists, in two passes over the text, or says why it cannot.
/// `scratch` has at least `scratch_size(p)` bytes; `granted` is a set of `Helpers::bit_of` bits.
/// Takes time linear in the text. Reentrant; on a Cortex-M 200 bytes of stack and 32 for each level of
/// local calls, at most `max_call_depth` of them.
/// Errors: error.pc is the slot at fault, error.address the offending value, if there is one.
template <rules Rules, class Helpers>
[[nodiscard]] constexpr result<verified_program<Rules, Helpers>> verify(
    const program& p, std::span<std::uint8_t> scratch, std::uint64_t granted = ~std::uint64_t{0}) {
    return detail::verification<Rules, Helpers>::verify(p, scratch, granted);
}

}  // namespace femto
