// SPDX-License-Identifier: Apache-2.0
// Start-up of every Cortex-M board: vectors, faults, console.
#include "../../semihosting.hpp"
#include "../../start.hpp"
#include "../fault.hpp"

namespace femto::board {
void write(std::string_view text) { semihosting::write(text); }
void exit(int status) { semihosting::exit(status); }
std::span<std::byte> stack() { return {femto_stack_begin, femto_stack_end}; }
}  // namespace femto::board

extern "C" {
[[noreturn]] void reset_handler() { femto::board::start(); }

using vector = void (*)();
/// Only faults are handled; NMI and all others end in the same place.
[[gnu::section(".vectors"), gnu::used]] const vector vectors[16]{
    reinterpret_cast<vector>(femto_stack_end), reset_handler,
    femto_fault_entry, femto_fault_entry,  // NMI, HardFault
    femto_fault_entry, femto_fault_entry,  // MemManage, BusFault
    femto_fault_entry, femto_fault_entry,  // UsageFault, SecureFault
    femto_fault_entry, femto_fault_entry, femto_fault_entry, femto_fault_entry,
    femto_fault_entry, femto_fault_entry, femto_fault_entry, femto_fault_entry};
}
