// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/compact.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace femto {

/// How the interpreter finds the code for an opcode.
enum class dispatch : std::uint8_t {
    compact,   ///< one shared body that decodes by class and operand form: smallest
    threaded,  ///< a body for each opcode and a jump through a table at the end of each: fastest
};

namespace detail {

/// Sees nothing.
struct no_observer {
    constexpr void operator()(std::uint32_t, const std::array<std::uint64_t, 11>&) const {}
};

/// Decodes at run time: one body for all instructions. `observe` gets the slot and the registers
/// before each.
template <class Observer, rules Rules, class Helpers, class Memory>
constexpr void run_compact(run_context<Rules, Helpers, Memory>& run, Observer&& observe) {
    compact_execution<Rules, Helpers, Memory> e{run};
    do {
        if constexpr (!std::is_same_v<Observer, no_observer>) observe(e.slot(), run.state.r);
    } while (e.step());
    e.save();
}

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"  // labels as values, which is the point
#define FEMTO_16(row, at) \
    at(row, 0) at(row, 1) at(row, 2) at(row, 3) at(row, 4) at(row, 5) at(row, 6) at(row, 7) \
    at(row, 8) at(row, 9) at(row, a) at(row, b) at(row, c) at(row, d) at(row, e) at(row, f)
#define FEMTO_256(at) \
    FEMTO_16(0, at) FEMTO_16(1, at) FEMTO_16(2, at) FEMTO_16(3, at) FEMTO_16(4, at) \
    FEMTO_16(5, at) FEMTO_16(6, at) FEMTO_16(7, at) FEMTO_16(8, at) FEMTO_16(9, at) \
    FEMTO_16(a, at) FEMTO_16(b, at) FEMTO_16(c, at) FEMTO_16(d, at) FEMTO_16(e, at) \
    FEMTO_16(f, at)

template <rules Rules, class Helpers, class Memory>
[[gnu::flatten]] void run_threaded(run_context<Rules, Helpers, Memory>& run) {
    execution<Rules, Helpers, Memory> e{run};
    // Computed goto (GNU C): a copy of the jump at the end of each body, so that each has a branch
    // prediction of its own. Bodies of opcodes that verification refuses are left out (proof 1).
#define FEMTO_LABEL(high, low) &&opcode_##high##low,
    static const void* const table[256] = {FEMTO_256(FEMTO_LABEL)};
#undef FEMTO_LABEL
    const void* const* base = table;
    asm("" : "+r"(base));  // or GCC loads the address of the table anew for each dispatch
    instruction i = e.fetch();
    goto* base[i.opcode()];
#define FEMTO_BODY(high, low)                                                              \
    opcode_##high##low : if constexpr (opcodes<Rules.allowed>[0x##high##low].refusal() ==  \
                                       errc::ok) {                                         \
        if (!e.template step<false>(i, 0x##high##low)) goto stopped;                       \
        i = e.fetch();                                                                     \
        goto* base[i.opcode()];                                                            \
    }
    FEMTO_256(FEMTO_BODY)
stopped:
    e.save();
}
#undef FEMTO_BODY
#undef FEMTO_256
#undef FEMTO_16
#pragma GCC diagnostic pop
#endif

}  // namespace detail

/// Runs `m` from its position until it ends, faults, is suspended or has no fuel left.
/// A run stops at the first transfer of control (taken jump, call, return, helper call) at which its
/// fuel is used up, so it executes at most one straight stretch more than its fuel; `m.fuel` says
/// exactly how many instructions were executed. An instruction that faults counts as executed.
/// Returns r0. Errors: `error.pc` is the instruction, `error.address` the guest address.
/// `observe(pc, registers)`, if given, is called before each instruction, and `compact` used.
template <dispatch Dispatch, rules Rules, class Helpers, class Memory,
          class Observer = detail::no_observer>
[[nodiscard]] constexpr result<std::uint64_t> interpret(const verified_program<Rules, Helpers>& p,
                                                        machine<Rules.max_call_depth>& m,
                                                        const Memory& memory, void* host = nullptr,
                                                        const void* host_type = nullptr,
                                                        Observer observe = {}) {
    detail::run_context<Rules, Helpers, Memory> run{p, m, memory, host, host_type};
    constexpr bool watched = !std::is_same_v<Observer, detail::no_observer>;
    if (std::is_constant_evaluated() || Dispatch == dispatch::compact || watched) {
        detail::run_compact<Observer>(run, static_cast<Observer&&>(observe));
    } else {
        detail::run_threaded(run);
    }
    if (m.state != errc::ok) return fail(m.state, m.pc, run.address);
    return m.r[0];
}

}  // namespace femto
