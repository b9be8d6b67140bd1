// SPDX-License-Identifier: Apache-2.0
// Power lost at any moment of an update, in every storage: after the restart the old or the new version
// runs, never none, never a mix, and the floor never sinks. With the whole way from the envelope on.
#include "../../ports/host/file_storage.hpp"
#include "../../ports/host/simulated_flash.hpp"
#include "../unit/catch.hpp"
#include "author.hpp"
#include "image_of.hpp"

#include <femto/helpers/store.hpp>
#include <femto/update/hook_component.hpp>
#include <femto/update/ram_storage.hpp>
#include <femto/update/updater.hpp>

#include <filesystem>

using namespace test;

namespace {

constexpr std::size_t size = 1536, capacity = 256;

/// What a loss of power takes of the writes since the last `sync`: nothing (RAM through a reset), any of
/// them, or all but the last (a disk that writes in another order).
enum class loss : std::uint8_t { nothing, any, all_but_last };

/// A storage whose power can be cut after any byte and at any `sync`.
template <class Storage, loss Lost>
class cut_storage {
public:
    static constexpr std::size_t erase_size = Storage::erase_size;
    static constexpr std::size_t program_size = Storage::program_size;
    static constexpr bool volatile_floor = Storage::volatile_floor;

    explicit cut_storage(Storage& below) : below_{below} {}
    void cut_after(std::uint64_t bytes) { left_ = bytes; }
    void restore_power() {
        if (Lost != loss::nothing && left_ == 0)
            while (!unsynced_.empty()) {
                const bool last = &unsynced_.back() == newest_;
                noise_ = noise_ * 1103515245 + 12345;
                if (Lost == loss::all_but_last ? !last : (noise_ & 0x10000) != 0)
                    static_cast<void>(below_.program(unsynced_.back().at, unsynced_.back().before));
                unsynced_.pop_back();
            }
        unsynced_.clear();
        left_ = UINT64_MAX;
    }
    bool read(std::size_t at, std::span<std::uint8_t> to) { return left_ > 0 && below_.read(at, to); }
    bool program(std::size_t at, bytes from) {
        unsynced_.push_back({at, raw(from.size())});
        newest_ = &unsynced_.back();
        if (!below_.read(at, newest_->before)) return false;
        for (const auto& byte : from)
            if (!spend() || !below_.program(at++, {&byte, 1})) return false;
        return true;
    }
    bool erase(std::size_t at) { return program(at, raw(erase_size, 0xff)); }
    bool sync() {
        if (!spend()) return false;
        unsynced_.clear();
        return true;
    }

private:
    struct write {
        std::size_t at;
        raw before;
    };
    bool spend() {
        if (left_ > 0 && left_ < UINT64_MAX) --left_;
        return left_ > 0;
    }
    Storage& below_;
    std::vector<write> unsynced_{};
    write* newest_ = nullptr;
    std::uint64_t left_ = UINT64_MAX;
    std::uint32_t noise_ = 1;
};

struct platform {
    using guard = no_critical_section;
    store_pool<4, guard> stores;
};
using engine_type = engine<platform, helpers::stores<platform>,
                           engine_config{.machine = {.dispatch = dispatch::compact, .stack_size = 64},
                                         .sleepers = 0, .containers = 2, .tenants = 1}>;

raw returning(std::uint8_t version) {
    const instruction text[]{instruction::make(0xb7, 0, 0, 0, version),
                             instruction::make(version == 99 ? 0x79 : 0x95, 0, 0, 0, 0),
                             instruction::make(0x95, 0, 0, 0, 0)};
    return image_of(text);
}

/// A device from its start on; the storage is what it finds.
template <class Storage>
struct started {
    using slots_type = component_slots<Storage, sodium_crypto::hash, capacity>;
    static_assert(slots_type::storage_size == size - 512);
    explicit started(Storage& memory) : slots{memory} {
        std::ranges::copy(first_hook, declared.id.bytes.begin());
        static_cast<void>(component.start());
    }
    platform host{};
    engine_type engine{host};
    tenant_offer everyone[1]{{}};
    hook_declaration declared{{}, hook_policy::all, everyone};
    engine_type::hook<std::uint64_t, 1> place{declared};
    slots_type slots;
    hook_component<engine_type, decltype(place), slots_type> component{engine, place, slots,
                                                                       {.trial_runs = 1}};
    sodium_crypto crypto{};
    std::vector<bytes> rights{first_hook};
    trust_anchor anchors[1]{{key_type::ed25519, ed25519_key, {}, rights}};
    update_policy policy{anchors, {vendor, device_class, {}}};
    updater<limits{}, sodium_crypto, decltype(component)> updates{crypto, policy, component};

    bool send(const raw& envelope) {
        return updates.envelope_chunk(1, {0, envelope, false}).has_value();
    }
    /// The version that runs, 0 for none.
    std::int64_t version() {
        std::uint64_t context = 0;
        return engine.fire(place, context).value;
    }
};

/// Each step of the life of a device, with the power cut after every byte it writes.
template <class Storage>
void survives(Storage& memory, const auto& remember, const auto& recall) {
    const auto attempt = [&](const auto& act, std::int64_t before, std::int64_t after,
                             std::uint64_t floor_before, std::uint64_t floor_after) {
        remember();
        std::uint64_t cuts = 0;
        for (bool complete = false; !complete; ++cuts) {
            recall();
            memory.cut_after(1 + cuts);
            {
                started device{memory};
                complete = act(device);
            }
            memory.restore_power();
            started device{memory};
            const auto now = device.version();
            const auto floor = device.slots.load();
            CAPTURE(cuts, before, after, now, complete);
            REQUIRE(floor.has_value());
            REQUIRE((now == after || (!complete && now == before)));
            REQUIRE((floor->sequence_number == floor_after ||
                     (!complete && floor->sequence_number == floor_before)));
            REQUIRE((now == after) == (floor->sequence_number == floor_after || before == after));
        }
        CHECK(cuts > 100);
    };
    REQUIRE(started{memory}.slots.format().has_value());
    const auto install = [](std::uint8_t version) {
        return [envelope = envelope_for(version, {{first_hook, returning(version)}})](auto& device) {
            return device.send(envelope);
        };
    };
    const auto confirm = [](auto& device) {
        const bool ran = device.version() > 0;
        device.updates.poll(0);
        const auto status = device.component.status();
        return ran && status.has_value() && !status->on_trial;
    };
    // Enough versions that both record blocks are erased in some of them.
    for (std::uint8_t version = 1; version <= 4; ++version) {
        attempt(install(version), version - 1, version, version - 1u, version);
        attempt(confirm, version, version, version, version);
    }
}

}  // namespace

TEST_CASE("update power: NOR flash, cut in every byte") {
    static port::host::simulated_flash<size> memory, kept;
    survives(memory, [&] { kept = memory; }, [&] { memory = kept; });
    CHECK_FALSE(memory.misused());
}

TEST_CASE("update power: RAM through a reset") {
    static ram_storage<size> below, kept;
    cut_storage<ram_storage<size>, loss::nothing> memory{below};
    survives(memory, [&] { kept = below; }, [&] { below = kept; });
}

TEST_CASE("update power: a file, of which what was not synced may be lost") {
    const auto path = std::filesystem::temp_directory_path() /
                      ("femto-power-" + std::to_string(::getpid()));
    using file = port::host::file_storage<size>;
    {
        file below{path.c_str()};
        REQUIRE(below.good());
        REQUIRE(below.fresh());
        raw kept(size);
        const auto remember = [&] { REQUIRE(below.read(0, kept)); };
        const auto recall = [&] { REQUIRE(below.program(0, kept)); };
        cut_storage<file, loss::any> some{below};
        survives(some, remember, recall);
        cut_storage<file, loss::all_but_last> reordered{below};
        survives(reordered, remember, recall);
    }
    file again{path.c_str()};
    CHECK(again.good());
    CHECK_FALSE(again.fresh());
    port::host::file_storage<2 * size> other{path.c_str()};
    CHECK_FALSE(other.good());
    std::filesystem::remove(path);
}

TEST_CASE("update power: a trial that faults, cut while it goes back") {
    static port::host::simulated_flash<size> memory, kept;
    using device_type = started<port::host::simulated_flash<size>>;
    REQUIRE(device_type{memory}.slots.format().has_value());
    {
        device_type device{memory};
        REQUIRE(device.send(envelope_for(1, {{first_hook, returning(1)}})));
        CHECK(device.version() == 1);
        device.updates.poll(0);
        REQUIRE(device.send(envelope_for(2, {{first_hook, returning(99)}})));
    }
    kept = memory;
    bool complete = false;
    for (std::uint64_t cut = 1; !complete; ++cut) {
        memory = kept;
        memory.cut_after(cut);
        {
            device_type device{memory};
            CHECK(device.version() == 0);  // it faults
            device.updates.poll(0);
            complete = memory.powered();
            if (complete) CHECK(device.version() == 1);
        }
        memory.restore_power();
        device_type device{memory};
        CHECK(device.slots.load()->sequence_number == 2);
        // The new one on trial, which faults again, or the old one.
        if (device.version() != 1) {
            device.updates.poll(0);
            CHECK(device.version() == 1);
        }
        CHECK(device.component.status()->reverted);
    }
}
