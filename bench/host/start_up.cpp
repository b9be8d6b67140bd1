// SPDX-License-Identifier: Apache-2.0
// What it costs before a container does anything: load, verify, first instruction.
#include "guest.hpp"

#include <benchmark/benchmark.h>

namespace {

using guest = bench::guest<femto::config{}>;

void load(benchmark::State& state, const char* name) {
    guest g{name};
    for (auto _ : state) g.load();
    state.counters["slots"] = static_cast<double>(g.slots());
}
void verify(benchmark::State& state, const char* name) {
    guest g{name};
    for (auto _ : state) benchmark::DoNotOptimize(g.verify());
    state.counters["slots"] = static_cast<double>(g.slots());
}
/// A run of one instruction: what remains is entering and leaving the machine.
void first_instruction(benchmark::State& state) {
    const femto::instruction text[]{femto::instruction::make(0x95)};
    std::uint8_t scratch[1];
    const auto v = femto::vm<>::verify({text, {}, {}, {}}, scratch);
    femto::vm<> m;
    for (auto _ : state) benchmark::DoNotOptimize(m.run(*v, v->entry(), 10));
}
void all(benchmark::State& state, const char* name) {
    guest g{name};
    for (auto _ : state) {
        g.load();
        benchmark::DoNotOptimize(g.verify());
    }
}

BENCHMARK_CAPTURE(load, fletcher32, "fletcher32");
BENCHMARK_CAPTURE(verify, fletcher32, "fletcher32");
BENCHMARK_CAPTURE(all, load_and_verify_fletcher32, "fletcher32");
BENCHMARK_CAPTURE(load, format, "format");
BENCHMARK_CAPTURE(verify, format, "format");
BENCHMARK(first_instruction);

}  // namespace
