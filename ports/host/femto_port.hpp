// SPDX-License-Identifier: Apache-2.0
// A POSIX host: steady clock, guards by mprotect on whole pages of one thread's process.
#pragma once

#include <femto/port.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>

#include <sys/mman.h>
#include <unistd.h>

namespace femto::port::host {

/// Nanoseconds.
struct cycle_counter {
    using ticks = std::uint64_t;
    [[nodiscard]] ticks now() const noexcept {
        return static_cast<ticks>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                      std::chrono::steady_clock::now().time_since_epoch())
                                      .count());
    }
    [[nodiscard]] std::uint32_t frequency() const noexcept { return 1'000'000'000; }
    [[nodiscard]] bool counts() const noexcept { return true; }
};

/// One lock for the process, in the place of interrupts.
class critical_section {
public:
    critical_section() { lock().lock(); }
    ~critical_section() { lock().unlock(); }
    critical_section(const critical_section&) = delete;
    critical_section& operator=(const critical_section&) = delete;

private:
    static std::recursive_mutex& lock() {
        static std::recursive_mutex one;
        return one;
    }
};

/// A write that is not allowed is SIGSEGV. Pieces are of memory that was read_write before, which is
/// what the destructor makes it again: mprotect does not tell what it was.
class memory_guard {
public:
    explicit memory_guard(std::span<const guarded> pieces) : pieces_{pieces} {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        for (const guarded& piece : pieces) {
            if ((reinterpret_cast<std::uintptr_t>(piece.first) | piece.size) % page != 0) {
                status_ = guard_status::misaligned;
                return;
            }
        }
        status_ = guard_status::active;
        for (const guarded& piece : pieces) {
            if (!set(piece, piece.allowed)) {
                restore();
                status_ = guard_status::unsupported;
                return;
            }
        }
    }
    ~memory_guard() { if (status_ == guard_status::active) restore(); }
    memory_guard(const memory_guard&) = delete;
    memory_guard& operator=(const memory_guard&) = delete;

    [[nodiscard]] guard_status status() const noexcept { return status_; }
    [[nodiscard]] static guard_limits limits() noexcept {
        return {255, static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE)), false, true};
    }

private:
    static bool set(const guarded& piece, access allowed) {
        const int bits = allowed == access::none   ? PROT_NONE
                         : allowed == access::read ? PROT_READ
                                                   : PROT_READ | PROT_WRITE;
        return ::mprotect(const_cast<void*>(piece.first), piece.size, bits) == 0;
    }
    void restore() {
        for (const guarded& piece : pieces_) set(piece, access::read_write);
    }
    std::span<const guarded> pieces_;
    guard_status status_;
};

static_assert(port::cycle_counter<cycle_counter> && port::critical_section<critical_section> &&
              port::memory_guard<memory_guard>);

}  // namespace femto::port::host
