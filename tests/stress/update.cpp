// SPDX-License-Identifier: Apache-2.0
// A hook fires in one thread while updates replace its container in another: every event runs the old
// version or the new one, and versions go back only when one faults on trial. The updating thread polls, so it
// reads what the firing one counts. Under ThreadSanitizer races are reported, too.
#include "../update/author.hpp"
#include "../update/image_of.hpp"
#include "support.hpp"

#include <femto/helpers/store.hpp>
#include <femto/update/hook_component.hpp>
#include <femto/update/ram_storage.hpp>
#include <femto/update/updater.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

using namespace test;

namespace {

struct threads {
    using guard = lock;
    store_pool<4, guard> stores;
};
using engine_type =
    engine<threads, helpers::stores<threads>,
           engine_config{.machine = {.dispatch = dispatch::compact, .stack_size = 64},
                         .lanes = 2, .sleepers = 0, .containers = 2, .tenants = 1}>;
using slots_type = component_slots<ram_storage<1536>, sodium_crypto::hash, 256>;

/// A container that returns its version, or reads behind its context in its first instruction.
raw container_of(int version, bool bad) {
    const instruction text[]{bad ? instruction::make(0x79, 0, 1, 64, 0)
                                 : instruction::make(0xb7, 0, 0, 0, version),
                             instruction::make(0x95, 0, 0, 0, 0)};
    return image_of(text);
}

}  // namespace

int main() {
    constexpr int versions = 200;
    require(sodium_init() >= 0, "sodium");
    threads host;
    engine_type engine{host};
    constexpr tenant_offer offers[]{{}};
    hook_declaration declared{{}, hook_policy::all, offers};
    std::ranges::copy(first_hook, declared.id.bytes.begin());
    engine_type::hook<std::uint64_t, 1> place{declared};
    ram_storage<1536> memory;
    slots_type slots{memory};
    require(slots.format().has_value(), "format");
    hook_component component{engine, place, slots};
    sodium_crypto crypto;
    const std::vector<bytes> rights{first_hook};
    const trust_anchor anchors[]{{key_type::ed25519, ed25519_key, {}, rights}};
    const update_policy policy{anchors, {vendor, device_class, {}}};
    updater<limits{}, sodium_crypto, decltype(component)> updates{crypto, policy, component};

    std::uint32_t now = 0;
    const auto install = [&](int version, bool bad = false) {
        const auto envelope =
            envelope_for(static_cast<unsigned>(version), {{first_hook, container_of(version, bad)}});
        for (;;) {
            const auto r = updates.envelope_chunk(1, {0, envelope, false});
            if (r.has_value()) return;
            // The last run of the version before has not ended.
            require(r.error().code == errc::update_busy, "an update");
            std::this_thread::yield();
        }
    };
    // Polls until the trial of what was installed last has ended.
    const auto settle = [&] {
        for (;;) {
            updates.poll(++now);
            const auto status = component.status();
            require(status.has_value(), "the status");
            if (!status->on_trial) return *status;
            std::this_thread::yield();
        }
    };
    install(1);
    std::atomic<bool> done{false};
    long long events = 0;
    long long faults = 0;
    std::thread firing{[&] {
        std::int64_t last = 1;
        std::uint64_t context = 0;
        while (!done) {
            const auto r = engine.fire(place, context);
            require(r.ran + r.faulted == 1, "every event runs one container");
            faults += r.faulted;
            require(r.faulted == 1 || (r.value >= last && r.value <= versions), "versions never go back");
            if (r.ran == 1) last = r.value;
            ++events;
        }
        require(last >= versions - 1, "the new version runs");
    }};
    for (int version = 2; version <= versions; ++version) {
        install(version);
        updates.poll(++now);  // maybe before its trial has ended
        if (version % 2 == 0) require(!settle().reverted, "a version that does not fault stays");
    }
    settle();
    install(versions + 1, true);
    const auto back = settle();
    require(back.reverted && back.sequence_number == versions + 1, "a version that faults goes");
    require(back.trial_fault == error{errc::illegal_memory, 0, back.trial_fault.address} &&
                (back.trial_fault.address & 0xffffffff) == 64,
            "the fault of the trial");
    done = true;
    firing.join();
    require(faults > 0, "it ran and faulted");
    std::printf("%lld events, %d updates, %lld faults\n", events, versions + 1, faults);
}
