// SPDX-License-Identifier: Apache-2.0
// The tests that mutate.py asks, as one translation unit that compiles in seconds: random programs and
// the replayed inputs of the fuzzers against the model, with the attacks' essence.
#include "model/generator.hpp"
#include "model/machines.hpp"

#include <cstdio>

int main() {
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
