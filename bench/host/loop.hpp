// SPDX-License-Identifier: Apache-2.0
// Programs that do one thing over and over.
#pragma once

#include <support/engine.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

namespace bench {

using text = std::vector<femto::instruction>;

inline femto::instruction op(std::uint8_t opcode, unsigned dst = 0, unsigned src = 0,
                             std::int32_t offset = 0, std::int32_t imm = 0) {
    return femto::instruction::make(opcode, dst, src, offset, imm);
}

/// `body` 32 times, 100 times over. It may use r0 to r5 and r8, finds the context's address in
/// r7, and is a number of whole instructions without jumps out of it.
inline text repeat(const text& body) {
    text all{op(0xbf, 7, 1), op(0xb7, 6, 0, 0, 100), op(0xb7, 8, 0, 0, 3), op(0xb7, 0, 0, 0, 1),
             op(0xb7, 1, 0, 0, 1), op(0xb7, 2, 0, 0, 1)};
    const auto start = static_cast<std::int32_t>(all.size());
    for (int n = 0; n < 32; ++n) all.insert(all.end(), body.begin(), body.end());
    all.push_back(op(0x17, 6, 0, 0, 1));
    all.push_back(op(0x55, 6, 0, start - static_cast<std::int32_t>(all.size()) - 1, 0));
    all.push_back(op(0xb7, 0));
    all.push_back(op(0x95));
    return all;
}

/// Runs `t` from its first instruction; counts instructions a second.
inline void measure(benchmark::State& state, const text& t, const engine_kind& kind,
                    std::size_t further_regions = 0) {
    const femto::function only[]{{"main", 0}};
    const femto::program p{t, {}, {}, only};
    const auto engine = kind.make();
    alignas(8) std::array<std::byte, 256> context{};
    std::vector<std::array<std::byte, 16>> memory(further_regions);
    for (auto& region : memory) {
        if (engine->map(region) == 0) state.SkipWithError("region not mapped");
    }
    if (!engine->load(p, "main").has_value()) {
        state.SkipWithError("refused by the verifier");
        return;
    }
    for (auto _ : state) {
        if (!engine->run(context, 1'000'000).has_value()) {
            state.SkipWithError("fault");
            break;
        }
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * engine->executed());
    state.counters["instructions"] = engine->executed();
}

/// Registers `t` under `name` for each machine.
inline bool add(const std::string& name, const text& t, std::size_t further_regions = 0) {
    for (const auto& kind : engines) {
        benchmark::RegisterBenchmark((name + "/" + kind.name).c_str(), measure, t, kind,
                                     further_regions);
    }
    return true;
}

}  // namespace bench
