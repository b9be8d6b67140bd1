// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/interpreter.hpp>

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace femto {

/// What a machine is made of; a value, so that two machines of one firmware can differ.
struct config {
    femto::address_space address_space = address_space::segmented;
    femto::dispatch dispatch = dispatch::threaded;
    group allowed = groups::all;
    std::uint32_t max_instructions = 4096;  ///< slots of text
    std::uint16_t stack_size = 512;         ///< bytes; a program that calls gives some up, see `rules`
    std::uint8_t max_call_depth = 4;        ///< nested local calls
    std::uint8_t max_regions = 8;           ///< five are fixed, one of them takes no memory
    std::uint32_t max_region_size = 0xffff; ///< bytes; above this default, regions take 12 bytes, not 8
};

[[nodiscard]] constexpr rules rules_of(const config& c) {
    return {c.allowed, c.max_instructions, c.stack_size, c.max_call_depth, c.max_region_size};
}

/// A machine that verifies and runs programs: registers, stack and regions, 512 + 160 bytes as
/// configured by default on a 32-bit core, all inside the object; 8 more if a helper takes a `caller`. Not copyable, since the guest's regions point into
/// it. Owned by one thread or ISR at a time; two machines never share state.
template <config Config = config{}, class Helpers = helper_set<>>
class vm {
    static_assert(Config.stack_size % 8 == 0, "femto: stack_size is a multiple of 8");
    static_assert(Config.stack_size <= Config.max_region_size,
                  "femto: the stack is a region: max_region_size is at least stack_size");

public:
    using verified = verified_program<rules_of(Config), Helpers>;
    using memory_type =
        guest_memory<Config.address_space, Config.max_regions, Config.max_region_size>;

    /// A program with code of its own for machines of this type; see `prepare`.
    using prepared = prepared_program<rules_of(Config), Helpers, memory_type>;

    constexpr vm() = default;
    vm(const vm&) = delete;
    vm& operator=(const vm&) = delete;

    /// See `femto::verify`. Needs no machine.
    [[nodiscard]] static constexpr result<verified> verify(
        const program& p, const std::span<std::uint8_t>& scratch,
        std::uint64_t granted = ~std::uint64_t{0}) {
        return femto::verify<rules_of(Config), Helpers>(p, scratch, granted);
    }

    /// Prepares a verified program for `dispatch::threaded`, which is then about a third faster: writes
    /// a slot of code for each slot of text to `code`, 8 bytes on a 32-bit core. What it returns is
    /// run and resumed in place of `p`, to the same results. Errors: no_space, with the slots needed.
    [[nodiscard]] static result<prepared> prepare(const verified& p,
                                                  const std::span<prepared_instruction>& code)
        requires(Config.dispatch == dispatch::threaded)
    {
        return femto::prepare<memory_type>(p, code);
    }

    /// Grants memory to the guest beside its stack, context and data; see `guest_memory::map`.
    [[nodiscard]] constexpr result<std::uint64_t> map(std::span<std::byte> bytes, permission p) {
        return memory_.map(bytes, p);
    }
    [[nodiscard]] constexpr result<std::uint64_t> map(std::span<const std::byte> bytes) {
        return memory_.map(bytes);
    }
    constexpr void unmap(std::uint64_t address) { memory_.unmap(address); }
    /// Makes the next `run` zero the stack, also if its text lies where that of the last run lay: for
    /// storage that is given to another program.
    constexpr void forget() { running_ = nullptr; }
    /// Takes the context away from a suspended run, whose caller returns and with it the context's
    /// memory; later accesses to it fault.
    constexpr void drop_context() {
        static_cast<void>(memory_.set(region_number::context, std::span<const std::byte>{}));
    }

    /// Makes `host` what helpers get from `caller::host<T>()`: nothing, if none takes a `caller`.
    template <class T>
    constexpr void set_host([[maybe_unused]] T& host) {
        if constexpr (std::same_as<typename Helpers::host, host_reference>) {
            host_ = {&host, &caller::type_of<T>};
        }
    }

    /// Runs `p` from `at` with r1 = address of `context`, r2 = its length, r10 = the end of the
    /// stack, and at most about `fuel` instructions (at most 2^28 - 1); see `interpret`.
    /// The stack is zeroed when another program ran before, so that it leaks nothing.
    /// The guest may write to the context if it is a range of `std::byte`, and only read one of
    /// `const std::byte`; without one, r1 points to an empty region. Errors, beside those of
    /// `interpret`: region_too_large, if it is more than `max_region_size`.
    template <std::derived_from<verified> Program, class Context>
        requires std::constructible_from<std::span<const std::byte>, Context&>
    [[nodiscard]] constexpr result<std::uint64_t> run(const Program& p, entry_point at,
                                                      Context&& context, std::uint32_t fuel) {
        const std::span<const std::byte> bytes{context};
        const permission allowed = std::constructible_from<std::span<std::byte>, Context&>
                                       ? permission::read_write
                                       : permission::read;
        // Not written through if it is const.
        return start(p, at, {const_cast<std::byte*>(bytes.data()), bytes.size()}, allowed, fuel);
    }
    template <std::derived_from<verified> Program>
    [[nodiscard]] constexpr result<std::uint64_t> run(const Program& p, entry_point at,
                                                      std::uint32_t fuel) {
        return run(p, at, std::span<std::byte>{}, fuel);
    }

    /// As `run`, if the run before it was of the same program in the same machine, with the same
    /// memory, and ended: only context and registers are made anew. `fuel` is 1 to `max_fuel`.
    /// Where `threaded` runs it becomes part of its caller, for hooks that fire often.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr result<std::uint64_t> run_again(
        const verified& p, entry_point at, std::span<std::byte> context, permission allowed,
        std::uint32_t fuel) {
        // One that may only be written has no readable bytes, whatever its length.
        if (!context.empty() && memory_.readable(region_number::context) == context.size()) [[likely]] {
            memory_.rebase(region_number::context, context.data());
        } else if (!memory_.try_set(region_number::context, context, allowed)) {
            return too_large(context.size());
        }
        reset(memory_, at, static_cast<std::uint32_t>(context.size()));
        if constexpr (Config.dispatch == dispatch::compact) {
            return go(p, fuel, 0);
        } else {
            machine_.fuel = granted_fuel_ = static_cast<std::int32_t>(fuel);
            const std::uint64_t address =
                detail::execute<Config.dispatch, detail::no_observer>(
                    p, machine_, memory_, host_, detail::no_observer{});
            if (machine_.state != errc::ok) [[unlikely]] {
                return fail(machine_.state, machine_.pc, address);
            }
            return machine_.r[0];
        }
    }
    /// As `run`, with a context that the guest may use as `allowed` says.
    [[nodiscard]] constexpr result<std::uint64_t> run(const verified& p, entry_point at,
                                                      std::span<std::byte> context,
                                                      permission allowed, std::uint32_t fuel) {
        return start(p, at, context, allowed, fuel);
    }

    /// Runs like `run` with the compact dispatcher and calls `observe(pc, registers)` before each
    /// instruction: for tracing on a host.
    template <class Observer>
    [[nodiscard]] result<std::uint64_t> trace(const verified& p, entry_point at,
                                              std::span<std::byte> context, std::uint32_t fuel,
                                              Observer&& observe) {
        if (!prepare(p, at, context, permission::read_write)) return too_large(context.size());
        if (!give(fuel, 0)) return fail(errc::out_of_fuel, machine_.pc);
        return interpret<Config.dispatch, rules_of(Config), Helpers, memory_type, Observer&>(
            p, machine_, memory_, host_, observe);
    }

    /// Goes on with a run that was suspended or ran out of fuel; what it overdrew is taken from
    /// `fuel`. The program must be the one of `run`. Errors: not_resumable.
    template <std::derived_from<verified> Program>
    [[nodiscard]] constexpr result<std::uint64_t> resume(const Program& p, std::uint32_t fuel) {
        if (running_ != p.source().text.data() ||
            (machine_.state != errc::suspended && machine_.state != errc::out_of_fuel)) {
            return fail(errc::not_resumable);
        }
        const std::int32_t debt = machine_.fuel < 0 ? machine_.fuel : 0;
        return go(p, fuel, debt);
    }

    /// Instructions that the last `run` or `resume` executed (and helpers charged).
    [[nodiscard]] constexpr std::uint32_t executed() const {
        return static_cast<std::uint32_t>(granted_fuel_ - std::int64_t{machine_.fuel});
    }
    [[nodiscard]] constexpr const memory_type& memory() const { return memory_; }
    [[nodiscard]] constexpr const machine<Config.max_instructions>& state() const {
        return machine_;
    }

private:
    template <class Program>
    constexpr result<std::uint64_t> start(const Program& p, entry_point at,
                                          std::span<std::byte> context, permission allowed,
                                          std::uint32_t fuel) {
        if (!prepare(p, at, context, allowed)) return too_large(context.size());
        return go(p, fuel, 0);
    }
    FEMTO_ALONE static constexpr failure too_large(std::size_t size) {
        return fail(errc::region_too_large, 0, size);
    }

    /// False if the context is too large.
    constexpr bool prepare(const verified& p, entry_point at, std::span<std::byte> context,
                           permission allowed) {
        auto* memory = &memory_;
        if (detail::for_size) semantics::forget(memory);  // short offsets make short code
        if (!memory->try_set(region_number::context, context, allowed)) return false;
        if (running_ != p.source().text.data()) {
            zero(stack_);
            running_ = p.source().text.data();
        }
        // What calls save lies behind what is granted (proof 7).
        const std::size_t granted = Config.stack_size - p.call_limit() * saved_frame_size;
        // None of these is too large: the stack as configured, the others as verified (proof 9).
        memory->set(region_number::stack, std::span{stack_}.first(granted), permission::read_write);
        memory->set(region_number::rodata, p.source().rodata);
        memory->set(region_number::data, p.source().data, permission::read_write);
        reset(*memory, at, static_cast<std::uint32_t>(context.size()));
        return true;
    }
    /// Registers are zeroed: what they held is no leak, and runs are the same each time.
    FEMTO_ALWAYS_INLINE constexpr void reset(const memory_type& memory, entry_point at, std::uint32_t length) {
        if constexpr (detail::for_size) {
            machine_ = {};
        } else {  // one by one, or GCC calls memset: 13 instructions instead of 77 on a Cortex-M4
            [&]<std::size_t... I>(std::index_sequence<I...>) {
                ((machine_.r[I] = 0), ...);
            }(std::make_index_sequence<11>{});
        }
        machine_.r[1] = memory.address_of(region_number::context);
        machine_.r[2] = length;
        machine_.r[10] =
            memory.address_of(region_number::stack) + memory.readable(region_number::stack);
        machine_.pc = static_cast<decltype(machine_.pc)>(at.pc());
        if constexpr (!detail::for_size) machine_.depth = 0;
    }

    /// Makes `fuel`, less a debt, what is left; false if that is nothing.
    FEMTO_ALWAYS_INLINE constexpr bool give(std::uint32_t fuel, std::int32_t debt) {
        granted_fuel_ = static_cast<std::int32_t>(std::min(fuel, max_fuel)) + debt;
        machine_.fuel = granted_fuel_;
        if (granted_fuel_ <= 0) machine_.state = errc::out_of_fuel;
        return granted_fuel_ > 0;
    }

    template <class Program>
    constexpr result<std::uint64_t> go(const Program& p, std::uint32_t fuel, std::int32_t debt) {
        if (!give(fuel, debt)) return fail(errc::out_of_fuel, machine_.pc);
        if constexpr (std::is_same_v<Program, prepared>) {
            return interpret(p, machine_, memory_, host_);
        }
        return interpret<Config.dispatch, rules_of(Config), Helpers>(
            p, machine_, memory_, host_);
    }

    // What is used most comes first: small offsets make short code.
    machine<Config.max_instructions> machine_{};
    memory_type memory_{};
    const instruction* running_ = nullptr;  ///< whose bytes lie in the stack
    std::int32_t granted_fuel_ = 0;
    [[no_unique_address]] typename Helpers::host host_{};
    alignas(8) std::array<std::byte, Config.stack_size> stack_{};  ///< of the guest, then saved frames
};

}  // namespace femto
