// SPDX-License-Identifier: Apache-2.0
// What a firmware of this repository asks of its board: a console, an end, its stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace femto::board {

/// Writes to the console and returns when it is written. Not for ISRs.
void write(std::string_view text);
/// Ends the firmware; `status` becomes that of the emulator.
[[noreturn]] void exit(int status);
/// The memory that the linker script gave to the stack.
[[nodiscard]] std::span<std::byte> stack();

}  // namespace femto::board

/// The firmware; its value is the status that it ends with. (ISO C++ lets nobody call `main`.)
int femto_main();
