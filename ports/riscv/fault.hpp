// SPDX-License-Identifier: Apache-2.0
// The trap handler that `catching` needs; a firmware points mtvec to it. Include it in one source
// file.
#pragma once

#include "../board.hpp"
#include "../recovery.hpp"
#include "csr.hpp"

#include <cstdint>

/// Load and store access faults are what PMP raises. The trap returns to `recover` in machine mode.
extern "C" [[gnu::interrupt("machine"), gnu::aligned(4), gnu::used]] inline void femto_trap() {
    using namespace femto::port;
    const auto cause = FEMTO_CSR_READ("mcause");
    if ((cause != 5 && cause != 7) || detail::recovery_point == nullptr) {
        femto::board::write("trap\n");
        femto::board::exit(3);
    }
    detail::recovered = {FEMTO_CSR_READ("mepc"), FEMTO_CSR_READ("mtval")};
    FEMTO_CSR_CLEAR("mstatus", std::uintptr_t{1} << 17);  // MPRV: `recover` is not guarded
    FEMTO_CSR_WRITE("mepc", reinterpret_cast<std::uintptr_t>(&detail::recover));
}
