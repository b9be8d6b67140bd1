// SPDX-License-Identifier: Apache-2.0
// RV32 and RV64 in machine mode: mcycle and minstret, PMP, mstatus.MIE. The ESP32-C3 family, too.
#pragma once

#include <femto/port.hpp>

#include "csr.hpp"

#include <array>
#include <cstdint>

namespace femto::port::riscv {

namespace detail {
/// A 64-bit counter from two 32-bit halves, read until no carry came between them (unprivileged
/// specification, section on Zicntr).
template <class High, class Low>
constexpr std::uint64_t read_halves(High&& high, Low&& low) noexcept {
    while (true) {
        const std::uint32_t before = high();
        const std::uint32_t value = low();
        if (high() == before) return std::uint64_t{before} << 32 | value;
    }
}
#if __riscv_xlen == 64
#define FEMTO_COUNTER(function, name) \
    inline std::uint64_t function() noexcept { return FEMTO_CSR_READ(name); }
#else
#define FEMTO_COUNTER(function, name)                              \
    inline std::uint64_t function() noexcept {                     \
        return read_halves([] { return FEMTO_CSR_READ(name "h"); }, \
                           [] { return FEMTO_CSR_READ(name); });   \
    }
#endif
FEMTO_COUNTER(read_mcycle, "mcycle")
FEMTO_COUNTER(read_minstret, "minstret")
FEMTO_COUNTER(read_cycle, "cycle")
#undef FEMTO_COUNTER

template <std::uint64_t (*Read)() noexcept>
struct counter {
    using ticks = std::uint64_t;
    std::uint32_t hertz = 0;
    [[nodiscard]] ticks now() const noexcept { return Read(); }
    [[nodiscard]] std::uint32_t frequency() const noexcept { return hertz; }
    /// False also while mcountinhibit stops it.
    [[nodiscard]] bool counts() const noexcept {
        const ticks before = now();
        for (int i = 0; i < 8; ++i) asm volatile("nop");
        return now() != before;
    }
};
}  // namespace detail

/// Cycles, of the frequency that the firmware states.
using cycle_counter = detail::counter<&detail::read_mcycle>;
/// Retired instructions; their frequency is unknown by nature.
using instruction_counter = detail::counter<&detail::read_minstret>;
/// Cycles in user mode, where mcounteren.CY permits it, and scounteren.CY on cores with supervisor mode; it
/// traps otherwise.
using user_cycle_counter = detail::counter<&detail::read_cycle>;

/// Clears mstatus.MIE and puts it back.
class critical_section {
public:
    critical_section() {
        asm volatile(FEMTO_ZICSR("csrrci %0, mstatus, 8") : "=r"(before_)::"memory");
    }
    ~critical_section() { FEMTO_CSR_SET("mstatus", before_ & 8); }
    critical_section(const critical_section&) = delete;
    critical_section& operator=(const critical_section&) = delete;

private:
    std::uintptr_t before_;
};

namespace detail {
// CSR numbers are immediates, so a number that varies is a switch.
#define FEMTO_PMP_16(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
inline std::uintptr_t pmp_address(unsigned n) {
    switch (n) {
#define FEMTO_PMP(i) case i: return FEMTO_CSR_READ("pmpaddr" #i);
        FEMTO_PMP_16(FEMTO_PMP)
#undef FEMTO_PMP
        default: return 0;
    }
}
inline void set_pmp_address(unsigned n, std::uintptr_t value) {
    switch (n) {
#define FEMTO_PMP(i) case i: FEMTO_CSR_WRITE("pmpaddr" #i, value); break;
        FEMTO_PMP_16(FEMTO_PMP)
#undef FEMTO_PMP
        default: break;
    }
}
#undef FEMTO_PMP_16
inline std::uintptr_t pmp_word(unsigned n) {
#if __riscv_xlen == 64
    return n == 0 ? FEMTO_CSR_READ("pmpcfg0") : FEMTO_CSR_READ("pmpcfg2");
#else
    return n == 0   ? FEMTO_CSR_READ("pmpcfg0")
           : n == 1 ? FEMTO_CSR_READ("pmpcfg1")
           : n == 2 ? FEMTO_CSR_READ("pmpcfg2")
                    : FEMTO_CSR_READ("pmpcfg3");
#endif
}
inline void set_pmp_word(unsigned n, std::uintptr_t value) {
#if __riscv_xlen == 64
    if (n == 0) FEMTO_CSR_WRITE("pmpcfg0", value);
    else FEMTO_CSR_WRITE("pmpcfg2", value);
#else
    if (n == 0) FEMTO_CSR_WRITE("pmpcfg0", value);
    else if (n == 1) FEMTO_CSR_WRITE("pmpcfg1", value);
    else if (n == 2) FEMTO_CSR_WRITE("pmpcfg2", value);
    else FEMTO_CSR_WRITE("pmpcfg3", value);
#endif
}
inline std::uint8_t pmp_config(unsigned n) {
    return static_cast<std::uint8_t>(pmp_word(n / sizeof(std::uintptr_t)) >>
                                     (n % sizeof(std::uintptr_t) * 8));
}
inline void set_pmp_config(unsigned n, std::uint8_t value) {
    const unsigned shift = n % sizeof(std::uintptr_t) * 8;
    const std::uintptr_t word = pmp_word(n / sizeof(std::uintptr_t));
    set_pmp_word(n / sizeof(std::uintptr_t), (word & ~(std::uintptr_t{0xff} << shift)) |
                                                 std::uintptr_t{value} << shift);
}
}  // namespace detail

/// PMP entries check machine mode only if they are locked, and then until reset. So the guard sets
/// mstatus.MPRV with MPP = U: loads and stores (not fetches) are then checked as those of user mode,
/// while code stays in machine mode, and a trap or interrupt switches that off by itself. Interrupt
/// handlers return with MPP = U again, as the last `mret` left it. Locked entries are never touched;
/// they must come before the free ones, and what they deny stays denied.
class memory_guard {
public:
    explicit memory_guard(std::span<const guarded> pieces) : status_{program(pieces)} {}
    ~memory_guard() {
        if (status_ != guard_status::active) return;
        FEMTO_CSR_CLEAR("mstatus", mprv | mpp);
        restore();
        FEMTO_CSR_SET("mstatus", mstatus_ & (mprv | mpp));
    }
    memory_guard(const memory_guard&) = delete;
    memory_guard& operator=(const memory_guard&) = delete;

    [[nodiscard]] guard_status status() const noexcept { return status_; }
    /// Each piece takes one entry (NAPOT) or two (TOR); one more is for what no piece names.
    [[nodiscard]] static guard_limits limits() noexcept { return {entries, 4, false, true}; }

private:
    static constexpr unsigned entries = 16;
    static constexpr std::uintptr_t mprv = std::uintptr_t{1} << 17;
    static constexpr std::uintptr_t mpp = std::uintptr_t{3} << 11;
    static constexpr std::uint8_t locked = 0x80, tor = 0x08, napot = 0x18;

    struct entry {
        std::uintptr_t address;
        std::uint8_t config;
    };

    guard_status program(std::span<const guarded> pieces) {
        std::array<entry, entries> wanted{};
        unsigned count = 0;
        // The first match decides, so the last piece comes first.
        for (std::size_t i = pieces.size(); i-- > 0;) {
            const auto first = reinterpret_cast<std::uintptr_t>(pieces[i].first);
            const std::uintptr_t size = pieces[i].size;
            const auto allowed = static_cast<std::uint8_t>(
                4 | (pieces[i].allowed == access::none   ? 0
                     : pieces[i].allowed == access::read ? 1
                                                         : 3));
            if (size == 0 || (first | size) % 4 != 0) return guard_status::misaligned;
            if (count + 3 > entries) return guard_status::too_many;
            if (size >= 8 && (size & (size - 1)) == 0 && first % size == 0) {
                wanted[count++] = {(first | (size / 2 - 1)) >> 2,
                                   static_cast<std::uint8_t>(napot | allowed)};
            } else {
                wanted[count++] = {first >> 2, 0};
                wanted[count++] = {(first + size) >> 2, static_cast<std::uint8_t>(tor | allowed)};
            }
        }
        wanted[count++] = {~std::uintptr_t{0}, napot | 7};  // the rest stays as it was

        first_ = 0;
        while (first_ < entries && (detail::pmp_config(first_) & locked) != 0) ++first_;
        // A TOR entry that is locked locks the address before it, too.
        for (unsigned n = first_; n < entries; ++n) {
            if ((detail::pmp_config(n) & locked) != 0) return guard_status::locked;
        }
        if (first_ + count > entries) return guard_status::too_many;
        mstatus_ = FEMTO_CSR_READ("mstatus");
        for (unsigned n = first_; n < entries; ++n) {
            before_[n] = {detail::pmp_address(n), detail::pmp_config(n)};
        }
        FEMTO_CSR_CLEAR("mstatus", mprv);
        for (unsigned n = first_; n < entries; ++n) {
            const entry e = n - first_ < count ? wanted[n - first_] : entry{0, 0};
            detail::set_pmp_config(n, 0);
            detail::set_pmp_address(n, e.address);
            detail::set_pmp_config(n, e.config);
        }
        // Entries that do not exist, or are coarser than the piece, read back as something else.
        for (unsigned n = 0; n < count; ++n) {
            if (detail::pmp_config(first_ + n) != wanted[n].config) {
                restore();
                return n == 0 ? guard_status::absent : guard_status::too_many;
            }
        }
        FEMTO_CSR_CLEAR("mstatus", mpp);
        FEMTO_CSR_SET("mstatus", mprv);
        if ((FEMTO_CSR_READ("mstatus") & mprv) == 0) {  // no user mode, nothing to check as
            restore();
            return guard_status::absent;
        }
        return guard_status::active;
    }
    void restore() {
        for (unsigned n = first_; n < entries; ++n) {
            detail::set_pmp_config(n, 0);
            detail::set_pmp_address(n, before_[n].address);
            detail::set_pmp_config(n, before_[n].config);
        }
    }

    std::array<entry, entries> before_{};
    std::uintptr_t mstatus_ = 0;
    unsigned first_ = 0;
    guard_status status_;
};

static_assert(port::cycle_counter<cycle_counter> && port::critical_section<critical_section> &&
              port::memory_guard<memory_guard>);

}  // namespace femto::port::riscv
