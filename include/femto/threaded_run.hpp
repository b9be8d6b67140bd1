// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/compact.hpp>
#include <femto/threaded_form.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace femto::detail {

/// How a run goes on after an instruction.
enum class outcome : std::uint8_t {
    next,    ///< with the next one
    taken,   ///< by a jump over as many slots as the offset says, if there is fuel for it
    shared,  ///< by executing this one with the body of `compact`, nothing of it being done yet
    end,     ///< not, as the program has ended
    stop,    ///< not; `machine::state` says why
};

/// The type that a load or store is as wide as.
template <std::uint8_t Opcode>
using accessed = std::conditional_t<
    access_width(Opcode) <= 2,
    std::conditional_t<access_width(Opcode) == 1, std::uint8_t, std::uint16_t>,
    std::conditional_t<access_width(Opcode) == 4, std::uint32_t, std::uint64_t>>;

/// What of a run is needed seldom, in memory.
template <class Form, rules Rules, class Helpers, class Memory>
struct threaded_context : run_context<Rules, Helpers, Memory> {
    const typename Form::slot* code;
    std::int32_t held = 0;  ///< fuel that the deadline leaves out, see `threaded_run::set_fuel`
};

/// One run. Like `execution` it is a local whose address never leaves inlined code, so that its
/// members are registers of the host: on Cortex-M all eight that calls leave alone.
template <class Form, rules Rules, class Helpers, class Memory>
class threaded_run {
    using at_calls = transitions<Rules, Helpers, Memory>;
    using context = threaded_context<Form, Rules, Helpers, Memory>;
    using slot = typename Form::slot;

public:
    /// A pointer that is read from memory each time, so that it takes no register.
    using context_pointer = context* volatile&;

    FEMTO_ALWAYS_INLINE threaded_run(context& run, const Form& form)
        : form_{form}, memory_{run.memory}, r_{run.state.r.data()}, pc_{run.code + run.state.pc} {
        set_fuel(run);
        keep(zero_);
        run.state.state = errc::out_of_fuel;  // why a run stops that says nothing else
    }

    /// Fetches an instruction; returns where its body is.
    FEMTO_ALWAYS_INLINE const void* next(body_table bodies) {
        const void* const body = Form::fetch(pc_, operands_, bodies);
        if constexpr (!Form::prepared) keep(pc_);
        return body;
    }

    /// The body that is listed under `Entry`.
    template <std::uint8_t Entry>
    FEMTO_ALWAYS_INLINE outcome body(context_pointer run) {
        constexpr std::size_t n = spare_number(Entry);
        if constexpr (n == spare_opcodes.size()) {
            return step<Entry>(run);
        } else if constexpr (n < first_move) {
            return step_frame<accessed<((n - first_frame) & 3) << 3>, (n >= first_frame + 4)>();
        } else if constexpr (n < first_fusion) {
            constexpr bool wide = n >= first_move + 2;
            return move<wide, 8u << (n - first_move - (wide ? 2 : 0))>();
        } else {
            return step_fused<fusions[n - first_fusion]>(run);
        }
    }

    /// Jumps as the offset says. False if that stops the run, which the body of `compact` then does.
    FEMTO_ALWAYS_INLINE bool take() {
        if (exhausted()) [[unlikely]] return false;
        transfer(Form::offset(operands_));
        return true;
    }

    /// Executes the instruction that was fetched with the body of `compact`. False if the run stops,
    /// whose position is then in the machine.
    FEMTO_ALWAYS_INLINE bool step_shared(context& run) {
        --pc_;
        save(run);
        if (!step_once(run)) return false;
        hold_operands();
        pc_ = run.code + run.state.pc;
        set_fuel(run);
        return true;
    }

    /// Puts the position into the machine: behind the last instruction, or at one that faulted.
    FEMTO_ALWAYS_INLINE void stop(context& run) {
        const errc state = run.state.state;
        if (state != errc::ok && state != errc::suspended && state != errc::out_of_fuel) {
            --pc_;
            deadline_ -= sizeof(slot);
        }
        save(run);
    }

    /// The same where nothing faulted.
    FEMTO_ALWAYS_INLINE void end(context& run) const { save(run); }

private:
    /// Makes GCC forget how it got `value`: it then loads and stores both halves of a register at
    /// once (ldrd, strd), and adds up an address once. Not for clang, which needs no such help, and
    /// whose version 14 at -O2 loses the step of `pc_` if it gets it (tests/model finds that at once).
    template <class T>
    FEMTO_ALWAYS_INLINE static void keep([[maybe_unused]] T& value) {
#if !defined(__clang__)
        if constexpr (sizeof(T) > sizeof(void*)) {
            auto low = static_cast<std::uint32_t>(value);
            auto high = static_cast<std::uint32_t>(value >> 32);
            asm("" : "+r"(low), "+r"(high));
            value = low | std::uint64_t{high} << 32;
        } else {
            asm("" : "+r"(value));
        }
#endif
    }
    /// Makes the operands live across a call, so that GCC gives them a register that calls leave alone.
    /// Else it finds them one that bodies need, and moves them at each dispatch.
    FEMTO_ALWAYS_INLINE void hold_operands() const { asm volatile("" : : "r"(operands_)); }

    FEMTO_COLD static bool step_once(run_context<Rules, Helpers, Memory>& run) {
        compact_execution<Rules, Helpers, Memory> e{run};
        const bool goes_on = e.step();
        e.save();
        return goes_on;
    }

    // Fuel is a deadline, as in `execution`, but of the last instruction that there is fuel for, and
    // compared as an address. A transfer looks before it moves both, so the deadline is never before
    // the code, and `set_fuel` sees that it does not pass the end of the address space.
    [[nodiscard]] FEMTO_ALWAYS_INLINE std::uintptr_t place() const {
        return reinterpret_cast<std::uintptr_t>(pc_);
    }
    template <class T>
    [[nodiscard]] FEMTO_ALWAYS_INLINE static std::uintptr_t size_of(T instructions) {
        return static_cast<std::uintptr_t>(instructions) * sizeof(slot);
    }
    FEMTO_ALWAYS_INLINE void set_fuel(context& run) {
        std::int32_t given = run.state.fuel;
        if constexpr (sizeof(std::uintptr_t) == 4) {
            const auto room = static_cast<std::int32_t>(~place() / sizeof(slot)) -
                              static_cast<std::int32_t>(Rules.max_instructions);
            given = std::clamp<std::int32_t>(given, 0, std::max<std::int32_t>(room, 0));
            run.held = run.state.fuel - given;
        }
        deadline_ = place() + size_of(given - 1);
    }
    [[nodiscard]] FEMTO_ALWAYS_INLINE std::int32_t fuel(const context& run) const {
        const auto left = static_cast<std::intptr_t>(deadline_ - place());
        constexpr int bits = std::countr_zero(sizeof(slot));
        return static_cast<std::int32_t>(left >> bits) + 1 + run.held;  // a multiple: exact
    }
    [[nodiscard]] FEMTO_ALWAYS_INLINE std::uint32_t position(const context& run) const {
        return static_cast<std::uint32_t>(pc_ - run.code);
    }
    FEMTO_ALWAYS_INLINE void save(context& run) const {
        run.state.fuel = fuel(run);
        run.state.pc = static_cast<decltype(run.state.pc)>(position(run));
    }
    /// Whether a transfer stops the run; the body of `compact` then does both.
    [[nodiscard]] FEMTO_ALWAYS_INLINE bool exhausted() const { return deadline_ < place(); }
    FEMTO_ALWAYS_INLINE outcome transfer(std::int32_t distance) {
        pc_ += distance;
        deadline_ += size_of(distance);
        return outcome::next;
    }
    /// By the offset of a jump, which on 64-bit cores lies in bytes where there is no immediate.
    template <std::uint8_t Opcode>
    FEMTO_ALWAYS_INLINE outcome jump() {
        if constexpr (Form::has_displacement && jumps_without_immediate(Opcode)) {
            const auto bytes = static_cast<std::intptr_t>(Form::displacement(operands_));
            pc_ = reinterpret_cast<const slot*>(reinterpret_cast<const std::byte*>(pc_) + bytes);
            deadline_ += static_cast<std::uintptr_t>(bytes);
            return outcome::next;
        } else {
            return transfer(Form::offset(operands_));
        }
    }

    [[nodiscard]] FEMTO_ALWAYS_INLINE std::int32_t immediate() const {
        return form_.immediate(pc_, operands_);
    }
    [[nodiscard]] FEMTO_ALWAYS_INLINE std::uint64_t* destination() const {
        std::uint64_t* to = Form::dst(r_, operands_);
        keep(to);
        return to;
    }
    template <class T>
    [[nodiscard]] FEMTO_ALWAYS_INLINE static T get(std::uint64_t* from) {
        if constexpr (sizeof(T) > sizeof(void*)) keep(from);
        return static_cast<T>(*from);
    }
    /// Writes a result, zero-extended.
    template <class T>
    FEMTO_ALWAYS_INLINE void put(std::uint64_t* to, T value) const {
        if constexpr (sizeof(void*) == 4 && sizeof(T) <= 4) {
            // The high word comes from a register that holds 0 all the time; both are stored at once,
            // as the one cannot go before what came earlier.
            asm volatile("" : : : "memory");
            *to = value | std::uint64_t{zero_} << 32;
        } else {
            *to = value;
        }
    }
    template <std::uint8_t Opcode>
    FEMTO_ALWAYS_INLINE outcome step(context_pointer run) {
        constexpr auto kind = class_of(Opcode);
        if constexpr (kind == instruction_class::alu) {
            return arithmetic<std::uint32_t, Opcode>();
        } else if constexpr (kind == instruction_class::alu64) {
            return arithmetic<std::uint64_t, Opcode>();
        } else if constexpr (Opcode == opcode::call_helper) {
            return call(*run);
        } else if constexpr (Opcode == opcode::exit) {
            return exit(*run);
        } else if constexpr (Opcode == opcode::ja) {
            if constexpr (for_size) return outcome::taken;
            if (exhausted()) [[unlikely]] return outcome::shared;
            return jump<Opcode>();
        } else if constexpr (Opcode == opcode::gotol) {
            if (exhausted()) [[unlikely]] return outcome::shared;
            return transfer(immediate());
        } else if constexpr (kind == instruction_class::jmp) {
            return branch<std::uint64_t, Opcode>();
        } else if constexpr (kind == instruction_class::jmp32) {
            return branch<std::uint32_t, Opcode>();
        } else if constexpr (kind == instruction_class::ld) {
            return load_imm64(run);
        } else if constexpr (kind == instruction_class::ldx) {
            return load<accessed<Opcode>, (Opcode & 0x80) != 0>();
        } else if constexpr (kind == instruction_class::st) {
            return store_immediate<accessed<Opcode>>();
        } else {
            return store<accessed<Opcode>>();
        }
    }

    template <class Width, std::uint8_t Opcode>
    [[nodiscard]] FEMTO_ALWAYS_INLINE Width operand() const {
        if constexpr ((Opcode & 8) != 0) {
            return get<Width>(Form::src(r_, operands_));
        } else {
            const std::int64_t value = has_short_immediate(Opcode)
                                           ? form_.short_immediate(pc_, operands_)
                                           : immediate();
            return static_cast<Width>(value);
        }
    }
    template <class Width, std::uint8_t Opcode>
    FEMTO_ALWAYS_INLINE outcome arithmetic() {
        constexpr bool copy = Opcode == opcode::mov32_reg || Opcode == opcode::mov64_reg;
        if constexpr (copy && !Form::prepared) {
            if (Form::offset(operands_) != 0) [[unlikely]] return outcome::shared;  // movsx
        }
        const Width b = operand<Width, Opcode>();
        std::uint64_t* const to = destination();
        auto a = static_cast<Width>(*to);
        keep(a);
        Width value = semantics::alu<Width>(arithmetic_of(Opcode), a, b);
        keep(value);
        put(to, value);
        return outcome::next;
    }
    template <class Width, std::uint8_t Opcode>
    FEMTO_ALWAYS_INLINE outcome branch() {
        const Width b = operand<Width, Opcode>();
        const auto a = static_cast<Width>(*Form::dst(r_, operands_));
        if (!semantics::compare<Width>(condition_of(Opcode), a, b)) return outcome::next;
        if constexpr (for_size) return outcome::taken;
        if (exhausted()) [[unlikely]] return outcome::shared;
        return jump<Opcode>();
    }

    FEMTO_ALWAYS_INLINE outcome load_imm64(context_pointer run) {
        std::uint64_t value;
        if constexpr (Form::prepared) {
            value = form_.constant(pc_);
            keep(value);
            ++pc_;
        } else {
            const auto low = static_cast<std::uint32_t>(pc_[-1].imm());
            const auto high = static_cast<std::uint32_t>(pc_[0].imm());
            const std::uint32_t kind = pc_[-1].src();
            ++pc_;
            value = low | std::uint64_t{high} << 32;
            if (kind != 0) value = at_calls::pseudo_address(*run, kind, low, high, pc_);
        }
        deadline_ += sizeof(slot);  // two slots, one instruction
        *destination() = value;
        return outcome::next;
    }

    /// `f` with where a T lies that is accessed at an offset from `base`.
    template <bool Write, class T, class F>
    FEMTO_ALWAYS_INLINE outcome access(std::uint64_t* base, std::int64_t displacement, F f) const {
        keep(base);
        const auto address = *base + static_cast<std::uint64_t>(displacement);
        if constexpr (for_size) {  // one check for all bodies, called
            const auto piece = memory_.template locate<Write>(address, sizeof(T));
            if (!piece.granted) return outcome::shared;
            f(piece.at);
            return outcome::next;
        }
        return memory_.template access<Write>(address, sizeof(T), f) ? outcome::next : outcome::shared;
    }
    template <class T, bool Signed>
    FEMTO_ALWAYS_INLINE outcome load() {
        const auto at = Form::displacement(operands_);
        return access<false, T>(Form::src(r_, operands_), at, [&](const std::byte* from) {
            const T value = load_little<T>(from);
            if constexpr (Signed) {
                put(destination(), semantics::sign_extend(value, 8 * sizeof(T)));
            } else {
                put(destination(), value);
            }
        });
    }
    template <class T>
    FEMTO_ALWAYS_INLINE outcome store() {
        const auto at = Form::displacement(operands_);
        return access<true, T>(Form::dst(r_, operands_), at, [&](std::byte* to) {
            store_little(to, static_cast<T>(*Form::src(r_, operands_)));
        });
    }
    template <class T>
    FEMTO_ALWAYS_INLINE outcome store_immediate() {
        return access<true, T>(Form::dst(r_, operands_), Form::offset(operands_), [&](std::byte* to) {
            store_little(to, static_cast<T>(immediate()));
        });
    }
    /// A load or store at a constant offset from r10: inside the frame (proof 8).
    template <class T, bool Store>
    FEMTO_ALWAYS_INLINE outcome step_frame() {
        std::byte* const at = memory_.in_frame(r_[10]) + Form::displacement(operands_);
        if constexpr (Store) {
            store_little(at, static_cast<T>(*Form::src(r_, operands_)));
        } else {
            put(destination(), load_little<T>(at));
        }
        return outcome::next;
    }

    template <bool To64, std::uint32_t Bits>
    FEMTO_ALWAYS_INLINE outcome move() {
        const auto value = semantics::sign_extend(*Form::src(r_, operands_), Bits);
        if constexpr (To64) {
            put(destination(), value);
        } else {
            put(destination(), static_cast<std::uint32_t>(value));
        }
        return outcome::next;
    }

    template <fusion Pair>
    FEMTO_ALWAYS_INLINE outcome step_fused(context_pointer run) {
        if constexpr (!Pair.is_packed()) {
            body<Pair.first>(run);  // goes on: `fusions` asserts it
            operands_ = Form::operands(pc_);
            ++pc_;
            return body<Pair.second>(run);
        } else {
            return step_packed<Pair>();
        }
    }
    template <fusion Pair>
    FEMTO_ALWAYS_INLINE outcome step_packed() {
        constexpr operation op = arithmetic_of(Pair.second);
        if constexpr (Pair.first == opcode::lddw) {
            std::uint64_t a = form_.constant(pc_);
            keep(a);
            const auto b = get<std::uint64_t>(Form::src(r_, operands_));
            pc_ += 2;
            deadline_ += sizeof(slot);
            *destination() = semantics::alu<std::uint64_t>(op, a, b);
        } else {
            using width = std::conditional_t<(Pair.second & 3) == 3, std::uint64_t, std::uint32_t>;
            const auto a = get<width>(Form::src(r_, operands_));
            width b;
            if constexpr ((Pair.second & 8) != 0) {
                b = get<width>(Form::third(r_, operands_));
            } else {
                b = static_cast<width>(std::int64_t{form_.short_immediate(pc_, operands_)});
            }
            ++pc_;
            width value = semantics::alu<width>(op, a, b);
            keep(value);
            put(destination(), value);
        }
        return outcome::next;
    }

    FEMTO_ALWAYS_INLINE outcome call(context& run) {
        if (Form::src(r_, operands_) != r_) {
            if (exhausted()) [[unlikely]] return outcome::shared;
            if (!at_calls::enter(run, position(run))) return outcome::stop;
            return transfer(immediate());
        }
        run.state.fuel = fuel(run);
        const bool goes_on = at_calls::helper_called(run, static_cast<std::uint32_t>(immediate()));
        set_fuel(run);
        return goes_on ? outcome::next : outcome::stop;
    }
    FEMTO_ALWAYS_INLINE outcome exit(context& run) {
        if constexpr (Rules.max_call_depth != 0) {
            if (run.state.depth != 0) {
                if (exhausted()) [[unlikely]] return outcome::shared;
                return transfer(static_cast<std::int32_t>(at_calls::leave(run)) -
                                static_cast<std::int32_t>(position(run)));
            }
        }
        run.state.state = errc::ok;
        return outcome::end;
    }

    const Form form_;
    const Memory& memory_;
    std::uint64_t* const r_;
    const slot* pc_;
    std::uintptr_t deadline_ = 0;
    typename Form::operands_type operands_ = 0;
    std::uint32_t zero_ = 0;
};

}  // namespace femto::detail
