// SPDX-License-Identifier: Apache-2.0
#include "guards.hpp"

#include "../../ports/cortex-m/femto_port.hpp"

using namespace femto::port;

static_assert(cortex_m::pmsav7_region(0x20000000, 32, access::read).limit == 0x05030009);
// Three eighths of 256 bytes; 40 bytes are no eighths of anything.
static_assert(cortex_m::pmsav7_region(0x20000020, 96, access::read).limit == 0x0503f10f);
static_assert(cortex_m::pmsav7_region(0x20000020, 40, access::read).limit == 0);
static_assert(cortex_m::pmsav7_region(0x20000100, 0x300, access::read_write).limit == 0x01030313);

TEST_CASE("cortex-m: a counter that stands still says so") {
    cortex_m::dwt_counter dwt;
    dwt.start();
    CHECK(!dwt.counts());  // QEMU has none
    cortex_m::systick_counter systick{25'000'000};
    systick.start();
    bool counts = false;  // the emulator's timer waits for a thread of the host
    for (int n = 0; n < 1000 && !counts; ++n) counts = systick.counts();
    CHECK(counts);
}

TEST_CASE("cortex-m: critical sections nest") {
    const auto masked = [] {
        std::uint32_t primask;
        asm volatile("mrs %0, primask" : "=r"(primask));
        return primask;
    };
    CHECK(masked() == 0);
    {
        cortex_m::critical_section outer;
        { cortex_m::critical_section inner; }
        CHECK(masked() == 1);
    }
    CHECK(masked() == 0);
}

TEST_CASE("cortex-m: priority sections nest, and an inner one never lets more through") {
#if !defined(__ARM_ARCH_6M__)  // which has no BASEPRI
    const auto basepri = [] {
        std::uint32_t value;
        asm volatile("mrs %0, basepri" : "=r"(value));
        return value;
    };
    CHECK(basepri() == 0);
    {
        cortex_m::priority_section<0x40> outer;
        CHECK(basepri() == 0x40);
        { cortex_m::priority_section<0x80> weaker; CHECK(basepri() == 0x40); }
        { cortex_m::priority_section<0x20> stronger; CHECK(basepri() == 0x20); }
        CHECK(basepri() == 0x40);
    }
    CHECK(basepri() == 0);
#endif
}

TEST_CASE("cortex-m: guards refuse what the MPU cannot do") {
    alignas(32) static std::array<std::byte, 96> memory{};
    const guarded odd[]{{&memory[4], 32, access::read}};
    CHECK(cortex_m::memory_guard{odd}.status() == guard_status::misaligned);
    if (cortex_m::memory_guard::v8) {
        const guarded none[]{{&memory[0], 32, access::none}};
        CHECK(cortex_m::memory_guard{none}.status() == guard_status::unsupported);
    }
    std::array<guarded, 9> many{};
    for (auto& piece : many) piece = {&memory[0], 32, access::read};
    if (!cortex_m::memory_guard::v8) {
        CHECK(cortex_m::memory_guard{many}.status() == guard_status::too_many);
    }
}

TEST_CASE("cortex-m: a guard stops a stray write of a helper") {
    const auto stack = femto::board::stack();
    // All RAM around the data may only be read, but for the stack and what is granted.
    const guarded pieces[]{{femto_check::secret.data(), femto_check::secret.size(), access::read},
                           {stack.data(), stack.size(), access::read_write},
                           {femto_check::granted.data(), femto_check::granted.size(),
                            access::read_write}};
    femto_check::provoke<cortex_m::memory_guard>(pieces);
}
