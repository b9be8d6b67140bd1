// SPDX-License-Identifier: Apache-2.0
#include "clock.hpp"

#include "../../../ports/riscv/femto_port.hpp"

std::uint64_t instructions() { return femto::port::riscv::instruction_counter{}.now(); }
