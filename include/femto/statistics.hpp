// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/critical_section.hpp>
#include <femto/result.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace femto {

/// What a container did. 40 bytes, which a firmware gives to those that it wants to watch, and reads
/// through `container::statistics`.
struct container_statistics {
    std::uint64_t instructions = 0;
    error last_fault{};
    std::uint32_t runs = 0;         ///< runs that ended, well or with a fault
    std::uint32_t longest_run = 0;  ///< instructions
    std::uint16_t faults = 0;
    std::uint16_t missed = 0;     ///< events that came while it waited, backed off, or found no machine
    std::uint16_t throttled = 0;  ///< events that came when its window was used up
    std::uint16_t stack = 0;      ///< bytes: the deepest chain of calls, as verified
};

/// Where a container counts, or nowhere. Whoever holds the container writes; any thread or ISR reads,
/// and never half a value. A counter of one word is a relaxed atomic, which costs nothing; what is
/// larger than a word is written inside `Guard`, in which everything is read.
template <critical_section Guard>
class statistics_account {
    static constexpr bool long_is_word = std::atomic_ref<std::uint64_t>::is_always_lock_free;

public:
    constexpr statistics_account() = default;
    constexpr explicit statistics_account(container_statistics& kept) : kept_{&kept} {}
    [[nodiscard]] explicit operator bool() const { return kept_ != nullptr; }

    /// As they are now: each counter that of this moment, a fault counted together with its cause. A
    /// fault before a run that is counted is counted, too. Zeros if nothing is kept.
    [[nodiscard]] container_statistics snapshot() const {
        if (kept_ == nullptr) return {};
        [[maybe_unused]] const Guard inside;
        container_statistics copy;
        if constexpr (long_is_word) {
            copy.instructions = read(kept_->instructions);
        } else {
            copy.instructions = kept_->instructions;
        }
        copy.last_fault = kept_->last_fault;
        copy.runs = read(kept_->runs);
        copy.longest_run = read(kept_->longest_run);
        copy.faults = kept_->faults;
        copy.missed = read(kept_->missed);
        copy.throttled = read(kept_->throttled);
        copy.stack = kept_->stack;
        return copy;
    }

    /// Begins anew.
    void reset(std::uint16_t stack) {
        if (kept_ == nullptr) return;
        [[maybe_unused]] const Guard inside;
        *kept_ = {};
        kept_->stack = stack;
    }
    /// Instructions of a run or a slice of one, and of the run so far; and whether it ended well.
    void executed(std::uint32_t now, std::uint32_t run, bool ended) {
        if (kept_ == nullptr) return;
        if constexpr (long_is_word) {
            add(kept_->instructions, now);
        } else {
            [[maybe_unused]] const Guard inside;
            kept_->instructions += now;
        }
        if (run > read(kept_->longest_run)) write(kept_->longest_run, run);
        add(kept_->runs, ended);
    }
    void faulted(const error& why) {
        if (kept_ == nullptr) return;
        [[maybe_unused]] const Guard inside;
        kept_->last_fault = why;
        ++kept_->faults;
        add(kept_->runs, 1);
    }
    void missed() {
        if (kept_ != nullptr) add(kept_->missed, 1);
    }
    void throttled() {
        if (kept_ != nullptr) add(kept_->throttled, 1);
    }

private:
    template <class T>
    static T read(T& counter) {
        return std::atomic_ref{counter}.load(std::memory_order_relaxed);
    }
    template <class T>
    static void write(T& counter, T value) {
        std::atomic_ref{counter}.store(value, std::memory_order_relaxed);
    }
    /// A load and a store: nobody else writes.
    template <class T>
    static void add(T& counter, std::uint32_t value) {
        write(counter, static_cast<T>(read(counter) + value));
    }
    container_statistics* kept_ = nullptr;
};

}  // namespace femto
