// SPDX-License-Identifier: Apache-2.0
// Programs whose helpers this host need not have: what they call, what an image asks for.
#pragma once

#include "commands.hpp"

#include <femto/disassembler.hpp>
#include <femto/image.hpp>

#include <cstdint>
#include <set>

namespace femto_tool {

/// Lets every helper be called.
struct any_helper {
    static constexpr std::uint64_t bit_of(std::uint32_t) { return 1; }
};
using any_program = femto::verified_program<femto::rules_of(host_config), any_helper>;

[[nodiscard]] inline femto::result<any_program> verify_any(const femto::program& p,
                                                           std::span<std::uint8_t> scratch) {
    return femto::verify<femto::rules_of(host_config), any_helper>(p, scratch);
}

/// Calls `f(pc, id)` for each call of a helper by number.
template <class F>
void for_each_call(const femto::program& p, F f) {
    for (std::uint32_t pc = 0; pc < p.text.size(); pc += femto::disassemble(p.text, pc).slots) {
        const auto& i = p.text[pc];
        if (i.opcode() == 0x85 && i.src() == 0) f(pc, static_cast<std::uint32_t>(i.imm()));
    }
}
[[nodiscard]] inline std::set<std::uint32_t> called_helpers(const femto::program& p) {
    std::set<std::uint32_t> ids;
    for_each_call(p, [&](std::uint32_t, std::uint32_t id) { ids.insert(id); });
    return ids;
}
[[nodiscard]] inline std::set<std::uint32_t> requested_helpers(const femto::image& i) {
    std::set<std::uint32_t> ids;
    for (std::uint32_t n = 0; n < i.helpers(); ++n) ids.insert(i.helper(n));
    return ids;
}

/// What a device does with an image: verified, and no helper is called that it does not ask for.
[[nodiscard]] inline femto::result<any_program> verify_image(const femto::image& i,
                                                             const femto::program& p,
                                                             std::span<std::uint8_t> scratch) {
    auto verified = verify_any(p, scratch);
    if (!verified) return verified;
    const auto requested = requested_helpers(i);
    femto::error refused{};
    for_each_call(p, [&](std::uint32_t pc, std::uint32_t id) {
        if (refused.code == femto::errc::ok && !requested.contains(id)) {
            refused = {femto::errc::illegal_call, pc, id};
        }
    });
    if (refused.code != femto::errc::ok) return femto::failure{refused};
    return verified;
}

}  // namespace femto_tool
