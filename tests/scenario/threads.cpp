// SPDX-License-Identifier: Apache-2.0
// The part of the scheduler that is the same on every core.
#include "threads.hpp"

namespace threads {

void (*on_switch)(std::uint32_t, std::uint32_t) = nullptr;

namespace detail {
std::array<void*, 3> stack_pointers{};
thread_stack stacks[2];
static std::uint32_t current = 0;

extern "C" [[gnu::used]] void* femto_next_thread(void* stack_pointer) {
    stack_pointers[current] = stack_pointer;
    const std::uint32_t previous = current;
    current = (current + 1) % 3;
    if (on_switch != nullptr) on_switch(previous + 1, current + 1);
    return stack_pointers[current];
}
}  // namespace detail

}  // namespace threads
