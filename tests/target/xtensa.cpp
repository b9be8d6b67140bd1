// SPDX-License-Identifier: Apache-2.0
#include "guards.hpp"

#include "../../ports/esp32/femto_port.hpp"

using namespace femto::port;

static_assert(xtensa::breakpoint_control(0x60000040, 64, access::read) == 0x80000000);
static_assert(xtensa::breakpoint_control(0x60000044, 4, access::none) == 0xc000003c);
static_assert(xtensa::breakpoint_control(0x60000044, 8, access::read) == 0);
static_assert(xtensa::breakpoint_control(0x60000000, 128, access::read) == 0);

TEST_CASE("xtensa: CCOUNT counts") { CHECK(xtensa::cycle_counter{}.counts()); }

TEST_CASE("xtensa: critical sections nest") {
    const auto level = [] {
        std::uint32_t ps;
        asm volatile("rsr %0, ps" : "=a"(ps));
        return ps & 15;
    };
    CHECK(level() == 0);
    {
        xtensa::critical_section outer;
        CHECK(level() == 3);
        { xtensa::level_section<5> inner; CHECK(level() == 5); }
        CHECK(level() == 3);
    }
    CHECK(level() == 0);
}

TEST_CASE("xtensa: guards refuse what breakpoints cannot do") {
    alignas(64) static std::array<std::byte, 256> memory{};
    const guarded large[]{{&memory[0], 128, access::read}};
    CHECK(xtensa::memory_guard{large}.status() == guard_status::misaligned);
    const guarded grant[]{{&memory[0], 64, access::read_write}};
    CHECK(xtensa::memory_guard{grant}.status() == guard_status::unsupported);
    const std::array<guarded, 3> three{};
    CHECK(xtensa::memory_guard{three}.status() == guard_status::too_many);
}

TEST_CASE("xtensa: a guard stops a stray write of a helper") {
    // The core tells which breakpoint it was, not the address.
    const guarded pieces[]{{&femto_check::secret[0], 64, access::read}};
    femto_check::provoke<xtensa::memory_guard>(pieces, &femto_check::secret[0]);
}
