// SPDX-License-Identifier: Apache-2.0
// What each stage of an update takes on the host, with real cryptography; on boards the test
// `target.update-*` prints the same in instructions.
#include "../../tests/update/author.hpp"
#include "../../tests/update/image_of.hpp"

#include <femto/helpers/store.hpp>
#include <femto/update/hook_component.hpp>
#include <femto/update/ram_storage.hpp>
#include <femto/update/updater.hpp>

#include <benchmark/benchmark.h>

namespace {

using namespace test;

raw small_container() {
    const instruction text[]{instruction::make(0xb7, 0, 0, 0, 1), instruction::make(0x95, 0, 0, 0, 0)};
    return image_of(text);
}

struct platform {
    using guard = no_critical_section;
    store_pool<4, guard> stores;
};
using engine_type = engine<platform, helpers::stores<platform>, engine_config{.sleepers = 0}>;
using slots_type = component_slots<ram_storage<2048>, sodium_crypto::hash, 512>;

/// A device and an envelope for it.
struct setting {
    platform host{};
    engine_type engine{host};
    tenant_offer everyone[1]{{}};
    hook_declaration declared{{}, hook_policy::all, everyone};
    engine_type::hook<std::uint64_t> place{declared};
    ram_storage<2048> memory{};
    slots_type slots{memory};
    hook_component<engine_type, decltype(place), slots_type> component{engine, place, slots};
    crypto_backends backends{};
    std::vector<bytes> rights{first_hook, draft_component};
    trust_anchor anchors[2]{{key_type::ed25519, ed25519_key, {}, rights},
                            {key_type::p256, p256_key, {}, rights}};
    update_policy policy{anchors, {vendor, device_class, {}}};
    updater<limits{}, decltype(backends.both), decltype(component)> updates{backends.both, policy,
                                                                            component};
    raw envelope = envelope_for(1, {{first_hook, small_container()}});

    setting() {
        std::ranges::copy(first_hook, declared.id.bytes.begin());
        if (!slots.format().has_value()) std::abort();
    }
    auto plan() {
        return prepare_update(backends.both, anchors, policy.identity, updates, envelope);
    }
};

void require(benchmark::State& state, bool good) {
    if (!good) state.SkipWithError("refused");
}

void authenticate_p256(benchmark::State& state) {
    setting s;
    const auto envelope = vector_of("libcsuit-esp256-exp1");
    for (auto _ : state)
        require(state, authenticate(s.backends.both, s.anchors, envelope).has_value());
}
void authenticate_ed25519(benchmark::State& state) {
    setting s;
    for (auto _ : state)
        require(state, authenticate(s.backends.both, s.anchors, s.envelope).has_value());
}
void manifest_members(benchmark::State& state) {
    setting s;
    const auto signed_by = authenticate(s.backends.both, s.anchors, s.envelope);
    for (auto _ : state) require(state, read_manifest(*signed_by).has_value());
}
void prepare(benchmark::State& state) {
    setting s;
    for (auto _ : state) require(state, s.plan().has_value());
}
void stage_image(benchmark::State& state) {
    setting s;
    const auto plan = s.plan();
    for (auto _ : state) {
        const auto& one = plan->components[0];
        require(state, s.slots.begin(one.size).has_value() &&
                           s.slots.write_chunk(0, one.payload).has_value());
        s.slots.abort();
    }
}
void match_image(benchmark::State& state) {
    setting s;
    const auto plan = s.plan();
    const auto& one = plan->components[0];
    sha256_digest digest{};
    std::copy_n(one.image_digest, digest.size(), digest.begin());
    for (auto _ : state) {
        state.PauseTiming();
        require(state, s.slots.begin(one.size).has_value() &&
                           s.slots.write_chunk(0, one.payload).has_value());
        state.ResumeTiming();
        require(state, s.slots.finish(digest).has_value());
    }
}
void verify_program(benchmark::State& state) {
    setting s;
    const auto plan = s.plan();
    const auto& one = plan->components[0];
    require(state, s.slots.begin(one.size).has_value() &&
                       s.slots.write_chunk(0, one.payload).has_value());
    for (auto _ : state) require(state, s.component.prepare(0, one.size).has_value());
}
/// From the first byte of the envelope to the container on its hook.
void whole_update(benchmark::State& state) {
    setting s;
    unsigned version = 0;
    for (auto _ : state) {
        state.PauseTiming();
        s.envelope = envelope_for(++version % 60000, {{first_hook, small_container()}});
        if (version % 60000 == 0) require(state, s.slots.format().has_value());
        state.ResumeTiming();
        require(state, s.updates.envelope_chunk(1, {0, s.envelope, false}).has_value());
    }
}

BENCHMARK(authenticate_p256)->Unit(benchmark::kMicrosecond);
BENCHMARK(authenticate_ed25519)->Unit(benchmark::kMicrosecond);
BENCHMARK(manifest_members)->Unit(benchmark::kMicrosecond);
BENCHMARK(prepare)->Unit(benchmark::kMicrosecond);
BENCHMARK(stage_image)->Unit(benchmark::kMicrosecond);
BENCHMARK(match_image)->Unit(benchmark::kMicrosecond);
BENCHMARK(verify_program)->Unit(benchmark::kMicrosecond);
BENCHMARK(whole_update)->Unit(benchmark::kMicrosecond);

}  // namespace
