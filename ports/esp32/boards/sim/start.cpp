// SPDX-License-Identifier: Apache-2.0
// QEMU's Xtensa sim board with the call0 ABI (the ESP8266's lx106). Start-up assumes call0; nothing
// outside of this folder does.
#include "../../../recovery.hpp"
#include "../../../start.hpp"

namespace femto::board {
namespace {
/// The simulator's system calls: number in a2, arguments from a3.
std::uint32_t simcall(std::uint32_t number, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    register std::uint32_t a2 asm("a2") = number;
    register std::uint32_t a3 asm("a3") = a;
    register std::uint32_t a4 asm("a4") = b;
    register std::uint32_t a5 asm("a5") = c;
    asm volatile("simcall" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
    return a2;
}
}  // namespace

void write(std::string_view text) {
    simcall(4, 1, reinterpret_cast<std::uintptr_t>(text.data()), text.size());
}
void exit(int status) {
    while (true) simcall(1, static_cast<std::uint32_t>(status), 0, 0);
}
std::span<std::byte> stack() { return {femto_stack_begin, femto_stack_end}; }
}  // namespace femto::board

extern "C" [[noreturn, gnu::used]] void femto_start() { femto::board::start(); }

/// A debug exception: a data breakpoint of a guard, or nothing that this firmware knows. It leaves for
/// `recover` and so needs to keep no register.
extern "C" [[noreturn, gnu::used]] void femto_stopped(std::uintptr_t pc, std::uintptr_t address) {
    using namespace femto::port;
    if (detail::recovery_point == nullptr) {
        femto::board::write("debug exception\n");
        femto::board::exit(3);
    }
    detail::recovered = {pc, address};
    detail::recover();
}

asm(R"(
    .section .text.vectors, "ax"
    .balign 4096
femto_vectors:
    .org 0x10
    j femto_debug
    .org 0x30
    j femto_other
    .org 0x50
    j femto_other
    .org 0x70
    j femto_other
    .literal_position
    .align 4
femto_debug:
    movi a2, 0
    wsr a2, 160         # DBREAKC0: the guard puts back what it was
    rsr a4, 178         # EPC2
    rsr a5, 144         # DBREAKA0
    movi a2, femto_leave
    wsr a2, 178
    rsync
    rfi 2
    .literal_position
    .align 4
femto_leave:            # back below the debug level
    mov a2, a4
    mov a3, a5
    movi a0, femto_stopped
    jx a0
    .literal_position
    .align 4
femto_other:
    movi a2, 1
    movi a3, 4
    simcall
    .section .reset, "ax"
    .global reset_handler
reset_handler:
    j 2f
    .align 4
1:  .word femto_enter
2:  l32r a0, 1b
    jx a0
    .section .text.start, "ax"
    .literal_position
    .global femto_enter
    .align 4
femto_enter:
    movi a0, 0
    wsr a0, ps
    rsync
    movi a0, femto_vectors
    wsr a0, 231         # VECBASE
    rsync
    movi a1, femto_stack_end
    movi a0, femto_start
    jx a0
)");
