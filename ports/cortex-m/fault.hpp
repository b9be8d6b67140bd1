// SPDX-License-Identifier: Apache-2.0
// The fault handler that `catching` needs; a firmware's vectors point MemManage and HardFault to it.
// Include it in one source file.
#pragma once

#include "../board.hpp"
#include "../recovery.hpp"

extern "C" [[gnu::used]] inline void femto_fault(std::uint32_t* frame) {
    using namespace femto::port;
    auto& cfsr = *reinterpret_cast<volatile std::uint32_t*>(0xe000ed28);
    const auto& mmfar = *reinterpret_cast<volatile std::uint32_t*>(0xe000ed34);
    const std::uint32_t cause = cfsr & 0xff;  // always 0 on ARMv6-M, which has no such register
    // DACCVIOL: a load or store that the MPU refused, also when it escalated to HardFault.
    if ((cause & 0x02) == 0 || detail::recovery_point == nullptr) {
        femto::board::write("fault\n");
        femto::board::exit(3);
    }
    detail::recovered = {frame[6], (cause & 0x80) != 0 ? mmfar : 0};
    cfsr = 0xff;  // write one to clear
    // Off until the guard restores it: `recover` needs memory that the guard may have denied.
    *reinterpret_cast<volatile std::uint32_t*>(0xe000ed94) = 0;
    asm volatile("dsb\nisb" ::: "memory");
    frame[6] = reinterpret_cast<std::uint32_t>(&detail::recover) & ~1u;
    frame[7] = 0x01000000;  // Thumb, and no IT block goes on
}

/// Passes the interrupted code's frame, which lies on the stack that it used.
extern "C" [[gnu::naked]] inline void femto_fault_entry() {
    asm volatile(
        "mov r1, lr\n"
        "movs r0, #4\n"
        "tst r0, r1\n"
        "beq 1f\n"
        "mrs r0, psp\n"
        "b 2f\n"
        "1: mrs r0, msp\n"
        "2: ldr r1, =femto_fault\n"
        "bx r1\n"
        ".ltorg");
}
