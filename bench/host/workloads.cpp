// SPDX-License-Identifier: Apache-2.0
// Every workload, native and on each machine: time a run, eBPF instructions a run and a second, and
// the ratio to the native time measured in the same process, directly before.
#include <support/engine.hpp>
#include <support/object.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <map>
#include <string>

extern "C" {
#define FEMTO_WORKLOAD(name, expected) std::uint64_t workload_##name(void*, std::uint64_t);
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
}

namespace {

using native_function = std::uint64_t (*)(void*, std::uint64_t);
using context = std::array<std::byte, 64>;
using clock_type = std::chrono::steady_clock;

std::map<std::string, double>& native_seconds() {
    static std::map<std::string, double> measured;
    return measured;
}

void on_native(benchmark::State& state, const std::string& name, native_function function,
               std::uint64_t expected) {
    alignas(8) context c{};
    std::uint64_t value = 0;
    const auto start = clock_type::now();
    for (auto _ : state) {
        value = function(c.data(), c.size());
        benchmark::DoNotOptimize(value);
    }
    const std::chrono::duration<double> took = clock_type::now() - start;
    native_seconds()[name] = took.count() / static_cast<double>(state.iterations());
    if (value != expected) state.SkipWithError("wrong result");
}

void on_engine(benchmark::State& state, const std::string& name, const bench::engine_kind& kind,
               std::uint64_t expected) {
    bench::object object{std::string{FEMTO_WORKLOADS} + "/" + name + ".o"};
    const auto engine = kind.make();
    if (!object.ok() || !engine->load(object.program(engine->space()), "workload_" + name).has_value()) {
        state.SkipWithError("not loaded");
        return;
    }
    alignas(8) context c{};
    std::uint64_t value = 0;
    const auto start = clock_type::now();
    for (auto _ : state) value = engine->run(c, 1'000'000).value_or(0);
    const std::chrono::duration<double> took = clock_type::now() - start;
    if (value != expected) state.SkipWithError("wrong result");
    const double instructions = engine->executed();
    const auto runs = static_cast<double>(state.iterations());
    state.counters["instructions"] = instructions;
    state.counters["instructions/s"] =
        benchmark::Counter{instructions * runs, benchmark::Counter::kIsRate};
    // Absent when a filter left out the native run.
    if (const double native = native_seconds()[name]; native > 0) {
        state.counters["ratio"] = took.count() / runs / native;
    }
}

void add(const std::string& name, native_function function, std::uint64_t expected) {
    const std::string on = "workload/" + name + "/";
    benchmark::RegisterBenchmark((on + "native").c_str(), on_native, name, function, expected);
    for (const auto& kind : bench::engines) {
        benchmark::RegisterBenchmark((on + kind.name).c_str(), on_engine, name, kind, expected);
    }
}

const bool added = [] {
#define FEMTO_WORKLOAD(name, expected) add(#name, &workload_##name, expected);
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
    return true;
}();

}  // namespace
