// SPDX-License-Identifier: Apache-2.0
// The firmware of the examples, the same on every board: a program from somewhere else is verified, gets
// one helper, runs, and its result is printed.
#pragma once

#include <board.hpp>
#include <femto/port.hpp>
#include <femto/vm.hpp>

#include <array>
#include <string_view>

namespace example {

/// The firmware's sensor, which programs may ask: typed, so that femto checks the call.
inline std::uint32_t temperature(std::uint32_t sensor) { return 21 + sensor; }

using helpers = femto::helper_set<femto::helper<1, "temperature", &temperature>>;
using machine = femto::vm<femto::config{}, helpers>;

/// if (temperature(1) > 20) return 1; else return 0;
inline constexpr std::array program{
    femto::instruction::make(0xb7, 1, 0, 0, 1),   // r1 = 1
    femto::instruction::make(0x85, 0, 0, 0, 1),   // call temperature
    femto::instruction::make(0xbf, 6, 0),         // r6 = r0
    femto::instruction::make(0xb7, 0, 0, 0, 1),   // r0 = 1
    femto::instruction::make(0x25, 6, 0, 1, 20),  // if r6 > 20 goto +1
    femto::instruction::make(0xb7, 0, 0, 0, 0),   // r0 = 0
    femto::instruction::make(0x95),               // exit
};

/// All memory is the firmware's: 0.9 KiB for the machine, a byte for each instruction to verify.
inline machine vm;
inline std::array<std::uint8_t, program.size()> scratch;

/// 0 if the program ran and said that it is warm. `Guard` and `pieces` are the port's protection of
/// the firmware's own memory while the program runs.
template <class Guard, std::size_t N>
int run(const femto::port::guarded (&pieces)[N]) {
    const auto verified = machine::verify({program, {}, {}, {}}, scratch);
    if (!verified) {
        femto::board::write("refused\n");
        return 1;
    }
    const auto result = [&] {
        const Guard guard{pieces};
        if (guard.status() != femto::port::guard_status::active) {
            femto::board::write("(without a guard)\n");
        }
        return vm.run(*verified, verified->entry(), std::span<std::byte>{}, 1000);
    }();
    if (!result) {
        femto::board::write("failed\n");
        return 1;
    }
    femto::board::write(*result == 1 ? "it is warm\n" : "it is cold\n");
    return *result == 1 ? 0 : 1;
}

}  // namespace example
