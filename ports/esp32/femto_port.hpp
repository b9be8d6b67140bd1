// SPDX-License-Identifier: Apache-2.0
// Xtensa (ESP32, ESP32-S2 and -S3, ESP8266): CCOUNT, RSIL, and data breakpoints as guards. Only special
// registers, so that it compiles for the windowed ABI as for call0. The ESP32-C3 family is ports/riscv.
#pragma once

#include <femto/port.hpp>

#include <array>
#include <cstdint>

namespace femto::port::xtensa {

/// Cycles of this core; each core of a dual one has its own.
struct cycle_counter {
    using ticks = std::uint32_t;
    std::uint32_t hertz = 0;
    [[nodiscard]] ticks now() const noexcept {
        ticks value;
        asm volatile("rsr %0, ccount" : "=r"(value)::"memory");
        return value;
    }
    [[nodiscard]] std::uint32_t frequency() const noexcept { return hertz; }
    [[nodiscard]] bool counts() const noexcept {
        const ticks before = now();
        for (int i = 0; i < 8; ++i) asm volatile("nop");
        return now() != before;
    }
};

/// Interrupts up to `Level` wait, on this core: 3 is what code in C may mask (XCHAL_EXCM_LEVEL).
template <unsigned Level>
class level_section {
    static_assert(Level <= 15);

public:
    level_section() { asm volatile("rsil %0, %1" : "=r"(before_) : "i"(Level) : "memory"); }
    ~level_section() { asm volatile("wsr %0, ps\nrsync" ::"r"(before_) : "memory"); }
    level_section(const level_section&) = delete;
    level_section& operator=(const level_section&) = delete;

private:
    std::uint32_t before_;
};
using critical_section = level_section<3>;

/// What DBREAKC holds for a piece to watch, or 0 if a breakpoint cannot: it compares the bits of an
/// address from 2^0 to 2^6 bytes on, so a piece is a power of two up to 64 bytes, at a multiple of it.
[[nodiscard]] constexpr std::uint32_t breakpoint_control(std::uint32_t first, std::uint32_t size,
                                                         access denied) {
    if (size == 0 || size > 64 || (size & (size - 1)) != 0 || first % size != 0) return 0;
    const std::uint32_t mask = 0x3f & ~(size - 1);
    const std::uint32_t stores = 0x80000000u;
    const std::uint32_t loads = 0x40000000u;
    return mask | stores | (denied == access::none ? loads : 0);
}

// The ESP32, S2 and S3 have two data breakpoints, the ESP8266 one.
#if defined(__XTENSA_WINDOWED_ABI__)
#define FEMTO_XTENSA_BREAKPOINTS 2
#else
#define FEMTO_XTENSA_BREAKPOINTS 1
#endif

/// One or two watched pieces of up to 64 bytes: enough for a key, a canary or a vector, not for RAM. A store
/// into one raises the debug exception at the debug level, which the firmware (ESP-IDF: its panic
/// handler) has to handle. It does not take back the store of a DMA or of the other core, and a debugger
/// that is attached uses the same registers. Memory in no piece is not guarded at all, and a later piece
/// that grants what an earlier one denies is refused.
class memory_guard {
public:
    explicit memory_guard(std::span<const guarded> pieces) : status_{program(pieces)} {}
    ~memory_guard() {
        if (status_ == guard_status::active) set(before_);
    }
    memory_guard(const memory_guard&) = delete;
    memory_guard& operator=(const memory_guard&) = delete;

    [[nodiscard]] guard_status status() const noexcept { return status_; }
    [[nodiscard]] static guard_limits limits() noexcept { return {most, 1, true, true}; }

private:
    static constexpr std::uint8_t most = FEMTO_XTENSA_BREAKPOINTS;
    struct breakpoints {
        std::uint32_t address[most];
        std::uint32_t control[most];
    };

    guard_status program(std::span<const guarded> pieces) {
        if (pieces.size() > most) return guard_status::too_many;
        breakpoints wanted{};
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (pieces[i].allowed == access::read_write) return guard_status::unsupported;
            const auto first = static_cast<std::uint32_t>(
                reinterpret_cast<std::uintptr_t>(pieces[i].first));
            wanted.address[i] = first;
            wanted.control[i] = breakpoint_control(
                first, static_cast<std::uint32_t>(pieces[i].size), pieces[i].allowed);
            if (wanted.control[i] == 0) return guard_status::misaligned;
        }
        before_ = get();
        for (const std::uint32_t control : before_.control) {
            if ((control & 0xc0000000u) != 0) return guard_status::locked;  // a debugger's
        }
        set(wanted);
        return guard_status::active;
    }
    // DBREAKA0 is special register 144, DBREAKC0 160; assemblers do not all know the names.
    static breakpoints get() {
        breakpoints b;
        asm volatile("rsr %0, 144\nrsr %1, 160" : "=r"(b.address[0]), "=r"(b.control[0]));
#if FEMTO_XTENSA_BREAKPOINTS > 1
        asm volatile("rsr %0, 145\nrsr %1, 161" : "=r"(b.address[1]), "=r"(b.control[1]));
#endif
        return b;
    }
    static void set(const breakpoints& b) {
        asm volatile("wsr %2, 160\nwsr %0, 144\nwsr %1, 160\ndsync" ::"r"(b.address[0]),
                     "r"(b.control[0]), "r"(0)
                     : "memory");
#if FEMTO_XTENSA_BREAKPOINTS > 1
        asm volatile("wsr %2, 161\nwsr %0, 145\nwsr %1, 161\ndsync" ::"r"(b.address[1]),
                     "r"(b.control[1]), "r"(0)
                     : "memory");
#endif
    }

    breakpoints before_{};
    guard_status status_;
};
static_assert(port::memory_guard<memory_guard>);
static_assert(port::cycle_counter<cycle_counter> && port::critical_section<critical_section>);

}  // namespace femto::port::xtensa
