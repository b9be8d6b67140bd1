// SPDX-License-Identifier: Apache-2.0
// The machine timer of QEMU's virt board switches threads; its trap runs on the stack of the thread that
// it interrupts.
#include "threads.hpp"

#include "../../ports/riscv/csr.hpp"

#include <cstring>

namespace threads {
namespace {

constexpr std::uint32_t period = 100;  // of 10 MHz: 10,000 instructions with -icount shift=0
constexpr std::size_t saved = 32;      // registers 1 and 3 to 31, mepc
std::uintptr_t vector_before;

volatile std::uint32_t& word(std::uintptr_t address) {
    return *reinterpret_cast<volatile std::uint32_t*>(address);
}
void next_tick() {
    std::uint64_t now = 0;
    std::uint32_t high = 0;
    do {
        high = word(0x200bffc);
        now = std::uint64_t{high} << 32 | word(0x200bff8);
    } while (word(0x200bffc) != high);
    const std::uint64_t then = now + period;
    word(0x2004004) = 0xffffffff;
    word(0x2004000) = static_cast<std::uint32_t>(then);
    word(0x2004004) = static_cast<std::uint32_t>(then >> 32);
}
extern "C" [[gnu::used]] void* femto_tick(void* stack_pointer) {
    next_tick();
    return detail::femto_next_thread(stack_pointer);
}

#if __riscv_xlen == 64
#define WORD "8"
#define STORE "sd"
#define LOAD "ld"
#else
#define WORD "4"
#define STORE "sw"
#define LOAD "lw"
#endif
#define EACH(X) \
    X(1) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) \
    X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define SAVE(n) STORE " x" #n ", " #n "*" WORD "(sp)\n"
#define RESTORE(n) LOAD " x" #n ", " #n "*" WORD "(sp)\n"

[[gnu::naked, gnu::aligned(4)]] void trap() {
    asm volatile("addi sp, sp, -32*" WORD "\n" EACH(SAVE)
                 FEMTO_ZICSR("csrr a0, mepc") "\n" STORE " a0, 0(sp)\n"
                 "mv a0, sp\n"
                 "call femto_tick\n"
                 "mv sp, a0\n" LOAD " a0, 0(sp)\n"
                 FEMTO_ZICSR("csrw mepc, a0") "\n" EACH(RESTORE)
                 "addi sp, sp, 32*" WORD "\n"
                 "mret\n");
}

void* prepare(detail::thread_stack& stack, void (*body)()) {
    auto* const frame = reinterpret_cast<std::uintptr_t*>(stack.bytes.data() + stack.bytes.size()) - saved;
    std::memset(frame, 0, saved * sizeof(std::uintptr_t));
    frame[0] = reinterpret_cast<std::uintptr_t>(body);
    std::uintptr_t global = 0;
    asm volatile("mv %0, gp" : "=r"(global));
    frame[3] = global;
    return frame;
}

}  // namespace

void start(void (*second)(), void (*third)()) {
    detail::stack_pointers = {nullptr, prepare(detail::stacks[0], second),
                              prepare(detail::stacks[1], third)};
    vector_before = FEMTO_CSR_READ("mtvec");
    FEMTO_CSR_WRITE("mtvec", reinterpret_cast<std::uintptr_t>(&trap));
    FEMTO_CSR_SET("mstatus", std::uintptr_t{3} << 11);  // `mret` leads to machine mode
    next_tick();
    FEMTO_CSR_SET("mie", std::uintptr_t{1} << 7);
    FEMTO_CSR_SET("mstatus", std::uintptr_t{8});
}
void stop() {
    FEMTO_CSR_CLEAR("mstatus", std::uintptr_t{8});
    FEMTO_CSR_CLEAR("mie", std::uintptr_t{1} << 7);
    FEMTO_CSR_WRITE("mtvec", vector_before);
}

std::uint32_t instructions() { return static_cast<std::uint32_t>(FEMTO_CSR_READ("minstret")); }

critical_section::critical_section() {
    asm volatile(FEMTO_ZICSR("csrrci %0, mstatus, 8") : "=r"(before)::"memory");
}
critical_section::~critical_section() { FEMTO_CSR_SET("mstatus", before & 8); }

}  // namespace threads
