// SPDX-License-Identifier: Apache-2.0
// SysTick switches threads, each on the process stack; handlers run on the main stack. ARMv6-M and up.
#include "threads.hpp"

#include <cstring>

namespace threads {
namespace {

volatile std::uint32_t& reg(std::uintptr_t address) {
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}
constexpr std::uint32_t period = 16000;  // ticks of SysTick: 10,000 instructions with -icount shift=6
alignas(8) std::array<std::byte, 4096> handler_stack;
alignas(256) std::array<void (*)(), 16> vectors;
std::uint32_t main_stack_pointer;
// While the timer counts periods, instructions are not counted: see `instructions`.

// Stacked by the core: r0 to r3, r12, lr, pc, xPSR. Saved here: r4 to r11, below them.
[[gnu::naked]] void tick() {
    asm volatile(
        ".syntax unified\n"
        "push {r4, lr}\n"
        "mrs r0, psp\n"
        "subs r0, #32\n"
        "mov r1, r0\n"
        "stmia r1!, {r4-r7}\n"
        "mov r4, r8\nmov r5, r9\nmov r6, r10\nmov r7, r11\n"
        "stmia r1!, {r4-r7}\n"
        "bl femto_next_thread\n"
        "mov r1, r0\n"
        "adds r1, #16\n"
        "ldmia r1!, {r4-r7}\n"
        "mov r8, r4\nmov r9, r5\nmov r10, r6\nmov r11, r7\n"
        "msr psp, r1\n"
        "ldmia r0!, {r4-r7}\n"
        "pop {r0, r1}\n"   // r4 of another thread, and the return code
        "bx r1\n");
}

void* prepare(detail::thread_stack& stack, void (*body)()) {
    auto* const frame = reinterpret_cast<std::uint32_t*>(stack.bytes.data() + stack.bytes.size()) - 16;
    std::memset(frame, 0, 16 * sizeof(std::uint32_t));
    frame[14] = reinterpret_cast<std::uintptr_t>(body) & ~std::uintptr_t{1};
    frame[15] = 0x01000000;  // Thumb
    return frame;
}

}  // namespace

void start(void (*second)(), void (*third)()) {
    detail::stack_pointers = {nullptr, prepare(detail::stacks[0], second),
                              prepare(detail::stacks[1], third)};
    const auto* const old = reinterpret_cast<void (**)()>(reg(0xe000ed08));
    for (std::size_t n = 0; n < vectors.size(); ++n) vectors[n] = old[n];
    vectors[15] = &tick;
    reg(0xe000ed08) = reinterpret_cast<std::uintptr_t>(vectors.data());
    // Main goes on where it is, on the process stack; handlers get a stack of their own.
    asm volatile(
        ".syntax unified\n"
        "mrs %0, msp\n"
        "msr psp, %0\n"
        "movs r0, #2\n"
        "msr control, r0\n"
        "isb\n"
        "msr msp, %1\n"
        : "=&r"(main_stack_pointer)
        : "r"(handler_stack.data() + handler_stack.size())
        : "r0", "memory");
    reg(0xe000e014) = period - 1;
    reg(0xe000e018) = 0;
    reg(0xe000e010) = 7;  // core clock, interrupt, on
}

void stop() {
    reg(0xe000e010) = 0;
    reg(0xe000ed04) = 1u << 25;  // a tick that is pending is none
    asm volatile(
        ".syntax unified\n"
        "mrs r0, psp\n"
        "msr msp, r0\n"
        "movs r0, #0\n"
        "msr control, r0\n"
        "isb\n" ::: "r0", "memory");
}

/// SysTick runs at 25 MHz of virtual time: with `-icount shift=6`, 64 ns an instruction, 1.6 ticks.
std::uint32_t instructions() {
    if (reg(0xe000e010) != 5) {
        reg(0xe000e014) = 0xffffff;
        reg(0xe000e018) = 0;
        reg(0xe000e010) = 5;
    }
    return (0xffffff - reg(0xe000e018)) * 10 / 16;
}

critical_section::critical_section() {
    asm volatile("mrs %0, primask\ncpsid i" : "=r"(before)::"memory");
}
critical_section::~critical_section() { asm volatile("msr primask, %0" ::"r"(before) : "memory"); }

}  // namespace threads
