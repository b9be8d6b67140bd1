// SPDX-License-Identifier: Apache-2.0
// What a memory guard promises, provoked: a helper that writes where the host may not during a run ends
// in the port's fault handler, and the firmware goes on. For each port's own tests.
#pragma once

#include "check.hpp"

#include "../../ports/board.hpp"
#include "../../ports/recovery.hpp"

#include <femto/port.hpp>
#include <femto/vm.hpp>

#include <array>
#include <cstring>

namespace femto_check {

alignas(1024) inline std::array<std::byte, 1024> secret{};
alignas(1024) inline std::array<std::byte, 1024> granted{};


inline void stray(std::uint32_t offset) {
    reinterpret_cast<volatile std::byte&>(secret[offset & 1023]) = std::byte{1};
}
inline void proper(std::uint32_t offset) {
    reinterpret_cast<volatile std::byte&>(granted[offset & 1023]) = std::byte{1};
}

template <class Guard>
void provoke(std::span<const femto::port::guarded> pieces, const void* reported = &secret[12]) {
    using namespace femto;
    using machine = vm<config{.dispatch = dispatch::compact},
                       helper_set<helper<1, "stray", &stray>, helper<2, "proper", &proper>>>;
    const auto run = [&](std::int32_t which, port::guard_fault& fault) {
        const std::array text{instruction::make(0xb7, 1, 0, 0, 12),
                              instruction::make(0x85, 0, 0, 0, which), instruction::make(0x95)};
        std::array<std::uint8_t, 3> scratch{};
        const auto verified = machine::verify({text, {}, {}, {}}, scratch);
        REQUIRE(verified.has_value());
        machine m;
        bool ran = false;
        {
            Guard guard{pieces};
            REQUIRE(guard.status() == port::guard_status::active);
            ran = port::catching([&] {
                static_cast<void>(m.run(*verified, verified->entry(), std::span<std::byte>{}, 10));
            }, fault);
        }
        return ran;
    };
    secret.fill(std::byte{0});
    for (int again = 0; again < 2; ++again) {  // the second time shows that all was restored
        port::guard_fault fault{};
        CHECK(run(2, fault));
        CHECK(granted[12] == std::byte{1});
        CHECK(!run(1, fault));
        CHECK(secret[12] == std::byte{0});
        CHECK(fault.address == reinterpret_cast<std::uintptr_t>(reported));
        stray(0);  // no guard, no fault
        CHECK(secret[0] == std::byte{1});
    }
    print("  a stray write was stopped and the firmware went on\n");
}

}  // namespace femto_check
