// SPDX-License-Identifier: Apache-2.0
// Control and status registers. The assembler is told that it knows them, since -march with _zicsr
// finds no C library in some toolchains.
#pragma once

#include <cstdint>

#define FEMTO_ZICSR(text) ".option push\n.option arch, +zicsr\n" text "\n.option pop"
#define FEMTO_CSR_READ(name)                                          \
    ([] {                                                             \
        std::uintptr_t value;                                         \
        asm volatile(FEMTO_ZICSR("csrr %0, " name) : "=r"(value) :: "memory"); \
        return value;                                                 \
    }())
#define FEMTO_CSR_WRITE(name, value) \
    asm volatile(FEMTO_ZICSR("csrw " name ", %0")::"r"(static_cast<std::uintptr_t>(value)) : "memory")
#define FEMTO_CSR_SET(name, bits) \
    asm volatile(FEMTO_ZICSR("csrs " name ", %0")::"r"(static_cast<std::uintptr_t>(bits)) : "memory")
#define FEMTO_CSR_CLEAR(name, bits) \
    asm volatile(FEMTO_ZICSR("csrc " name ", %0")::"r"(static_cast<std::uintptr_t>(bits)) : "memory")
