// SPDX-License-Identifier: Apache-2.0
#include "guards.hpp"

#include "../../ports/riscv/femto_port.hpp"

using namespace femto::port;

TEST_CASE("riscv: counters count") {
    CHECK(riscv::cycle_counter{}.counts());
    CHECK(riscv::instruction_counter{}.counts());
}

namespace {
/// A counter that goes on by `step` with each half that is read.
constexpr std::uint64_t read_while_it_counts(std::uint64_t at, std::uint64_t step) {
    return riscv::detail::read_halves(
        [&] { return static_cast<std::uint32_t>((at += step) >> 32); },
        [&] { return static_cast<std::uint32_t>(at += step); });
}
static_assert(read_while_it_counts(0x100000000, 1) == 0x100000002);
static_assert(read_while_it_counts(0x1ffffffff - 1, 1) == 0x200000003);  // the carry comes after the low half
static_assert(read_while_it_counts(0x1ffffffff - 2, 1) == 0x200000002);  // and after the first high one
}  // namespace

TEST_CASE("riscv: the cycle counter never goes backwards") {
    const riscv::cycle_counter counter;
    std::uint64_t last = counter.now();
    bool backwards = false;
    for (int n = 0; n < 10000; ++n) {
        const std::uint64_t now = counter.now();
        backwards = backwards || now < last;
        last = now;
    }
    CHECK(!backwards);
}

namespace {
extern "C" [[gnu::used]] std::uintptr_t femto_cycles_in_user_mode() {
    const riscv::user_cycle_counter counter;
    const auto before = counter.now();
    for (int n = 0; n < 100; ++n) asm volatile("nop");
    return static_cast<std::uintptr_t>(counter.now() - before);
}
}  // namespace

TEST_CASE("riscv: user mode reads its own counter") {
    // To user mode and back by an environment call; everything is allowed there by one entry of PMP.
    FEMTO_CSR_SET("mcounteren", 1);
    FEMTO_CSR_SET("scounteren", 1);
    FEMTO_CSR_WRITE("pmpaddr0", ~std::uintptr_t{0});
    FEMTO_CSR_WRITE("pmpcfg0", 0x1f);
    const std::uintptr_t vector = FEMTO_CSR_READ("mtvec");
    register std::uintptr_t cycles asm("a0") = 0;
    asm volatile(FEMTO_ZICSR("la t0, 2f\n csrw mtvec, t0\n"
                             "li t0, 0x1800\n csrc mstatus, t0\n"  // MPP = U
                             "la t0, 1f\n csrw mepc, t0\n mret\n"
                             "1: call femto_cycles_in_user_mode\n ecall\n"
                             ".balign 4\n2:")
                 : "=r"(cycles)
                 :
                 : "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a1", "a2", "a3", "a4", "a5", "a6", "a7",
                   "memory");
    const std::uintptr_t counted = cycles;
    const std::uintptr_t cause = FEMTO_CSR_READ("mcause");
    FEMTO_CSR_WRITE("mtvec", vector);
    FEMTO_CSR_WRITE("pmpcfg0", 0);
    FEMTO_CSR_CLEAR("scounteren", 1);
    FEMTO_CSR_CLEAR("mcounteren", 1);
    CHECK(cause == 8);  // an environment call from user mode
    CHECK(counted > 0);
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
