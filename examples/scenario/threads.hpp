// SPDX-License-Identifier: Apache-2.0
// A small preemptive scheduler for tests: two threads beside main, switched round robin by the timer of
// the core, wherever they are. The hook of the scheduler fires in its interrupt.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace threads {

/// Called in the interrupt at each switch; threads are numbered from 1, main is 1.
extern void (*on_switch)(std::uint32_t previous, std::uint32_t next);

/// Starts the timer; from now on main is thread 1 and `second` and `third` run, too.
void start(void (*second)(), void (*third)());
/// Stops the timer; main is alone again.
void stop();

/// Instructions executed, as far as the emulated board counts them: differences are meant. 0 where it
/// does not: the host, and QEMU's Xtensa, whose CCOUNT is a clock.
std::uint32_t instructions();
/// Masks the timer's interrupt.
struct critical_section {
    critical_section();
    ~critical_section();
    critical_section(const critical_section&) = delete;
    critical_section& operator=(const critical_section&) = delete;
    std::uintptr_t before;
};

namespace detail {
// What the assembly of a port calls: takes the stack pointer of the interrupted thread, gives that of
// the next.
extern "C" void* femto_next_thread(void* stack_pointer);
inline constexpr std::size_t stack_size = 2048;
struct alignas(16) thread_stack {
    std::array<std::byte, stack_size> bytes;
};
extern std::array<void*, 3> stack_pointers;
extern thread_stack stacks[2];
}  // namespace detail

}  // namespace threads
