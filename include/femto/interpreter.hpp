// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/compact.hpp>
#include <femto/threaded.hpp>

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
FEMTO_ALONE constexpr void run_compact(run_context<Rules, Helpers, Memory>& run, Observer&& observe) {
    compact_execution<Rules, Helpers, Memory> e{run};
    do {
        if constexpr (!std::is_same_v<Observer, no_observer>) observe(e.slot(), run.state.r);
    } while (e.step());
    e.save();
}

/// Runs; what came of it is in `m`. Returns the guest address that belongs to a fault.
template <dispatch Dispatch, class Observer, rules Rules, class Helpers, class Memory>
FEMTO_ALWAYS_INLINE constexpr std::uint64_t execute(const verified_program<Rules, Helpers>& p,
                                                    machine<Rules.max_instructions>& m,
                                                    const Memory& memory,
                                                    const typename Helpers::host& host,
                                                    Observer&& observe) {
    constexpr bool watched = !std::is_same_v<std::remove_cvref_t<Observer>, no_observer>;
    if (std::is_constant_evaluated() || Dispatch == dispatch::compact || watched) {
        run_context<Rules, Helpers, Memory> run{p, m, memory, host};
        run_compact<Observer>(run, static_cast<Observer&&>(observe));
        return run.address;
    } else {
        using form = in_place_form;
        threaded_context<form, Rules, Helpers, Memory> run{{p, m, memory, host},
                                                           p.source().text.data()};
        const form in_place;
        run_threaded(&run, &in_place);
        return run.address;
    }
}

}  // namespace detail

/// Runs `m` from its position until it ends, faults, is suspended or has no fuel left.
/// A run stops at the first transfer of control (taken jump, call, return, helper call) at which its
/// fuel is used up, so it executes at most one straight stretch more than its fuel; `m.fuel` says
/// exactly how many instructions were executed. An instruction that faults counts as executed.
/// Behind the region of the stack, at a multiple of 8, `memory` has `saved_frame_size` bytes for each of
/// `p.call_limit()` calls, to which no region leads; a `vm` sees to that.
/// Returns r0. Errors: `error.pc` is the instruction, `error.address` the guest address.
/// `observe(pc, registers)`, if given, is called before each instruction, and `compact` used.
template <dispatch Dispatch, rules Rules, class Helpers, class Memory,
          class Observer = detail::no_observer>
[[nodiscard]] constexpr result<std::uint64_t> interpret(const verified_program<Rules, Helpers>& p,
                                                        machine<Rules.max_instructions>& m,
                                                        const Memory& memory,
                                                        const typename Helpers::host& host = {},
                                                        Observer observe = {}) {
    const std::uint64_t address = detail::execute<Dispatch, Observer>(
        p, m, memory, host, static_cast<Observer&&>(observe));
    if (m.state != errc::ok) return fail(m.state, m.pc, address);
    return m.r[0];
}

/// Prepares `p` for `dispatch::threaded`: writes a slot of code for each of its text. Costs 100 to 150
/// instructions for each, once. Errors: no_space, with the number of slots needed as address.
template <class Memory, rules Rules, class Helpers>
[[nodiscard]] result<prepared_program<Rules, Helpers, Memory>> prepare(
    const verified_program<Rules, Helpers>& p, const std::span<prepared_instruction>& code) {
    using form = detail::prepared_form<prepared_program<Rules, Helpers, Memory>>;
    detail::body_table bodies{};
    detail::run_threaded<form, Rules, Helpers, Memory>(nullptr, nullptr, &bodies);
    return detail::preparation<Rules, Helpers, Memory>::make(p, code, bodies);
}

/// Runs like `interpret` by the code of `p`: the same results, errors and fuel.
template <rules Rules, class Helpers, class Memory>
[[nodiscard]] result<std::uint64_t> interpret(const prepared_program<Rules, Helpers, Memory>& p,
                                              machine<Rules.max_instructions>& m,
                                              const Memory& memory,
                                              const typename Helpers::host& host = {}) {
    using form = detail::prepared_form<prepared_program<Rules, Helpers, Memory>>;
    detail::threaded_context<form, Rules, Helpers, Memory> run{{p, m, memory, host}, p.code()};
    const form prepared{p};
    detail::run_threaded(&run, &prepared);
    if (m.state != errc::ok) return fail(m.state, m.pc, run.address);
    return m.r[0];
}

}  // namespace femto
