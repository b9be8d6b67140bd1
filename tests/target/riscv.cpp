// SPDX-License-Identifier: Apache-2.0
#include "guards.hpp"

#include "../../ports/riscv/femto_port.hpp"

using namespace femto::port;

TEST_CASE("riscv: counters count") {
    CHECK(riscv::cycle_counter{}.counts());
    CHECK(riscv::instruction_counter{}.counts());
}

TEST_CASE("riscv: critical sections nest") {
    FEMTO_CSR_SET("mstatus", 8);
    {
        riscv::critical_section outer;
        { riscv::critical_section inner; }
        CHECK((FEMTO_CSR_READ("mstatus") & 8) == 0);
    }
    CHECK((FEMTO_CSR_READ("mstatus") & 8) == 8);
    FEMTO_CSR_CLEAR("mstatus", 8);
}

TEST_CASE("riscv: guards refuse what PMP cannot do") {
    const guarded odd[]{{&femto_check::secret[2], 32, access::read}};
    CHECK(riscv::memory_guard{odd}.status() == guard_status::misaligned);
    std::array<guarded, 16> many{};
    for (auto& piece : many) piece = {&femto_check::secret[0], 32, access::read};
    CHECK(riscv::memory_guard{many}.status() == guard_status::too_many);
}

TEST_CASE("riscv: a guard stops a stray write of a helper") {
    // From the beginning of RAM to its end only the stack and what is granted may be written: NAPOT,
    // TOR and their order.
    const auto stack = femto::board::stack();
    const guarded pieces[]{
        {reinterpret_cast<const void*>(0x80000000), 0x1000000, access::read},
        {stack.data(), stack.size(), access::read_write},
        {&femto_check::granted[4], femto_check::granted.size() - 4, access::read_write}};
    // `catching` keeps its point of return in variables.
    const guarded with_variables[]{pieces[0], pieces[1], pieces[2],
                                   {&detail::recovery_point, sizeof detail::recovery_point,
                                    access::read_write}};
    femto_check::provoke<riscv::memory_guard>(with_variables);
}

TEST_CASE("riscv: locked entries are kept, and free ones behind them used") {
    // Entry 0, locked, lets all modes do all with the first word of ROM; it stays until reset.
    femto::port::riscv::detail::set_pmp_address(0, 0x1000 >> 2);
    femto::port::riscv::detail::set_pmp_config(0, 0x97);  // L, NA4, RWX
    const guarded pieces[]{{femto_check::secret.data(), femto_check::secret.size(), access::read}};
    femto_check::secret.fill(std::byte{0});
    femto_check::provoke<riscv::memory_guard>(pieces);
    CHECK(femto::port::riscv::detail::pmp_config(0) == 0x97);
    femto::port::riscv::detail::set_pmp_config(15, 0x80);
    CHECK(riscv::memory_guard{pieces}.status() == guard_status::locked);
}
