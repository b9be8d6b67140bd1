// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <concepts>
#include <cstdint>

namespace femto {

/// Constructing one enters, destroying it leaves; nests. On a microcontroller it masks interrupts
/// and restores what was masked before, on a host it may be a lock that ISRs never take.
template <class T>
concept critical_section = std::default_initializable<T> && std::destructible<T>;

/// For what only one thread uses. Costs nothing and protects nothing.
struct no_critical_section {
    constexpr no_critical_section() {}   // user-provided, so that an unused guard is no warning
    constexpr ~no_critical_section() {}
};

/// A word that threads and ISRs change: `std::atomic` where the core can read-modify-write without
/// locks, otherwise (Cortex-M0+, RV32 without A) loads and stores inside `Guard`. 4 bytes.
template <critical_section Guard>
class shared_word {
    static constexpr bool lock_free = std::atomic<std::uint32_t>::is_always_lock_free;
    static_assert(lock_free || !std::same_as<Guard, no_critical_section>,
                  "femto: this core has no atomic read-modify-write: name a critical section");

public:
    constexpr shared_word() = default;
    [[nodiscard]] std::uint32_t load() const { return word_.load(std::memory_order_acquire); }
    void store(std::uint32_t value) { word_.store(value, std::memory_order_release); }
    /// Makes a 0 a 1: whether it was 0. What who stored the 0 did before is seen, also what who wrote the 1
    /// by one of those below did before.
    bool try_set() {
        if constexpr (lock_free) return word_.exchange(1, std::memory_order_acquire) == 0;
        return exchange(1) == 0;
    }
    /// These return the word as it was before.
    std::uint32_t exchange(std::uint32_t value) {
        if constexpr (lock_free) return word_.exchange(value, std::memory_order_seq_cst);
        return change([=](std::uint32_t) { return value; });
    }
    std::uint32_t set_bits(std::uint32_t bits) {
        if constexpr (lock_free) return word_.fetch_or(bits, std::memory_order_seq_cst);
        return change([=](std::uint32_t old) { return old | bits; });
    }
    std::uint32_t clear_bits(std::uint32_t bits) {
        if constexpr (lock_free) return word_.fetch_and(~bits, std::memory_order_seq_cst);
        return change([=](std::uint32_t old) { return old & ~bits; });
    }
    std::uint32_t add(std::uint32_t value) {
        if constexpr (lock_free) return word_.fetch_add(value, std::memory_order_seq_cst);
        return change([=](std::uint32_t old) { return old + value; });
    }

private:
    template <class F>
    std::uint32_t change(F f) {
        [[maybe_unused]] const Guard inside;
        const std::uint32_t old = word_.load(std::memory_order_relaxed);
        word_.store(f(old), std::memory_order_relaxed);
        return old;
    }
    std::atomic<std::uint32_t> word_{0};
};

}  // namespace femto
