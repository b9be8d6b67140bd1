// SPDX-License-Identifier: Apache-2.0
// What every start-up file does once there is a stack: variables, constructors, main.
#pragma once

#include "board.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>

extern "C" {
extern std::uint32_t femto_data_load[], femto_data_begin[], femto_data_end[];
extern std::uint32_t femto_bss_begin[], femto_bss_end[];
extern std::byte femto_stack_begin[], femto_stack_end[];
using femto_constructor = void();
extern femto_constructor *femto_init_begin[], *femto_init_end[];
}

namespace femto::board {

inline constexpr std::byte stack_paint{0xa5};

/// Paints the stack below the caller, for `stack_used`.
[[gnu::noinline]] inline void paint_stack() {
    auto* const here = static_cast<std::byte*>(__builtin_frame_address(0));
    for (volatile std::byte* b = femto_stack_begin; b < here - 64; b = b + 1) *b = stack_paint;
}

/// The most bytes of stack that were in use since `paint_stack`.
inline std::size_t stack_used() {
    const std::byte* b = femto_stack_begin;
    while (b < femto_stack_end && *b == stack_paint) ++b;
    return static_cast<std::size_t>(femto_stack_end - b);
}

[[noreturn]] inline void start() {
    if (&femto_data_load[0] != &femto_data_begin[0]) {
        std::copy(femto_data_load, femto_data_load + (femto_data_end - femto_data_begin),
                  femto_data_begin);
    }
    std::fill(femto_bss_begin, femto_bss_end, 0u);
    for (auto** f = femto_init_begin; f != femto_init_end; ++f) (*f)();
    exit(femto_main());
}

}  // namespace femto::board
