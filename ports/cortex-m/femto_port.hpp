// SPDX-License-Identifier: Apache-2.0
// Cortex-M: DWT or SysTick, MPU (PMSAv7 and PMSAv8), PRIMASK and BASEPRI. Bare registers, no CMSIS.
#pragma once

#include <femto/port.hpp>

#include <array>
#include <cstdint>

namespace femto::port::cortex_m {

namespace detail {
inline volatile std::uint32_t& reg(std::uintptr_t address) {
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}
inline void barrier() { asm volatile("dsb\nisb" ::: "memory"); }
}  // namespace detail

/// Cycles of the core by the DWT unit. ARMv6-M has none, and under QEMU it reads 0: ask `counts`.
struct dwt_counter {
    using ticks = std::uint32_t;
    std::uint32_t hertz = 0;
    /// Switches it on, where it is.
    void start() const noexcept {
#if !defined(__ARM_ARCH_6M__)
        detail::reg(0xe000edfc) = detail::reg(0xe000edfc) | 1u << 24;  // DEMCR.TRCENA
        detail::reg(0xe0001000) = detail::reg(0xe0001000) | 1;         // DWT_CTRL.CYCCNTENA
#endif
    }
    [[nodiscard]] ticks now() const noexcept {
#if defined(__ARM_ARCH_6M__)
        return 0;
#else
        return detail::reg(0xe0001004);
#endif
    }
    [[nodiscard]] std::uint32_t frequency() const noexcept { return hertz; }
    [[nodiscard]] bool counts() const noexcept {
#if !defined(__ARM_ARCH_6M__)
        if ((detail::reg(0xe0001000) & 1u << 25) != 0) return false;  // NOCYCCNT
#endif
        const ticks before = now();
        for (int i = 0; i < 8; ++i) asm volatile("nop");
        return now() != before;
    }
};

/// SysTick as a free-running counter, extended from its 24 bits in software: read it at least once in
/// 2^24 ticks, from one context. Not for firmware whose kernel has SysTick.
class systick_counter {
public:
    using ticks = std::uint32_t;
    explicit systick_counter(std::uint32_t hertz = 0) : hertz_{hertz} {}
    void start() const noexcept {
        detail::reg(0xe000e014) = 0xffffff;  // reload
        detail::reg(0xe000e018) = 0;         // clears the value
        detail::reg(0xe000e010) = 5;         // core clock, no interrupt, on
    }
    [[nodiscard]] ticks now() const noexcept {
        const std::uint32_t value = detail::reg(0xe000e018);
        total_ += (last_ - value) & 0xffffff;  // it counts down
        last_ = value;
        return total_;
    }
    [[nodiscard]] std::uint32_t frequency() const noexcept { return hertz_; }
    [[nodiscard]] bool counts() const noexcept {
        const ticks before = now();
        for (int i = 0; i < 64; ++i) asm volatile("nop");
        return now() != before;
    }

private:
    std::uint32_t hertz_;
    mutable std::uint32_t total_ = 0;
    mutable std::uint32_t last_ = 0;
};

/// All interrupts but NMI and faults wait (PRIMASK).
class critical_section {
public:
    critical_section() { asm volatile("mrs %0, primask\ncpsid i" : "=r"(before_)::"memory"); }
    ~critical_section() { asm volatile("msr primask, %0" ::"r"(before_) : "memory"); }
    critical_section(const critical_section&) = delete;
    critical_section& operator=(const critical_section&) = delete;

private:
    std::uint32_t before_;
};

#if !defined(__ARM_ARCH_6M__) && !defined(__ARM_ARCH_8M_BASE__)
/// Interrupts of priority `Priority` (as BASEPRI has it, in the upper bits) and below wait.
template <std::uint8_t Priority>
class priority_section {
    static_assert(Priority != 0, "BASEPRI 0 masks nothing");

public:
    priority_section() {
        asm volatile("mrs %0, basepri\nmsr basepri_max, %1"
                     : "=&r"(before_)
                     : "r"(std::uint32_t{Priority})
                     : "memory");
    }
    ~priority_section() { asm volatile("msr basepri, %0" ::"r"(before_) : "memory"); }
    priority_section(const priority_section&) = delete;
    priority_section& operator=(const priority_section&) = delete;

private:
    std::uint32_t before_;
};
#endif

/// One MPU region as the unit has it.
struct mpu_region {
    std::uint32_t base;
    std::uint32_t limit;  ///< RASR on PMSAv7, RLAR on PMSAv8
};

/// PMSAv7: a power of two from 32 bytes on, at a multiple of it; from 256 bytes on, also eighths of
/// one (subregions). Empty (limit 0) if `piece` is none of these. Normal, write-back memory.
[[nodiscard]] constexpr mpu_region pmsav7_region(std::uint32_t first, std::uint32_t size,
                                                 access allowed) {
    const std::uint32_t ap = allowed == access::none ? 0u : allowed == access::read ? 5u : 1u;
    for (std::uint32_t log = 5; log < 32 && size != 0; ++log) {
        const std::uint32_t block = std::uint32_t{1} << log;
        const std::uint32_t base = first & ~(block - 1);
        if (first - base > block - size || size > block) continue;
        std::uint32_t disabled = 0;
        if (size != block) {
            const std::uint32_t eighth = block / 8;
            if (block < 256 || (first | size) % eighth != 0) continue;
            for (std::uint32_t i = 0; i < 8; ++i) {
                const std::uint32_t at = base + i * eighth;
                if (at - first >= size) disabled |= 1u << i;
            }
        }
        // B and C: write-back; XN stays 0, as the piece may hold code.
        return {base, ap << 24 | 3u << 16 | disabled << 8 | (log - 1) << 1 | 1};
    }
    return {0, 0};
}

/// The MPU of the core that this is compiled for. The default map stays for memory in no piece.
/// Privileged code is what it guards. On PMSAv8 regions must not overlap, and privileged code cannot
/// be denied reads: there, pieces to read are cut where later pieces allow writing, and `none` is
/// refused. Regions that were in use stay, with their numbers, and override on PMSAv7 if higher.
class memory_guard {
public:
    static constexpr unsigned most = 8;
#if defined(__ARM_ARCH_8M_MAIN__) || defined(__ARM_ARCH_8M_BASE__) || defined(__ARM_ARCH_8_1M_MAIN__)
    static constexpr bool v8 = true;
#else
    static constexpr bool v8 = false;
#endif

    explicit memory_guard(std::span<const guarded> pieces) : status_{program(pieces)} {}
    ~memory_guard() {
        if (status_ == guard_status::active) restore();
    }
    memory_guard(const memory_guard&) = delete;
    memory_guard& operator=(const memory_guard&) = delete;

    [[nodiscard]] guard_status status() const noexcept { return status_; }
    [[nodiscard]] static guard_limits limits() noexcept {
        return {static_cast<std::uint8_t>(detail::reg(0xe000ed90) >> 8), 32, !v8, !v8};
    }

private:
    static volatile std::uint32_t& control() { return detail::reg(0xe000ed94); }
    static mpu_region get(unsigned n) {
        detail::reg(0xe000ed98) = n;
        return {detail::reg(0xe000ed9c), detail::reg(0xe000eda0)};
    }
    static void set(unsigned n, mpu_region r) {
        detail::reg(0xe000ed98) = n;
        detail::reg(0xe000eda0) = 0;
        detail::reg(0xe000ed9c) = v8 ? r.base : r.base & ~std::uint32_t{0x1f};
        detail::reg(0xe000eda0) = r.limit;
    }

    guard_status program(std::span<const guarded> pieces) {
        const unsigned regions = limits().regions;
        if (regions == 0) return pieces.empty() ? guard_status::active : guard_status::absent;
        std::array<mpu_region, most> wanted{};
        if (const auto refused = plan(pieces, wanted); refused != guard_status::active) {
            return refused;
        }
        control_ = control();
        // Above the regions in use, if the unit is on.
        first_ = 0;
        for (unsigned n = 0; n < regions && (control_ & 1) != 0; ++n) {
            if ((get(n).limit & 1) != 0) first_ = n + 1;
        }
        if (first_ + count_ > regions) return guard_status::too_many;
        control() = 0;
        for (unsigned n = 0; n < regions; ++n) {
            if (n >= first_ && n < first_ + count_) {
                set(n, wanted[n - first_]);
            } else if ((control_ & 1) == 0) {
                set(n, {0, 0});
            }
        }
        if constexpr (v8) detail::reg(0xe000edc0) = 0xff;  // attribute 0: normal, write-back
        detail::reg(0xe000ed24) = detail::reg(0xe000ed24) | 1u << 16;  // MemManage, not HardFault
        control() = 5;  // on, with the default map for privileged code
        detail::barrier();
        return guard_status::active;
    }
    void restore() {
        control() = 0;
        for (unsigned n = first_; n < first_ + count_; ++n) set(n, {0, 0});
        control() = control_;
        detail::barrier();
    }

    guard_status plan(std::span<const guarded> pieces, std::array<mpu_region, most>& wanted) {
        if constexpr (v8) return plan_v8(pieces, wanted);
        for (const guarded& piece : pieces) {
            if (count_ == most) return guard_status::too_many;
            const auto region = pmsav7_region(address(piece),
                                              static_cast<std::uint32_t>(piece.size), piece.allowed);
            if (region.limit == 0) return guard_status::misaligned;
            wanted[count_++] = region;
        }
        return guard_status::active;
    }
    guard_status plan_v8(std::span<const guarded> pieces, std::array<mpu_region, most>& wanted) {
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (pieces[i].allowed == access::none) return guard_status::unsupported;
            if (pieces[i].size == 0 || (address(pieces[i]) | pieces[i].size) % 32 != 0) {
                return guard_status::misaligned;
            }
        }
        // What is only read, without what a later piece lets be written or names again.
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            if (pieces[i].allowed != access::read) continue;
            std::uint32_t at = address(pieces[i]);
            const std::uint32_t end = at + static_cast<std::uint32_t>(pieces[i].size);
            while (at < end) {
                std::uint32_t stop = end;
                std::uint32_t next = end;
                for (const guarded& hole : pieces.subspan(i + 1)) {
                    const std::uint32_t first = address(hole);
                    const std::uint32_t last = first + static_cast<std::uint32_t>(hole.size);
                    if (last <= at || first >= stop) continue;
                    stop = first < at ? at : first;
                    next = last;
                }
                if (stop > at) {
                    if (count_ == most) return guard_status::too_many;
                    wanted[count_++] = {at | 4, (stop - 32) | 1};  // AP 2: read-only, privileged
                }
                at = next;
            }
        }
        return guard_status::active;
    }
    static std::uint32_t address(const guarded& piece) {
        return static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(piece.first));
    }

    std::uint32_t control_ = 0;
    unsigned first_ = 0;
    unsigned count_ = 0;
    guard_status status_;
};

static_assert(port::cycle_counter<dwt_counter> && port::cycle_counter<systick_counter> &&
              port::critical_section<critical_section> && port::memory_guard<memory_guard>);

}  // namespace femto::port::cortex_m
