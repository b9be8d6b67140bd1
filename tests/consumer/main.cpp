// SPDX-License-Identifier: Apache-2.0
// The smallest firmware that embeds femto; README.md shows it.
#include <femto/femto.hpp>

#include <array>
#include <cstdint>

namespace {

std::uint32_t now_ms() { return 1234; }

// Helpers are C++ functions; the machine checks what their parameters ask for.
using helpers = femto::helper_set<femto::helper<0x20, "now_ms", &now_ms>>;
using machine = femto::vm<femto::config{.stack_size = 256}, helpers>;

// call now_ms; exit. Firmware gets this from a file, over the network, or from flash.
constexpr std::array text{femto::instruction::make(0x85, 0, 0, 0, 0x20),
                          femto::instruction::make(0x95)};

}  // namespace

std::uint32_t other_machine();

int main() {
    std::array<std::uint8_t, text.size()> scratch;
    const auto verified = machine::verify({.text = text}, scratch);
    if (!verified) return 1;  // verified.error() says what and where

    machine m;
    std::array<std::byte, 16> context{};
    const auto result = m.run(*verified, verified->entry(), context, /*fuel=*/1000);
    if (!result) return 2;
    return *result == 1234 && other_machine() == 2 ? 0 : 3;
}
