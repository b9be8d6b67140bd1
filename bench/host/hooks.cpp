// SPDX-License-Identifier: Apache-2.0
// Firing a hook: without a container, and with the paper's thread counter on it.
#include <support/hook.hpp>

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

namespace {

template <femto::dispatch Dispatch, femto::address_space Space>
void add(const std::string& machine) {
    constexpr femto::config configured{.address_space = Space, .dispatch = Dispatch};
    using device_type = bench::hooked_device<configured, femto::no_critical_section>;
    for (const bool counting : {false, true}) {
        const std::string name = counting ? "hook/thread_counter/" : "hook/empty/";
        benchmark::RegisterBenchmark((name + machine).c_str(), [=](benchmark::State& state) {
            const auto device = std::make_unique<device_type>();
            if (counting && !device->attach_counter()) state.SkipWithError("not attached");
            typename device_type::thread_switch s{1, 2};
            std::uint32_t ran = 0;
            for (auto _ : state) {
                benchmark::DoNotOptimize(s);
                ran += device->fire(s);
            }
            if (ran != device->count(2)) state.SkipWithError("miscounted");
        });
    }
}

const bool added = [] {
    using enum femto::dispatch;
    using enum femto::address_space;
    add<compact, segmented>("compact/segmented");
    add<compact, flat>("compact/flat");
    add<threaded, segmented>("threaded/segmented");
    add<threaded, flat>("threaded/flat");
    return true;
}();

}  // namespace
