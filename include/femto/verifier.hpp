// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
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

/// Bytes of the stack that a local call takes beside the frame of the function: r6 to r9 of the caller
/// and where it goes on. They lie where the guest cannot reach them.
inline constexpr std::uint32_t saved_frame_size = 40;

/// What a program is verified against.
struct rules {
    group allowed = groups::all;
    std::uint32_t max_instructions = 4096;  ///< slots of text
    std::uint16_t stack_size = 512;         ///< bytes for the frames of all functions and what calls save
    std::uint8_t max_call_depth = 8;        ///< nested local calls, at most 60
    std::uint32_t max_region_size = 0x7fffffff;  ///< bytes of rodata, and of data
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
inline constexpr std::uint32_t continuation = 0x80;  ///< second slot of lddw
inline constexpr std::uint32_t entry = 0x40;         ///< first slot of a function
inline constexpr std::uint32_t state = 0x3f;         ///< of a function: see below
inline constexpr std::uint32_t listed = 1;           ///< not visited, an entry point of the program
inline constexpr std::uint32_t in_progress = 2;
inline constexpr std::uint32_t done = 3;  ///< plus the height of the calls below it
}  // namespace mark
}  // namespace detail

/// A program for which `verify` has proved, and the interpreter relies on, that
///  1. every opcode is defined, in an allowed group, with every field as RFC 9669 wants it,
///  2. register numbers are at most 10 and r10 is never written,
///  3. every jump leads to an instruction of the same function, never into a lddw,
///  4. every local call and every lddw of a code address leads to the start of a function,
///  5. no function runs past its end,
///  6. every helper called by number is in the set and granted,
///  7. local calls do not recurse and nest at most `call_depth` <= `max_call_depth` deep; calls through
///     registers are counted at run time, up to `call_limit`. As deep as that, frames of `frame_size`
///     bytes and what calls save fit the stack:
///     (call_limit + 1) * frame_size + call_limit * saved_frame_size <= stack_size,
///  8. accesses through r10 at a constant offset lie inside the frame,
///  9. rodata and data have at most `max_region_size` bytes each.
/// Everything else (other addresses, callx targets, fuel) is checked at run time.
template <rules Rules, class Helpers>
class verified_program {
public:
    /// For `verify` only.
    constexpr verified_program(typename detail::verification<Rules, Helpers>::passkey,
                               const program& p, const std::uint8_t* marks, std::uint64_t granted)
        : program_{p}, granted_{granted}, marks_{marks} {}

    [[nodiscard]] constexpr const program& source() const { return program_; }
    [[nodiscard]] constexpr std::uint16_t frame_size() const { return frame_size_; }
    /// Local calls by number, nested as deep as they get.
    [[nodiscard]] constexpr std::uint8_t call_depth() const { return call_depth_; }
    /// How deep calls may nest: `call_depth`, but with callx as deep as rules and stack allow.
    [[nodiscard]] constexpr std::uint8_t call_limit() const { return call_limit_; }
    /// Bytes of stack that the calls by number need; at most 0xffff.
    [[nodiscard]] constexpr std::uint32_t stack_needed() const {
        return frame_size_ + call_depth_ * (frame_size_ + saved_frame_size);
    }
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

    program program_;
    std::uint64_t granted_;
    const std::uint8_t* marks_;
    std::uint16_t frame_size_ = 0;
    std::uint8_t call_depth_ = 0;
    std::uint8_t call_limit_ = 0;
};

namespace detail {

/// Jumps and calls count from the next slot. Modulo 2^32: the true sum is above -2^31 and below
/// 2^31 + size <= 2^32, so a negative one becomes at least 2^31, which is no slot (tests/proof).
constexpr std::uint32_t jump_target(std::uint32_t pc, std::int32_t distance) {
    return pc + 1 + static_cast<std::uint32_t>(distance);
}

template <rules Rules, class Helpers>
class verification {
    static_assert(Rules.max_call_depth <= 60, "femto: max_call_depth is at most 60");
    static_assert(Rules.max_instructions <= 0x80000000, "femto: max_instructions is at most 2^31");
    static_assert(Rules.stack_size % 8 == 0, "femto: stack_size is a multiple of 8");
    using verified = verified_program<Rules, Helpers>;

public:
    FEMTO_ALWAYS_INLINE static constexpr result<verified> verify(const program& p, const std::span<std::uint8_t>& scratch,
                                             std::uint64_t granted) {
        result<verified> proved{std::in_place, passkey{}, p, scratch.data(), granted};
        verification v{*proved, scratch.data()};
        refusal code = v.length(scratch.size());
        if (code == 0) code = v.instructions();
        if (code == 0) code = v.functions();
        if (code == 0) code = v.stack();
        if (code != 0) {
            proved = fail(static_cast<errc>(-static_cast<int>(code)), v.pc_,
                          v.value_ | std::uint64_t{v.value_high_} << 32);
        }
        return proved;
    }

    /// What the constructor of `verified_program` asks for.
    class passkey {
        friend class verification;
        constexpr passkey() = default;
    };

private:
    constexpr verification(verified& proved, std::uint8_t* marks)
        : proved_{proved}, text_{proved.program_.text.data()}, marks_{marks},
          size_{static_cast<std::uint32_t>(proved.program_.text.size())} {}

    // Each check returns 0 or why it refuses; the slot is `pc_`, the offending value `value_`.

    /// An `errc`, negated: such constants take two bytes of Thumb less.
    using refusal = std::int32_t;
    static constexpr refusal refuse(errc code) {
        return static_cast<refusal>(-static_cast<int>(code));
    }
    constexpr refusal refuse(errc code, std::uint32_t value) {
        value_ = value;
        return refuse(code);
    }
    constexpr refusal refuse_signed(errc code, std::int64_t value) {
        value_high_ = static_cast<std::uint32_t>(value >> 32);
        return refuse(code, static_cast<std::uint32_t>(value));
    }

    constexpr refusal length(std::size_t scratch) {
        const std::size_t size = proved_.program_.text.size();
        if (size == 0 || size > Rules.max_instructions || size > scratch) {
            return refuse_signed(errc::illegal_length, static_cast<std::int64_t>(size));
        }
        for (const std::size_t bytes :
             {proved_.program_.rodata.size(), proved_.program_.data.size()}) {
            if (bytes > Rules.max_region_size) {
                return refuse_signed(errc::region_too_large, static_cast<std::int64_t>(bytes));
            }
        }
        std::fill_n(marks_, size_, std::uint8_t{0});
        marks_[0] = mark::entry;
        for (const auto& f : proved_.program_.functions) {
            if (f.start >= size_) return refuse(errc::illegal_call, f.start);
            mark_entry(f.start, mark::listed);
        }
        return 0;
    }

    constexpr void mark_entry(std::uint32_t slot, std::uint32_t state) {
        marks_[slot] |= static_cast<std::uint8_t>(mark::entry | state);
        if constexpr (!for_size) last_entry_ = std::max(last_entry_, slot);
    }

    // First pass: each instruction by itself (proofs 1, 2, 6, 8), marks for the second.
    FEMTO_ALWAYS_INLINE constexpr refusal instructions() {
        do {
            if constexpr (!for_size) {
                pc_ = plain_slots<Rules.allowed>.end_of_plain(text_, pc_, size_);
                if (pc_ == size_) break;
            }
            const instruction* const at = text_ + pc_;
            refusal code = fields(*at);
            if (code == 0) code = meaning(at);
            if (code != 0) return code;
            pc_ += slots(at->opcode());
        } while (pc_ < size_);
        return 0;
    }

    FEMTO_ALWAYS_INLINE constexpr refusal fields(instruction i) {
        const opcode_shape shape = opcodes<Rules.allowed>[i.opcode()];
        if (shape.is_refused()) {
            value_ = i.opcode();
            return shape.bits;  // negated, too
        }
        const std::uint32_t dst = i.dst();
        const std::uint32_t src = i.src();
        if (dst > 10 || (src > 10 && !shape.has(shape.source_selects))) {
            return refuse(errc::illegal_register, std::max(dst, src));
        }
        const auto offset = static_cast<std::uint32_t>(i.offset());
        const auto imm = static_cast<std::uint32_t>(i.imm());
        std::uint32_t unused = 0;
        if (shape.has(shape.no_destination)) unused = dst;
        if (shape.has(shape.no_source)) unused |= src;
        if (shape.has(shape.no_offset)) unused |= offset;
        if (shape.has(shape.no_immediate)) unused |= imm;
        if (unused != 0) return refuse(errc::nonzero_field);
        std::uint32_t selector = 0;
        if (shape.has(shape.source_selects)) selector = src;
        if (shape.has(shape.offset_selects)) selector = offset;
        if (shape.has(shape.immediate_selects)) selector = imm;
        if (!opcodes<Rules.allowed>.has_variant(shape, selector)) {
            return refuse(errc::undefined_variant, selector);
        }
        if (dst == 10 && shape.has(shape.writes_destination)) {
            return refuse(errc::frame_pointer_write);
        }
        return 0;
    }

    /// What classes ask for beyond the use of their fields.
    FEMTO_ALWAYS_INLINE constexpr refusal meaning(const instruction* at) {
        const instruction i = at[0];
        const std::uint8_t opcode = i.opcode();
        const auto kind = class_of(opcode);
        const std::uint32_t src = i.src();
        const auto imm = static_cast<std::uint32_t>(i.imm());
        std::uint32_t bytes = 0;     // of the frame
        std::uint32_t function = 0;  // one that is named here; slot 0 always begins one
        if (kind == instruction_class::ld) {
            const std::uint32_t second = pc_ + 1;
            if (second >= size_ || at[1].fields != 0) return refuse(errc::incomplete_load);
            if ((marks_[second] & mark::listed) != 0) {
                pc_ = second;
                return refuse(errc::jump_into_load, second);
            }
            marks_[second] |= mark::continuation;
            // Sources: 0 a number, 2 and 6 an address in section `imm`, 4 code; odd ones are Linux's.
            if ((src & 1) != 0) return refuse(errc::unsupported_instruction, src);
            if ((src & 2) != 0 && imm > 1) return refuse(errc::undefined_variant, imm);
            if (src == 4) {
                if (at[1].imm() != 0) return refuse(errc::nonzero_field);
                function = target(i.imm());
            }
        } else if (kind <= instruction_class::stx) {
            if constexpr ((Rules.allowed & groups::atomic) != group::none) {
                // Fetching operations write the source, compare-and-exchange writes r0.
                // Only they have an immediate beside a source.
                if (src == 10 && (imm & 1) != 0 && imm != 0xf1) {
                    return refuse(errc::frame_pointer_write);
                }
            }
            if ((kind == instruction_class::ldx ? src : i.dst()) == 10) {
                bytes = static_cast<std::uint32_t>(-i.offset());
                const std::uint32_t width = access_width(opcode);
                if (bytes - width > Rules.stack_size - width) {
                    return refuse_signed(errc::illegal_stack_access, i.offset());
                }
            }
        } else if (opcode == opcode::call_helper) {
            if (src == 2) return refuse(errc::unsupported_instruction, src);
            if (src == 0 && (Helpers::bit_of(imm) & proved_.granted_) == 0) {
                return refuse(errc::illegal_call, imm);
            }
            if (src == 1) function = target(i.imm());
        } else if (opcode == opcode::callx) {
            if constexpr (contains(Rules.allowed, group::callx)) {
                // clang up to 18 puts the register into the immediate, later ones into dst.
                if (imm != 0 && i.dst() != 0) return refuse(errc::nonzero_field);
                if (imm > 10) return refuse(errc::illegal_register, imm);
                proved_.call_limit_ = Rules.max_call_depth;
            }
        } else if (opcode == opcode::mov64_reg && src == 10 && i.offset() == 0 && pc_ + 1 < size_) {
            // `rX = r10; rX += -n` is how compilers take the address of a variable in the frame. It
            // makes the frame large enough; what is done with it is checked at run time.
            const instruction next = at[1];
            const auto below = 0 - static_cast<std::uint32_t>(next.imm());
            if (next.fields == instruction::make(opcode::add64_imm, i.dst()).fields &&
                below <= Rules.stack_size) {
                ++pc_;  // nothing more is to be known of the second one
                bytes = below;
            }
        }
        if (bytes > proved_.frame_size_) {
            proved_.frame_size_ = static_cast<std::uint16_t>((bytes + 7) & ~7u);
            deepest_ = pc_;
        }
        if (function >= size_) return refuse_target(errc::illegal_call, function, i.imm());
        mark_entry(function, 0);
        return 0;
    }

    static constexpr std::uint32_t slots(std::uint8_t opcode) {
        return class_of(opcode) == instruction_class::ld ? 2 : 1;
    }

    constexpr std::uint32_t target(std::int32_t distance) const {
        return jump_target(pc_, distance);
    }
    constexpr refusal refuse_target(errc code, std::uint32_t to, std::int32_t distance) {
        // Below 0 if the distance was and the sum, modulo 2^32, says so, too.
        value_high_ = static_cast<std::uint32_t>((static_cast<std::int32_t>(to) & distance) >> 31);
        return refuse(code, to);
    }

    // Second pass: each function once, along its calls (proofs 3, 4, 5, 7).
    constexpr refusal functions() {
        for (std::uint32_t entry = 0; entry < size_; entry = for_size ? entry + 1 : end_of(entry)) {
            if (for_size && (marks_[entry] & mark::entry) == 0) continue;
            // Never inside a lddw: the function before runs past its end there, or is refused where it calls.
            const refusal code = function(entry, 0);
            if (code > 0) return code;
        }
        return 0;
    }

    /// Where the function that begins at `entry` ends: at the next entry.
    constexpr std::uint32_t end_of(std::uint32_t entry) const {
        if (!for_size && entry >= last_entry_) return size_;
        do ++entry;
        while (entry < size_ && (marks_[entry] & mark::entry) == 0);
        return entry;
    }

    /// Checks the function that begins at `entry` if it is not yet, and that `depth` calls above it
    /// and those below it are not too many. If nothing is wrong it returns the height of those below,
    /// negated, less 1.
    constexpr refusal function(std::uint32_t entry, std::uint32_t depth) {
        const std::uint32_t state = marks_[entry] & mark::state;
        if (state == mark::in_progress) return refuse(errc::recursion, entry);
        const std::uint32_t deepest = depth + std::max(state, mark::done) - mark::done;
        if (deepest > Rules.max_call_depth) return refuse(errc::call_too_deep, entry);
        if (deepest > proved_.call_depth_) proved_.call_depth_ = static_cast<std::uint8_t>(deepest);
        if (state >= mark::done) return static_cast<refusal>(mark::done - 1 - state);

        marks_[entry] = mark::entry | mark::in_progress;
        const std::uint32_t end = end_of(entry);
        refusal height = 0;  // negated, too
        std::uint32_t next = entry;
        do {
            if constexpr (!for_size) {
                next = end_of_straight(next, end);
                if (next == end) {
                    pc_ = end - 1;
                    return refuse(errc::no_return);
                }
            }
            pc_ = next;
            const instruction i = text_[next];
            const std::uint8_t opcode = i.opcode();
            next += slots(opcode);
            std::uint32_t to = 0;  // which is no second slot
            bool calls = false;
            if (is_jump(opcode)) {
                const std::int32_t distance = opcode == opcode::gotol ? i.imm() : i.offset();
                to = target(distance);
                if (to < entry || to >= end) return refuse_target(errc::illegal_jump, to, distance);
            } else if ((opcode == opcode::call_local && i.src() == 1) ||
                       (opcode == opcode::lddw_code && i.src() == 4)) {
                to = target(i.imm());
                calls = opcode == opcode::call_local;
            }
            if ((marks_[to] & mark::continuation) != 0) return refuse(errc::jump_into_load, to);
            static_assert(opcode::gotol == opcode::ja + 1);
            if (next >= end && opcode != opcode::exit && static_cast<unsigned>(opcode - opcode::ja) > 1) {
                return refuse(errc::no_return);
            }
            if (calls) {
                const refusal below = function(to, depth + 1);
                if (below > 0) return below;
                height = std::min(height, below);
            }
        } while (next < end);
        marks_[entry] = static_cast<std::uint8_t>(static_cast<refusal>(mark::entry | mark::done) - height);
        return height - 1;
    }

    /// The first slot from `pc` on of a class that this pass looks at: the others go to the next slot.
    constexpr std::uint32_t end_of_straight(std::uint32_t pc, std::uint32_t end) const {
        constexpr auto bit = [](instruction_class c) { return 0x80000000u >> static_cast<unsigned>(c); };
        constexpr std::uint32_t classes = bit(instruction_class::ld) | bit(instruction_class::jmp) |
                                          bit(instruction_class::jmp32);
        const instruction* at = text_ + pc;
        const instruction* const last = text_ + end;
        while (at != last && classes << (at->opcode() & 7) < 0x80000000) ++at;
        return static_cast<std::uint32_t>(at - text_);
    }

    constexpr refusal stack() {
        pc_ = deepest_;
        const std::uint32_t needed = proved_.stack_needed();
        if (needed > Rules.stack_size) return refuse(errc::stack_too_small, needed);
        std::uint32_t limit = proved_.call_depth_;
        if constexpr (contains(Rules.allowed, group::callx)) {
            // Of the calls that callx may make, as many as fit.
            for (std::uint32_t left = Rules.stack_size - needed, each = proved_.frame_size_ + saved_frame_size;
                 limit < proved_.call_limit_ && left >= each; left -= each) {
                ++limit;
            }
        }
        proved_.call_limit_ = static_cast<std::uint8_t>(limit);
        return 0;
    }

    verified& proved_;
    const instruction* text_;
    std::uint8_t* marks_;
    std::uint32_t size_;
    std::uint32_t pc_ = 0;
    std::uint32_t deepest_ = 0;
    std::uint32_t last_entry_ = 0;
    std::uint32_t value_ = 0;
    std::uint32_t value_high_ = 0;
};

}  // namespace detail

/// Proves what `verified_program` lists, in two passes over the text, or says why it cannot.
/// `scratch` has at least `scratch_size(p)` bytes; `granted` is a set of `Helpers::bit_of` bits.
/// Takes time linear in the text. Reentrant; on a Cortex-M 200 bytes of stack and 32 for each level of
/// local calls, at most `max_call_depth` of them.
/// Errors: error.pc is the slot at fault, error.address the offending value, if there is one.
template <rules Rules, class Helpers>
[[nodiscard]] constexpr result<verified_program<Rules, Helpers>> verify(
    const program& p, const std::span<std::uint8_t>& scratch, std::uint64_t granted = ~std::uint64_t{0}) {
    return detail::verification<Rules, Helpers>::verify(p, scratch, granted);
}

}  // namespace femto
