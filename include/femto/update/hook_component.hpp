// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/engine.hpp>
#include <femto/update/slots.hpp>

namespace femto::update {

/// How updates treat one component.
struct component_options {
    bytes id{};  ///< how manifests name it; if empty by the UUID of its hook
    std::uint8_t tenant = 0;
    std::uint16_t trial_runs = 3;  ///< runs without a fault until it stays; 0: it stays at once
    const container_limits* limits = nullptr;  ///< of its containers; must outlive it
};

/// What a component is doing.
struct component_status {
    std::uint64_t sequence_number = 0;  ///< the floor
    sha256_digest manifest_digest{};
    std::uint32_t size = 0;  ///< bytes of the image that runs, 0 if none does
    bool installed = false;  ///< any update ever was
    bool on_trial = false;
    bool reverted = false;   ///< what runs is older than the manifest that the floor names
    error trial_fault{};     ///< why the last trial since the start failed
};

/// The container that updates put on one hook, of one tenant: two of them, so that the hook fires
/// on while one is replaced, and the slots that keep their images. In storage that is mapped images
/// run in place, otherwise a copy in RAM does.
///
/// RAM: twice a container, `Room` bytes for its data, its regions, its entries if it has several and
/// a mark for each instruction (`container_needs::size`), and the image if it is a copy. While an update is checked its tenant holds both: quotas and `engine_config::containers` need
/// room for that. Call from one thread, the one that loads and attaches; hooks fire meanwhile.
template <class Engine, class Hook, class Slots, std::size_t Room = 512>
class hook_component {
public:
    using slots_type = Slots;
    using container = typename Engine::container;

    hook_component(Engine& engine, Hook& hook, Slots& slots, const component_options& options = {})
        : engine_{engine}, hook_{hook}, slots_{slots}, options_{options} {}
    hook_component(const hook_component&) = delete;
    hook_component& operator=(const hook_component&) = delete;

    [[nodiscard]] bytes id() const {
        return options_.id.empty() ? bytes{hook_.declaration().id.bytes} : options_.id;
    }
    [[nodiscard]] Slots& slots() { return slots_; }
    [[nodiscard]] const component_options& options() const { return options_; }
    /// The container on the hook, if there is one.
    [[nodiscard]] const container* current() const {
        const auto& c = seats_[current_].control;
        return c.state() > container_state::verified ? &c : nullptr;
    }
    [[nodiscard]] result<component_status> status() {
        const auto r = slots_.load();
        if (!r.has_value()) return failure{r.error()};
        const bool runs = current() != nullptr && r->active != slot_record::none;
        return component_status{r->sequence_number, r->manifest_digest,
                                runs ? r->images[r->active].size : 0,
                                r->installed,       !r->confirmed,
                                r->reverted,        trial_fault_};
    }

    /// At boot: runs the image that the record names if its digest is right, and nothing otherwise.
    /// An image on trial that cannot be loaded is reverted first. Errors: those of `prepare`;
    /// the hook is empty then.
    result<void> start() {
        for (;;) {
            const auto record = slots_.boot();
            if (!record.has_value()) return failure{record.error()};
            trial_ = !record->confirmed;
            if (record->active == slot_record::none) return remove(), result<void>{};
            const auto ready = prepare(record->active, record->images[record->active].size);
            if (ready.has_value()) return hang();
            if (ready.error().code != errc::update_busy) {
                remove();
                const auto reverted = trial_ ? slots_.revert() : result<bool>{false};
                if (reverted.has_value() && *reverted) continue;
            }
            return ready;
        }
    }

    /// Nothing of the container that was replaced last is going on: the slot that is not active may
    /// be written and a container be prepared. If false, `poll` and try again.
    [[nodiscard]] bool ready() {
        auto& other = seats_[1 - current_].control;
        if (other.state() == container_state::empty) return true;
        if (other.state() != container_state::verified && !engine_.detach(hook_, other).has_value())
            return false;
        return engine_.unload(other).has_value();
    }

    /// Loads the image in a slot, verifies its program, and works out the contract with the hook;
    /// what hangs there goes on. Errors: those of `parse_image`, `divide` (`Room` is too small), `engine::load`,
    /// `engine::check`, update_storage, update_busy if `ready` is false.
    result<void> prepare(std::uint8_t slot, std::uint32_t size) {
        if (!ready()) return fail(errc::update_busy, static_cast<std::uint32_t>(stage::program));
        auto& fresh = seats_[1 - current_];
        bytes image;
        if constexpr (Slots::mapped) {
            image = slots_.map(slot, size);
        } else {
            if (size > fresh.image.size() || !slots_.read(slot, 0, std::span{fresh.image}.first(size)))
                return fail(errc::update_storage, static_cast<std::uint32_t>(stage::program));
            image = bytes{fresh.image}.first(size);
        }
        const auto parsed = parse_image(std::as_bytes(image));
        if (!parsed.has_value()) return failure{parsed.error()};
        const auto storage = divide(needs_of(*parsed), fresh.memory);
        if (!storage.has_value()) return failure{storage.error()};
        const auto loaded = engine_.load(
            fresh.control, options_.tenant, *parsed, *storage,
            options_.limits != nullptr ? *options_.limits : Engine::no_limits);
        if (!loaded.has_value()) return loaded;
        const auto fits = engine_.check(hook_, fresh.control, current());
        if (!fits.has_value()) discard();
        return fits;
    }

    /// Puts what `prepare` loaded on the hook, in place of what hangs there: every event runs the
    /// old or the new one. Its trial begins.
    result<void> activate() {
        trial_ = true;
        return hang();
    }

    /// Forgets what `prepare` loaded.
    void discard() { static_cast<void>(ready()); }

    /// To be called now and then: ends what a replaced container left, and the trial of the new one:
    /// after `trial_runs` good runs it is confirmed; after a fault the previous version comes back,
    /// if there is one, and `status` says so.
    void poll() {
        static_cast<void>(ready());
        if (restart_) return restart();
        const auto* c = current();
        if (!trial_ || c == nullptr) return;
        const auto counts = c->statistics();
        if (counts.faults > 0) {
            trial_fault_ = counts.last_fault;
            const auto reverted = slots_.revert();
            if (!reverted.has_value()) return;  // the storage failed: the trial goes on
            trial_ = false;
            if (*reverted) restart();
        } else if (counts.runs >= options_.trial_runs) {
            trial_ = !slots_.confirm().has_value();
        }
    }

private:
    struct seat {
        container_statistics statistics{};
        container control{statistics};
        alignas(8) std::array<std::byte, Room> memory{};
        alignas(8) std::array<std::uint8_t, Slots::mapped ? 0 : Slots::capacity> image{};
    };

    result<void> hang() {
        auto& fresh = seats_[1 - current_].control;
        const auto done = current() == nullptr
                              ? engine_.attach(hook_, fresh)
                              : engine_.replace(hook_, seats_[current_].control, fresh);
        // Busy: the new one is in place, only the last run of the old one has not ended.
        if (!done.has_value() && done.error().code != errc::container_busy) return done;
        current_ = 1 - current_;
        static_cast<void>(ready());
        return {};
    }

    void restart() {
        const auto started = start();
        restart_ = !started.has_value() && started.error().code == errc::update_busy;
    }
    void remove() {
        if (current() == nullptr) return;
        static_cast<void>(engine_.detach(hook_, seats_[current_].control));
        current_ = 1 - current_;  // `ready` ends what is left of it
    }

    Engine& engine_;
    Hook& hook_;
    Slots& slots_;
    component_options options_;
    std::array<seat, 2> seats_{};
    error trial_fault_{};
    std::size_t current_ = 0;
    bool trial_ = false;
    bool restart_ = false;  ///< `start` was busy
};

}  // namespace femto::update
