// SPDX-License-Identifier: Apache-2.0
// The example containers against the same sources compiled for this machine, in one run.
#include "guest.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

extern "C" {
using native_function = std::uint64_t(void*, std::uint64_t);
native_function crc32, fletcher32, format, sort;
}

namespace {

/// The same bytes for guest and native code; for fletcher32 they begin with the number of words.
std::array<std::byte, 364> make_context(const std::string& name) {
    std::array<std::byte, 364> c{};
    for (std::size_t n = 0; n < c.size(); ++n) c[n] = static_cast<std::byte>(n * 7 + n / 9);
    const std::uint32_t words = 180;
    if (name == "fletcher32") std::memcpy(c.data(), &words, 4);
    return c;
}

/// The best time of one call of `f(context)`, in nanoseconds.
template <class F>
double nanoseconds(const std::string& name, F&& f) {
    using clock = std::chrono::steady_clock;
    double best = 1e12;
    for (int repeat = 0; repeat < 20; ++repeat) {
        auto context = make_context(name);
        const auto before = clock::now();
        for (int n = 0; n < 100; ++n) {
            if (n % 10 == 0) context = make_context(name);
            benchmark::DoNotOptimize(f(context));
        }
        const std::chrono::duration<double, std::nano> spent = clock::now() - before;
        best = std::min(best, spent.count() / 100);
    }
    return best;
}

template <femto::config Config>
void container(benchmark::State& state, const char* name, native_function* f) {
    bench::guest<Config> g{name};
    const auto v = g.verify();
    const auto native = [&](auto& context) { return f(context.data(), context.size()); };
    auto context = make_context(name);
    auto same = context;
    if (g.run(*v, context) != native(same)) state.SkipWithError("wrong result");
    std::int64_t n = 0;
    for (auto _ : state) {
        if (n++ % 10 == 0) context = make_context(name);
        benchmark::DoNotOptimize(g.run(*v, context));
    }
    const double here = nanoseconds(name, [&](auto& c) { return g.run(*v, c); });
    const double there = nanoseconds(name, native);
    state.counters["executed"] = g.executed();
    state.counters["native_ns"] = there;
    state.counters["x_native"] = here / there;
}

constexpr femto::config threaded{};
constexpr femto::config compact{.dispatch = femto::dispatch::compact};
constexpr femto::config flat{.address_space = femto::address_space::flat};
constexpr femto::config compact_flat{.address_space = femto::address_space::flat,
                                     .dispatch = femto::dispatch::compact};

[[maybe_unused]] const bool registered = [] {
    const auto each = [](const char* name, native_function* f) {
        const auto add = [&](const char* machine, auto* run) {
            benchmark::RegisterBenchmark((std::string{"container/"} + name + machine).c_str(), run,
                                         name, f);
        };
        add("/threaded", &container<threaded>);
        add("/threaded_flat", &container<flat>);
        add("/compact", &container<compact>);
        add("/compact_flat", &container<compact_flat>);
    };
    each("crc32", &::crc32);
    each("fletcher32", &::fletcher32);
    each("format", &::format);
    each("sort", &::sort);
    return true;
}();

}  // namespace
