// SPDX-License-Identifier: Apache-2.0
// QEMU's virt board, RV32 and RV64, without firmware below: machine mode from the first instruction.
#include "../../../semihosting.hpp"
#include "../../../start.hpp"
#include "../../fault.hpp"

namespace femto::board {
void write(std::string_view text) { semihosting::write(text); }
void exit(int status) { semihosting::exit(status); }
std::span<std::byte> stack() { return {femto_stack_begin, femto_stack_end}; }
}  // namespace femto::board

extern "C" [[noreturn, gnu::used]] void femto_start() {
    FEMTO_CSR_WRITE("mtvec", reinterpret_cast<std::uintptr_t>(&femto_trap));
    femto::board::start();
}

extern "C" [[gnu::naked, gnu::section(".vectors"), gnu::used]] void reset_handler() {
    asm volatile("la sp, femto_stack_end\nj femto_start");
}
