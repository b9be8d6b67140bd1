// SPDX-License-Identifier: Apache-2.0
// The critical section of the board's port, for the platforms of tests: cores without atomic
// read-modify-write need one.
#pragma once

#if defined(__arm__)
#include "../../ports/cortex-m/femto_port.hpp"
namespace test {
using board_section = femto::port::cortex_m::critical_section;
}
#elif defined(__riscv)
#include "../../ports/riscv/femto_port.hpp"
namespace test {
using board_section = femto::port::riscv::critical_section;
}
#else
#include "../../ports/esp32/femto_port.hpp"
namespace test {
using board_section = femto::port::xtensa::critical_section;
}
#endif
