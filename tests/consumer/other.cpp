// SPDX-License-Identifier: Apache-2.0
#include <femto/elf.hpp>
#include <femto/femto.hpp>

std::uint32_t other_machine() {
    const femto::instruction text[]{femto::instruction::make(0xb7, 0, 0, 0, 2),
                                    femto::instruction::make(0x95)};
    std::uint8_t scratch[2];
    const auto verified = femto::vm<>::verify({text, {}, {}, {}}, scratch);
    femto::vm<> m;
    return static_cast<std::uint32_t>(m.run(*verified, verified->entry(), 10).value_or(0));
}
