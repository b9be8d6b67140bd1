// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

/// What femto can use of the hardware, and no machine needs: time, guards on host memory, a critical
/// section. Implementations are in ports/; the library includes none of them.
namespace femto::port {

/// Monotonic ticks. `now` wraps at the width of `ticks`, so subtract before comparing.
/// `counts` looks at the counter: false where it does not exist or stands still, as under emulators.
template <class T>
concept cycle_counter = requires(const T& counter) {
    typename T::ticks;
    requires std::unsigned_integral<typename T::ticks> && sizeof(typename T::ticks) >= 4;
    { counter.now() } noexcept -> std::same_as<typename T::ticks>;
    { counter.frequency() } noexcept -> std::same_as<std::uint32_t>;  // ticks per second, 0: unknown
    { counter.counts() } noexcept -> std::same_as<bool>;
};

/// Interrupts do not run while one exists; nests. Not copyable.
template <class T>
concept critical_section =
    std::is_default_constructible_v<T> && !std::is_copy_constructible_v<T> &&
    !std::is_copy_assignable_v<T>;

/// What the host may do with a guarded piece of its own memory.
enum class access : std::uint8_t { none, read, read_write };

/// A piece of host memory. Later pieces of a list override earlier ones; memory in no piece stays as
/// it was. So {ram, read}, {stack, read_write} lets the host write nothing in RAM but its stack.
struct guarded {
    const void* first;
    std::size_t size;
    access allowed;
};

/// Why a guard is not in force; nothing was changed then.
enum class guard_status : std::uint8_t {
    active,
    absent,         ///< the core has no unit for it
    too_many,       ///< more pieces than the unit has regions left
    misaligned,     ///< a piece that no region of the unit describes exactly
    unsupported,    ///< an access, or an override, that the unit cannot express
    locked,         ///< entries that are locked until reset deny what the list grants
};

/// What a unit can do. `alignment` bytes are the least granule; with `power_of_two`, sizes are powers
/// of two (or eighths of them from 256 bytes on, where the unit has subregions).
struct guard_limits {
    std::uint8_t regions;
    std::uint32_t alignment;
    bool power_of_two;
    bool denies_reads;
};

/// RAII: in force from construction to destruction, which restores what was programmed before.
/// Construct and destroy on one thread, privileged; guards nest as scopes do. `catching` of a port
/// goes outside of it.
template <class T>
concept memory_guard = std::is_constructible_v<T, std::span<const guarded>> &&
                       !std::is_copy_constructible_v<T> && requires(const T& guard) {
                           { guard.status() } noexcept -> std::same_as<guard_status>;
                           { T::limits() } noexcept -> std::same_as<guard_limits>;
                       };

/// The port of hardware that has nothing, and of tests: each part costs no byte.
struct null_cycle_counter {
    using ticks = std::uint32_t;
    [[nodiscard]] constexpr ticks now() const noexcept { return 0; }
    [[nodiscard]] constexpr std::uint32_t frequency() const noexcept { return 0; }
    [[nodiscard]] constexpr bool counts() const noexcept { return false; }
};
class null_critical_section {
public:
    constexpr null_critical_section() = default;
    null_critical_section(const null_critical_section&) = delete;
    null_critical_section& operator=(const null_critical_section&) = delete;
};
/// Active for an empty list only: what it cannot protect it does not pretend to.
class null_memory_guard {
public:
    constexpr explicit null_memory_guard(std::span<const guarded> pieces)
        : status_{pieces.empty() ? guard_status::active : guard_status::absent} {}
    null_memory_guard(const null_memory_guard&) = delete;
    null_memory_guard& operator=(const null_memory_guard&) = delete;
    [[nodiscard]] constexpr guard_status status() const noexcept { return status_; }
    [[nodiscard]] static constexpr guard_limits limits() noexcept { return {0, 0, false, false}; }

private:
    guard_status status_;
};
static_assert(cycle_counter<null_cycle_counter> && critical_section<null_critical_section> &&
              memory_guard<null_memory_guard>);

}  // namespace femto::port
