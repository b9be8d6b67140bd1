// SPDX-License-Identifier: Apache-2.0
// Instructions retired under QEMU with -icount, by the timer that each core has. Every instruction
// takes the same virtual time there, so a timer counts them: minstret on RISC-V exactly, CCOUNT on
// Xtensa and SysTick on Arm after calibration by a loop of known length, to one instruction if a tick
// is not longer.
#pragma once

#include <cstdint>

#if defined(__riscv)
#include "riscv/femto_port.hpp"
#elif defined(__XTENSA__)
#include "esp32/femto_port.hpp"
#else
#include "cortex-m/femto_port.hpp"
#endif

namespace bench {

#if defined(__riscv)
using femto::port::riscv::critical_section;
#elif defined(__XTENSA__)
using femto::port::xtensa::critical_section;
#else
using femto::port::cortex_m::critical_section;
#endif

class instruction_count {
public:
    /// Calibrates.
    instruction_count() {
        const auto ticks_of = [this](std::uint32_t turns) {
            start();
            spin(turns);
            return stop();
        };
        // A million instructions apart. The ratio is one of small numbers, so what is odd about it
        // is where in a tick the two readings were.
        const std::uint32_t difference = ticks_of(510'000) - ticks_of(10'000);
        ticks_ = (difference + 50) / 100 * 100;
        overhead_ = of([] {});
        counted_ = of([] { spin(known / 2); });
    }
    static constexpr std::uint32_t known = 24'690;
    /// What was counted for a loop of `known` instructions.
    [[nodiscard]] std::uint32_t counted() const { return counted_; }
    /// Within one tick.
    [[nodiscard]] bool works() const {
        const std::uint32_t tick = 1'000'000 / ticks_ + 1;
        return counted_ + tick >= known && counted_ <= known + tick + 1;
    }

    /// Instructions of `f()`, less what counting costs.
    template <class F>
    [[nodiscard, gnu::noinline]] std::uint32_t of(F&& f) {
        start();
        f();
        const std::uint32_t ticks = stop();
        return static_cast<std::uint32_t>((std::uint64_t{ticks} * 1'000'000 + ticks_ / 2) /
                                          ticks_) -
               overhead_;
    }

private:
    /// Two instructions a turn.
    static void spin(std::uint32_t turns) {
#if defined(__arm__)
        asm volatile(".syntax unified\n1: subs %0, %0, #1\nbne 1b" : "+l"(turns)::"cc");
#else
        asm volatile("1: addi %0, %0, -1\nbnez %0, 1b" : "+r"(turns));
#endif
    }

#if defined(__riscv)
    void start() { before_ = FEMTO_CSR_READ("minstret"); }
    std::uint32_t stop() {
        return static_cast<std::uint32_t>(FEMTO_CSR_READ("minstret") - before_);
    }
    std::uintptr_t before_ = 0;
#elif defined(__XTENSA__)
    void start() { before_ = femto::port::xtensa::cycle_counter{}.now(); }
    std::uint32_t stop() { return femto::port::xtensa::cycle_counter{}.now() - before_; }
    std::uint32_t before_ = 0;
#else
    // SysTick counts 24 bits down. From its top at each start, so that COUNTFLAG means too many.
    void start() {
        using femto::port::cortex_m::detail::reg;
        femto::port::cortex_m::systick_counter{}.start();
        while (reg(0xe000e018) == 0) {}
        static_cast<void>(std::uint32_t{reg(0xe000e010)});  // clears COUNTFLAG, which the reload set
        before_ = reg(0xe000e018);
    }
    /// All ones if SysTick wrapped around, so that no result can look right.
    std::uint32_t stop() {
        using femto::port::cortex_m::detail::reg;
        const std::uint32_t value = reg(0xe000e018);
        return (reg(0xe000e010) & 1u << 16) != 0 ? 0xffffffff : before_ - value;
    }
    std::uint32_t before_ = 0;
#endif

    std::uint32_t ticks_ = 1;  ///< of a million instructions
    std::uint32_t overhead_ = 0;
    std::uint32_t counted_ = 0;
};

}  // namespace bench
