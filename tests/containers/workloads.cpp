// SPDX-License-Identifier: Apache-2.0
// The workloads' results, native and on every machine, twice each: a run leaves nothing behind.
#include "catch.hpp"

#include <support/engine.hpp>
#include <support/object.hpp>

#include <array>
#include <string>

extern "C" {
#define FEMTO_WORKLOAD(name, expected) std::uint64_t workload_##name(void*, std::uint64_t);
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
}

namespace {

struct workload {
    const char* name;
    std::uint64_t (*native)(void*, std::uint64_t);
    std::uint64_t expected;
};
constexpr workload all[] = {
#define FEMTO_WORKLOAD(name, expected) {#name, &workload_##name, expected},
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
};

}  // namespace

TEST_CASE("workloads: native results") {
    for (const workload& w : all) {
        INFO(w.name);
        alignas(8) std::array<std::byte, 64> context{};
        CHECK(w.native(context.data(), context.size()) == w.expected);
        CHECK(w.native(context.data(), context.size()) == w.expected);
    }
}

TEST_CASE("workloads: results, size and length of the run on every machine") {
    for (const workload& w : all) {
        for (const auto& kind : bench::engines) {
            INFO(w.name << " on " << kind.name);
            bench::object object{std::string{FEMTO_WORKLOADS} + "/" + w.name + ".o"};
            REQUIRE(object.ok());
            const auto engine = kind.make();
            const auto p = object.program(engine->space());
            CHECK(p.rodata.size() + p.data.size() <= 4096);
            REQUIRE(engine->load(p, std::string{"workload_"} + w.name).has_value());
            alignas(8) std::array<std::byte, 64> context{};
            for (int turn = 0; turn < 2; ++turn) {
                const auto result = engine->run(context, 200'000);
                if (!result.has_value()) {
                    INFO("fault: " << static_cast<int>(result.error().code) << " at "
                                   << result.error().pc);
                    REQUIRE(result.has_value());
                }
                CHECK(*result == w.expected);
            }
        }
    }
}
