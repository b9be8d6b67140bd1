// SPDX-License-Identifier: Apache-2.0
// The tests that mutate.py asks, as one translation unit that compiles in seconds: random programs on
// every machine against the model and the judgement of the verifier.
#include "model/generator.hpp"
#include "model/machines.hpp"

#include <cstdio>

/// A text of exactly as many slots as are allowed.
bool fits_exactly() {
    const std::array text{test::op(0xb7), test::op(0x95)};
    std::array<std::uint8_t, 2> scratch{};
    return femto::vm<femto::config{.max_instructions = 2}>::verify({text, {}, {}, {}}, scratch).has_value();
}

#if !FEMTO_TWO_MACHINES || FEMTO_FOR_SIZE
/// The compiler runs a program with calls, and accesses of each width: bytes go one by one here, whatever the host's order.
constexpr bool runs_in_constant_expressions() {
    using test::op;
    const std::array text{op(0xb7, 6, 0, 0, 2),                                         // r6 = 2
                          op(0x85, 0, 1, 0, 3), op(0x17, 6, 0, 0, 1),                   // do r0 = f(); while (--r6 != 0)
                          op(0x55, 6, 0, -3), op(0x95),                                 // return r0
                          op(0x7a, 10, 0, -8, -0x10203041), op(0x6a, 10, 0, -8, 0x99),  // a u64 and a u16 into the frame
                          op(0x61, 1, 10, -8), op(0x71, 2, 10, -5), op(0x0f, 1, 2),     // r1 = the low word + its high byte
                          op(0xdb, 10, 6, -8, 1), op(0x79, 0, 10, -8),                  // fetch and add r6
                          op(0x0f, 0, 1), op(0x95)};
    std::array<std::uint8_t, text.size()> scratch{};
    const auto verified = femto::vm<>::verify({text, {}, {}, {}}, scratch);
    femto::vm<> m;
    const auto result = m.run(*verified, verified->entry(), 100);
    constexpr std::uint64_t stored = (static_cast<std::uint64_t>(-0x10203041) & ~std::uint64_t{0xffff}) | 0x99;
    return *result == stored + 1 + (stored & 0xffffffff) + (stored >> 24 & 0xff) && m.executed() == 2 + 2 * 12;
}
static_assert(runs_in_constant_expressions());
#endif

#if FEMTO_TWO_MACHINES
constexpr std::uint64_t programs = 3000;
#else
constexpr std::uint64_t programs = 12000;
#endif

/// Calls `check` with the machines to ask: all, or two that compile in half the time and notice most.
template <class Check>
void on_machines(Check&& check) {
#if FEMTO_TWO_MACHINES
    constexpr auto with = [](femto::dispatch dispatch, femto::address_space space) {
        femto::config c = model::compared;
        c.dispatch = dispatch;
        c.address_space = space;
        return c;
    };
    check(test::kind<with(femto::dispatch::compact, femto::address_space::segmented), false>{});
    check(test::kind<with(femto::dispatch::threaded, femto::address_space::flat), true>{});
#else
    test::on_every_vm<model::compared>(check);
#endif
}

int main() {
    static_assert(model::helpers::all::bit_of(1) == 1 && model::helpers::all::bit_of(4) == 8);
    if (!fits_exactly()) return 1;
    for (std::uint64_t seed = 1; seed <= programs; ++seed) {
        const model::scenario s = model::make_scenario(seed);
        bool good = true;
        on_machines([&](auto c) {
            model::verdict v;
            good = good && model::compare<decltype(c)>(s, v).empty();
        });
        if (!good) return std::printf("seed %llu\n", static_cast<unsigned long long>(seed)), 1;
    }
    return 0;
}
