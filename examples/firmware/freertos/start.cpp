// SPDX-License-Identifier: Apache-2.0
// Vectors of the board with FreeRTOS's three, and where newlib's console begins.
#include "../../../ports/semihosting.hpp"
#include "../../../ports/start.hpp"

namespace femto::board {
void exit(int status) { semihosting::exit(status); }
}  // namespace femto::board

extern "C" {
void initialise_monitor_handles(void);
int main(void);
void vPortSVCHandler(void);
void xPortPendSVHandler(void);
void xPortSysTickHandler(void);

[[noreturn]] void reset_handler() { femto::board::start(); }
[[noreturn]] void fault_handler() { femto::semihosting::exit(3); }

using vector = void (*)();
[[gnu::section(".vectors"), gnu::used]] const vector vectors[16]{
    reinterpret_cast<vector>(femto_stack_end), reset_handler,
    fault_handler, fault_handler, fault_handler, fault_handler, fault_handler, nullptr,
    nullptr, nullptr, nullptr, vPortSVCHandler,
    fault_handler, nullptr, xPortPendSVHandler, xPortSysTickHandler};
}

int femto_main() {
    initialise_monitor_handles();
    return main();
}
