// SPDX-License-Identifier: Apache-2.0
// CCOMPARE0 switches threads on the Xtensa simulator (call0 ABI, level-1 interrupt); its handler runs on
// the stack of the thread that it interrupts.
#include "threads.hpp"

#include <cstring>

extern "C" const char femto_thread_vectors[];

namespace threads {
namespace {

constexpr std::uint32_t period = 1000;  // of CCOUNT
constexpr std::uint32_t timer = 1u << 6;  // CCOMPARE0 of the lx106
constexpr std::size_t saved = 20;         // a0 to a15, SAR, EPC1
std::uint32_t vectors_before;

void next_tick() {
    std::uint32_t now = 0;
    asm volatile("rsr %0, ccount" : "=a"(now));
    asm volatile("wsr %0, 240\nesync" ::"a"(now + period));  // CCOMPARE0; clears the interrupt
}
extern "C" [[gnu::used]] void* femto_tick(void* stack_pointer) {
    next_tick();
    return detail::femto_next_thread(stack_pointer);
}

void* prepare(detail::thread_stack& stack, void (*body)()) {
    auto* const frame = reinterpret_cast<std::uint32_t*>(stack.bytes.data() + stack.bytes.size()) - saved;
    std::memset(frame, 0, saved * sizeof(std::uint32_t));
    frame[17] = reinterpret_cast<std::uintptr_t>(body);
    return frame;
}

}  // namespace

void start(void (*second)(), void (*third)()) {
    detail::stack_pointers = {nullptr, prepare(detail::stacks[0], second),
                              prepare(detail::stacks[1], third)};
    asm volatile("rsr %0, 231" : "=a"(vectors_before));
    asm volatile("wsr %0, 231\nrsync" ::"a"(femto_thread_vectors));  // VECBASE
    next_tick();
    asm volatile("wsr %0, 228\nrsync" ::"a"(timer));  // INTENABLE
}
void stop() {
    asm volatile("wsr %0, 228\nrsync" ::"a"(0));
    asm volatile("wsr %0, 231\nrsync" ::"a"(vectors_before));
}

std::uint32_t instructions() { return 0; }

critical_section::critical_section() { asm volatile("rsil %0, 3" : "=a"(before)::"memory"); }
critical_section::~critical_section() { asm volatile("wsr %0, ps\nrsync" ::"a"(before) : "memory"); }

}  // namespace threads

asm(R"(
    .section .text.thread_vectors, "ax"
    .balign 4096
    .global femto_thread_vectors
femto_thread_vectors:
    .org 0x30
    j femto_kernel
    .org 0x50
    j femto_kernel
    .org 0x78
    .literal_position
    .align 4
femto_kernel:
    addi a1, a1, -80
    s32i a0, a1, 0
    s32i a2, a1, 8
    rsr a2, 232          # EXCCAUSE: 4 is a level-1 interrupt
    addi a2, a2, -4
    bnez a2, femto_unexpected
    s32i a3, a1, 12
    s32i a4, a1, 16
    s32i a5, a1, 20
    s32i a6, a1, 24
    s32i a7, a1, 28
    s32i a8, a1, 32
    s32i a9, a1, 36
    s32i a10, a1, 40
    s32i a11, a1, 44
    s32i a12, a1, 48
    s32i a13, a1, 52
    s32i a14, a1, 56
    s32i a15, a1, 60
    rsr a0, 3            # SAR
    s32i a0, a1, 64
    rsr a0, 177          # EPC1
    s32i a0, a1, 68
    mov a2, a1
    movi a0, femto_tick
    callx0 a0
    mov a1, a2
    l32i a0, a1, 64
    wsr a0, 3
    l32i a0, a1, 68
    wsr a0, 177
    rsync
    l32i a0, a1, 0
    l32i a2, a1, 8
    l32i a3, a1, 12
    l32i a4, a1, 16
    l32i a5, a1, 20
    l32i a6, a1, 24
    l32i a7, a1, 28
    l32i a8, a1, 32
    l32i a9, a1, 36
    l32i a10, a1, 40
    l32i a11, a1, 44
    l32i a12, a1, 48
    l32i a13, a1, 52
    l32i a14, a1, 56
    l32i a15, a1, 60
    addi a1, a1, 80
    rfe
femto_unexpected:
    movi a2, 1
    movi a3, 4
    simcall
)");
