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

int main() {
    static_assert(model::helpers::all::bit_of(1) == 1 && model::helpers::all::bit_of(4) == 8);
    if (!fits_exactly()) return 1;
    for (std::uint64_t seed = 1; seed <= 12000; ++seed) {
        const model::scenario s = model::make_scenario(seed);
        bool good = true;
        test::on_every_vm<model::compared>([&](auto c) {
            model::verdict v;
            good = good && model::compare<decltype(c)>(s, v).empty();
        });
        if (!good) return std::printf("seed %llu\n", static_cast<unsigned long long>(seed)), 1;
    }
    return 0;
}
