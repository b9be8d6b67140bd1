// SPDX-License-Identifier: Apache-2.0
// Semihosting, as Arm defined it and RISC-V took it over: console and exit code on an emulator or
// through a debugger. Without either, the breakpoint is a fault.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace femto::semihosting {

inline std::uintptr_t call(std::uintptr_t operation, const void* parameter) {
#if defined(__riscv)
    register std::uintptr_t a0 asm("a0") = operation;
    register const void* a1 asm("a1") = parameter;
    // These three, uncompressed and in one page, are how a debugger knows the call.
    asm volatile(
        ".balign 16\n.option push\n.option norvc\n"
        "slli x0, x0, 0x1f\nebreak\nsrai x0, x0, 7\n.option pop"
        : "+r"(a0)
        : "r"(a1)
        : "memory");
    return a0;
#else
    register std::uintptr_t r0 asm("r0") = operation;
    register const void* r1 asm("r1") = parameter;
    asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

/// SYS_WRITE0 wants a zero at the end, so the text goes through a buffer.
inline void write(std::string_view text) {
    char buffer[81];
    while (!text.empty()) {
        const std::size_t size = std::min(text.size(), sizeof(buffer) - 1);
        std::copy_n(text.data(), size, buffer);
        buffer[size] = 0;
        call(0x04, buffer);
        text.remove_prefix(size);
    }
}

/// SYS_EXIT_EXTENDED, which has a status on 32-bit targets, too.
[[noreturn]] inline void exit(int status) {
    const std::uintptr_t block[2]{0x20026, static_cast<std::uintptr_t>(status)};
    while (true) call(0x20, block);
}

}  // namespace femto::semihosting
