// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/helper.hpp>
#include <femto/isa.hpp>
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

/// What the verifier knows of an opcode: the use of its fields and the variants that exist.
/// Opcodes with equal entries share one, so that the table costs 256 bytes and 16 for each shape.
struct opcode_shape {
    errc refusal = errc::illegal_instruction;
    femto::format format{};
    std::uint8_t variants = 0;
    std::array<std::uint8_t, 12> selectors{};

    friend constexpr bool operator==(const opcode_shape&, const opcode_shape&) = default;
};

struct opcode_table {
    std::array<opcode_shape, 32> shapes{};
    std::array<std::uint8_t, 256> shape_of{};

    [[nodiscard]] constexpr const opcode_shape& operator[](std::uint8_t opcode) const {
        return shapes[shape_of[opcode]];
    }
};

constexpr opcode_table make_opcode_table(group allowed) {
    opcode_table table;
    std::size_t used = 1;  // shape 0: undefined opcode
    std::size_t row = 0;
    while (row < instruction_list.size()) {
        const std::uint8_t opcode = instruction_list[row].opcode;
        opcode_shape shape;
        for (; row < instruction_list.size() && instruction_list[row].opcode == opcode; ++row) {
            const auto& info = instruction_list[row];
            if (info.group == group::packet) {
                shape.refusal = errc::unsupported_instruction;
            } else if (!contains(allowed, info.group)) {
                if (shape.variants == 0) shape.refusal = errc::unsupported_group;
            } else {
                shape.refusal = errc::ok;
                shape.format = info.format;
                shape.selectors[shape.variants++] = info.selector;
            }
        }
        std::size_t i = 0;
        while (i < used && !(table.shapes[i] == shape)) ++i;
        if (i == used) table.shapes[used++] = shape;
        table.shape_of[opcode] = static_cast<std::uint8_t>(i);
    }
    return table;
}

template <group Allowed>
inline constexpr opcode_table opcodes = make_opcode_table(Allowed);

template <rules Rules, class Helpers>
class verification {
    static_assert(Rules.max_call_depth <= 60, "femto: max_call_depth is at most 60");

public:
    constexpr verification(const program& p, std::span<std::uint8_t> scratch,
                           std::uint64_t granted)
        : text_{p.text}, marks_{scratch}, verified_{p, scratch.data(), granted} {}

    constexpr result<verified_program<Rules, Helpers>> run() {
        const bool proved = length() && instructions() && functions() && stack();
        if (!proved) return failure{error_};
        return verified_;
    }

private:
    constexpr bool refuse(errc code, std::size_t pc, std::uint64_t address = 0) {
        error_ = {code, static_cast<std::uint32_t>(pc), address};
        return false;
    }

    constexpr bool length() {
        const std::size_t size = text_.size();
        if (size == 0 || size > Rules.max_instructions || size > marks_.size()) {
            return refuse(errc::illegal_length, 0, size);
        }
        std::fill_n(marks_.begin(), size, std::uint8_t{0});
        marks_[0] = mark::entry;
        for (const auto& f : verified_.program_.functions) {
            if (!enter(f.start)) return refuse(errc::illegal_call, 0, f.start);
        }
        return true;
    }

    /// Marks the start of a function; false if it lies outside the text.
    constexpr bool enter(std::uint64_t pc) {
        if (pc >= text_.size()) return false;
        marks_[index(pc)] |= mark::entry;
        return true;
    }

    // First pass: each instruction by itself (proofs 1, 2, 6, 8), marks for the second.
    constexpr bool instructions() {
        for (std::size_t pc = 0; pc < text_.size(); ++pc) {
            const auto& shape = opcodes<Rules.allowed>[text_[pc].opcode()];
            if (shape.refusal != errc::ok) {
                return refuse(shape.refusal, pc, text_[pc].opcode());
            }
            if (!fields(pc, shape) || !special(pc, shape.format)) return false;
            if (shape.format == format::load_imm64) ++pc;
        }
        return true;
    }

    constexpr bool fields(std::size_t pc, const opcode_shape& shape) {
        const instruction i = text_[pc];
        const field_rules& uses = rules_of(shape.format);
        if (i.dst() > 10 || (i.src() > 10 && uses.source != use::selector)) {
            return refuse(errc::illegal_register, pc, std::max(i.dst(), i.src()));
        }
        if ((uses.destination == use::none && i.dst() != 0) ||
            (uses.source == use::none && i.src() != 0) ||
            (uses.offset == use::none && i.offset() != 0) ||
            (uses.immediate == use::none && i.imm() != 0)) {
            return refuse(errc::nonzero_field, pc);
        }
        const std::uint32_t selector = selector_of(uses, i);
        const auto* last = shape.selectors.begin() + shape.variants;
        if (std::find(shape.selectors.begin(), last, selector) == last) {
            return refuse(errc::undefined_variant, pc, selector);
        }
        if (uses.destination == use::write && i.dst() == 10) {
            return refuse(errc::frame_pointer_write, pc);
        }
        return true;
    }

    /// What formats ask for beyond the use of their fields.
    constexpr bool special(std::size_t pc, format f) {
        const instruction i = text_[pc];
        switch (f) {
            case format::load_imm64: return load_imm64(pc);
            case format::call: return call(pc);
            case format::call_register:
                // clang up to 18 puts the register into the immediate, later ones into dst.
                if (i.imm() != 0 && i.dst() != 0) return refuse(errc::nonzero_field, pc);
                if (i.imm() < 0 || i.imm() > 10) {
                    return refuse(errc::illegal_register, pc, static_cast<std::uint32_t>(i.imm()));
                }
                return true;
            case format::load: return access(pc, i.src());
            case format::atomic:
                // Fetching operations write the source, compare-and-exchange writes r0.
                if (i.src() == 10 && (i.imm() & 1) != 0 && i.imm() != 0xf1) {
                    return refuse(errc::frame_pointer_write, pc);
                }
                return access(pc, i.dst());
            case format::store_imm:
            case format::store_reg: return access(pc, i.dst());
            case format::alu_imm: return frame_address(pc);
            default: return true;
        }
    }

    constexpr bool load_imm64(std::size_t pc) {
        if (pc + 1 >= text_.size() || text_[pc + 1].fields != 0) {
            return refuse(errc::incomplete_load, pc);
        }
        marks_[pc + 1] |= mark::continuation;
        const instruction i = text_[pc];
        switch (i.src()) {
            case 0: return true;
            case 2:
            case 6:
                if (i.imm() == 0 || i.imm() == 1) return true;
                return refuse(errc::undefined_variant, pc, static_cast<std::uint32_t>(i.imm()));
            case 4:
                if (text_[pc + 1].imm() != 0) return refuse(errc::nonzero_field, pc);
                if (enter(target(pc, i.imm()))) return true;
                return refuse(errc::illegal_call, pc, target(pc, i.imm()));
            default: return refuse(errc::unsupported_instruction, pc, i.src());
        }
    }

    constexpr bool call(std::size_t pc) {
        const instruction i = text_[pc];
        switch (i.src()) {
            case 0: {
                const auto id = static_cast<std::uint32_t>(i.imm());
                if ((Helpers::bit_of(id) & verified_.granted_) != 0) return true;
                return refuse(errc::illegal_call, pc, id);
            }
            case 1:
                if (enter(target(pc, i.imm()))) return true;
                return refuse(errc::illegal_call, pc, target(pc, i.imm()));
            default: return refuse(errc::unsupported_instruction, pc, i.src());
        }
    }

    constexpr bool access(std::size_t pc, std::uint32_t base) {
        if (base != 10) return true;
        const auto width = static_cast<std::int32_t>(access_width(text_[pc].opcode()));
        const std::int32_t offset = text_[pc].offset();
        if (offset > -width || offset < -std::int32_t{Rules.stack_size}) {
            return refuse(errc::illegal_stack_access, pc,
                          static_cast<std::uint64_t>(std::int64_t{offset}));
        }
        grow_frame(pc, -offset);
        return true;
    }

    /// `rX = r10; rX += -n` is how compilers take the address of a variable in the frame. It makes
    /// the frame large enough; what is done with the address is checked at run time.
    constexpr bool frame_address(std::size_t pc) {
        constexpr std::uint8_t add64_imm = 0x07;
        constexpr std::uint8_t mov64_reg = 0xbf;
        const instruction i = text_[pc];
        if (i.opcode() != add64_imm || pc == 0) return true;
        const instruction before = text_[pc - 1];
        if ((marks_[pc - 1] & mark::continuation) == 0 && before.opcode() == mov64_reg &&
            before.src() == 10 && before.dst() == i.dst() && i.imm() < 0 &&
            i.imm() >= -std::int32_t{Rules.stack_size}) {
            grow_frame(pc, -i.imm());
        }
        return true;
    }

    constexpr void grow_frame(std::size_t pc, std::int32_t bytes) {
        const auto rounded = static_cast<std::uint16_t>((bytes + 7) & ~7);
        if (rounded > verified_.frame_size_) {
            verified_.frame_size_ = rounded;
            deepest_ = pc;
        }
    }

    /// Jumps and calls count from the next slot; the sum cannot wrap in 64 bits.
    static constexpr std::uint64_t target(std::size_t pc, std::int32_t distance) {
        return static_cast<std::uint64_t>(static_cast<std::int64_t>(pc) + 1 + distance);
    }

    // Second pass: each function once, along its calls (proofs 3, 4, 5, 7).
    struct position {
        std::uint32_t entry = 0;
        std::uint32_t end = 0;  ///< where the next function begins
        std::uint32_t pc = 0;
        std::uint8_t height = 0;
    };

    constexpr bool functions() {
        for (const auto& f : verified_.program_.functions) {
            if ((marks_[f.start] & mark::continuation) != 0) {
                return refuse(errc::jump_into_load, f.start, f.start);
            }
        }
        for (std::size_t pc = 0; pc < text_.size(); ++pc) {
            // An entry inside a lddw is refused where it is called.
            if (ends(pc) && (marks_[pc] & (mark::state | mark::continuation)) == 0 &&
                !descend(static_cast<std::uint32_t>(pc))) {
                return false;
            }
        }
        return true;
    }

    constexpr bool descend(std::uint32_t root) {
        std::array<position, Rules.max_call_depth + 1u> path{};
        std::size_t depth = 0;
        path[0] = begin(root);
        while (true) {
            position& at = path[depth];
            std::uint64_t callee = 0;
            if (!body(at, callee)) return false;
            if (callee == text_.size()) {  // the function ends here
                set_state(at.entry, static_cast<std::uint8_t>(mark::done + at.height));
                verified_.call_depth_ = std::max(verified_.call_depth_, at.height);
                if (depth == 0) return true;
                const auto height = static_cast<std::uint8_t>(at.height + 1);
                --depth;
                path[depth].height = std::max(path[depth].height, height);
                continue;
            }
            const std::size_t caller_pc = at.pc - 1;
            const std::uint8_t state = marks_[index(callee)] & mark::state;
            if (state == mark::in_progress) return refuse(errc::recursion, caller_pc, callee);
            const std::size_t below = state >= mark::done ? state - mark::done : 0u;
            if (depth + 1 + below > Rules.max_call_depth) {
                return refuse(errc::call_too_deep, caller_pc, callee);
            }
            if (state >= mark::done) {
                at.height = std::max(at.height, static_cast<std::uint8_t>(below + 1));
            } else {
                path[++depth] = begin(static_cast<std::uint32_t>(callee));
            }
        }
    }

    constexpr position begin(std::uint32_t entry) {
        std::uint32_t end = entry + 1;
        while (!ends(end)) ++end;
        set_state(entry, mark::in_progress);
        return {entry, end, entry, 0};
    }

    constexpr void set_state(std::uint64_t entry, std::uint8_t state) {
        marks_[index(entry)] = static_cast<std::uint8_t>((marks_[index(entry)] & ~mark::state) | state);
    }

    /// Whether a function begins, and so the one before it ends, at `pc`.
    [[nodiscard]] constexpr bool ends(std::uint64_t pc) const {
        return pc >= text_.size() || (marks_[index(pc)] & mark::entry) != 0;
    }

    /// Checks a function from `at.pc` to its next local call, whose target becomes `callee`, or to
    /// its end, when `callee` becomes the size of the text.
    constexpr bool body(position& at, std::uint64_t& callee) {
        while (at.pc < at.end) {
            const std::uint32_t pc = at.pc;
            const instruction i = text_[pc];
            const format f = opcodes<Rules.allowed>[i.opcode()].format;
            const field_rules& uses = rules_of(f);
            if (uses.offset == use::jump && !jump(at, pc, i.offset())) return false;
            if (uses.immediate == use::jump && !jump(at, pc, i.imm())) return false;
            const bool code_load = f == format::load_imm64 && i.src() == 4;
            const bool local_call = f == format::call && i.src() == 1;
            if ((code_load || local_call) && !outside_load(pc, target(pc, i.imm()))) return false;
            at.pc += f == format::load_imm64 ? 2 : 1;
            const bool leaves =
                f == format::exit || f == format::jump || f == format::jump_long;
            if (at.pc >= at.end && !leaves) return refuse(errc::no_return, pc);
            if (local_call) {
                callee = target(pc, i.imm());
                return true;
            }
        }
        callee = text_.size();
        return true;
    }

    /// A jump stays between the start of its function and the start of the next.
    constexpr bool jump(const position& at, std::uint32_t pc, std::int32_t distance) {
        const std::uint64_t to = target(pc, distance);
        if (to < at.entry || to >= at.end) return refuse(errc::illegal_jump, pc, to);
        return outside_load(pc, to);
    }

    constexpr bool outside_load(std::uint32_t pc, std::uint64_t to) {
        if ((marks_[index(to)] & mark::continuation) == 0) return true;
        return refuse(errc::jump_into_load, pc, to);
    }

    constexpr bool stack() {
        const std::uint32_t needed = (verified_.call_depth_ + 1u) * verified_.frame_size_;
        if (needed > Rules.stack_size) return refuse(errc::stack_too_small, deepest_, needed);
        return true;
    }

    /// Slots are 64 bits wide so that a jump target cannot wrap; one that was compared with the length
    /// fits every size_t.
    static constexpr std::size_t index(std::uint64_t pc) { return static_cast<std::size_t>(pc); }

    std::span<const instruction> text_;
    std::span<std::uint8_t> marks_;
    verified_program<Rules, Helpers> verified_;
    std::size_t deepest_ = 0;
    error error_{};
};

}  // namespace detail

/// Proves what `verified_program` lists, in two passes over the text, or says why it cannot.
/// `scratch` has at least `scratch_size(p)` bytes; `granted` is a set of `Helpers::bit_of` bits.
/// Takes time linear in the text. Reentrant; 16 bytes of stack for each level of `max_call_depth`.
/// Errors: error.pc is the slot at fault, error.address the offending value, if there is one.
template <rules Rules, class Helpers>
[[nodiscard]] constexpr result<verified_program<Rules, Helpers>> verify(
    const program& p, std::span<std::uint8_t> scratch, std::uint64_t granted = ~std::uint64_t{0}) {
    return detail::verification<Rules, Helpers>{p, scratch, granted}.run();
}

}  // namespace femto
