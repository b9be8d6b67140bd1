// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/contract.hpp>
#include <femto/engine_config.hpp>
#include <femto/hook.hpp>
#include <femto/runner.hpp>
#include <femto/tenant.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <memory>
#include <span>

namespace femto {

/// Loads containers, hangs them on hooks, runs them and keeps them apart. All RAM is inside: a
/// machine for each lane and sleeper, 16 bytes a tenant, 4 a container.
///
/// Threads and ISRs: `fire` from anywhere, at most `lanes` at once. `poll` from one thread. `load`,
/// `attach`, `detach`, `replace`, `unload` from one thread or ISR at a time, also while hooks fire.
/// No lock is held while a container runs.
template <class Platform, class Helpers, auto Config = engine_config{}>
class engine {
    static_assert(femto::platform<Platform>, "femto: a platform has a guard and stores");
    static_assert(Config.lanes >= 1 && Config.lanes + Config.sleepers <= 32,
                  "femto: 1 to 32 lanes and sleepers");
    static_assert(Config.tenants >= 1 && Config.tenants <= 32, "femto: 1 to 32 tenants");

public:
    using guard = typename Platform::guard;
    using machine = vm<Config.machine, Helpers>;
    using container = femto::container<typename machine::verified, guard>;
    template <class Context, std::size_t Places = 2>
    using hook = femto::hook<container, Context, Places>;

    constexpr explicit engine(Platform& platform) : platform_{platform}, runs_{platform} {}
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Sets the quota of a tenant; it must outlive the engine. Not while hooks fire.
    void set_quota(std::uint8_t tenant, const tenant_quota& quota) {
        runs_.tenants[tenant].quota_ = &quota;
        runs_.lanes.uninstall_all();
        for (auto& place : containers_) {
            if (container* c = place.load()) c->windowed_ = runs_.windowed(*c);
        }
    }
    [[nodiscard]] const femto::tenant<guard>& tenant(std::uint8_t n) const { return runs_.tenants[n]; }

    /// Loads and verifies an image against its own request. Errors: those of `femto::load` and
    /// `verify`, contract_exceeded, tenant_quota, storage_too_small, wrong_state.
    result<void> load(container& c, std::uint8_t tenant, const image& from,
                      const container_storage& storage,
                      const container_limits& limits = no_limits) {
        if (c.state() != container_state::empty) return wrong_state(c);
        if (storage.regions.size() < from.regions()) {
            return fail(errc::storage_too_small, 0, from.regions());
        }
        if (storage.marks.size() < from.text_size() / 8) {
            return fail(errc::storage_too_small, 0, from.text_size() / 8);
        }
        const auto p = femto::load(from, storage.program);
        if (!p) return failure{p.error()};
        std::uint64_t helpers = 0;
        for (std::uint32_t n = 0; n < from.helpers(); ++n) {
            helpers |= Helpers::bit_of(from.helper(n));
        }
        if (from.regions() > room) return fail(errc::too_many_regions, 0, room);
        const auto admitted = admit(c, tenant, *p, helpers, from.request(), storage.marks, limits);
        if (!admitted) return admitted;
        c.source_.image = from.bytes().data();
        c.from_image_ = 1;
        c.regions_ = storage.regions.data();
        return {};
    }

    /// The same for a program from elsewhere (an `rBPF` image, an ELF object), whose first function
    /// is for any hook, with a request made by the firmware, which must outlive the container.
    result<void> load(container& c, std::uint8_t tenant, const program& p,
                      const program_request& request, const container_storage& storage,
                      const container_limits& limits = no_limits) {
        const auto admitted = admit(c, tenant, p, request.helpers, request, storage.marks, limits);
        if (!admitted) return admitted;
        c.source_.request = &request;
        c.from_image_ = 0;
        return {};
    }

    /// Hangs a container on the first free place of a hook. It gets what it requests and the hook
    /// offers to its tenant. Errors: wrong_state, wrong_hook, hook_full, contract_exceeded (no offer,
    /// or a region that is not offered so), no_machine (more sleepers than configured), illegal_call
    /// with the slot (a helper that is not offered).
    template <class Context, std::size_t Places>
    result<void> attach(hook<Context, Places>& to, container& c) {
        const auto free = std::ranges::find(to.places_, nullptr,
                                            [](const auto& at) { return at.load(); });
        if (free == to.places_.end()) return fail(errc::hook_full, 0, Places);
        const auto ready = prepare(to.declared_, &to, c);
        if (!ready) return ready;
        c.state_ = container_state::attached;
        [[maybe_unused]] const guard inside;
        free->store(&c);
        to.attached_ = static_cast<std::uint16_t>(to.attached_ + 1);
        return {};
    }

    /// Takes a container off a hook. After success no run of it is going on and none will start.
    /// container_busy: it is off the hook, no run will start, but one has not ended: call again. It
    /// never waits, so an ISR may call it. A suspended run is dropped.
    template <class Context, std::size_t Places>
    result<void> detach(hook<Context, Places>& from, container& c) {
        if (c.hook_ != &from) return wrong_state(c);
        for (auto& place : from.places_) {
            if (place.load() != &c) continue;
            [[maybe_unused]] const guard inside;
            place.store(nullptr);
            from.attached_ = static_cast<std::uint16_t>(from.attached_ - 1);
        }
        return settle(c);
    }

    /// Puts `fresh` into the place of `old` in one step: every event runs one of them. After success
    /// `old` is detached; container_busy: `fresh` is in place, and `detach(at, old)` tells when the
    /// last run of `old` has ended. Other errors as `attach`; `old` stays then.
    template <class Context, std::size_t Places>
    result<void> replace(hook<Context, Places>& at, container& old, container& fresh) {
        const auto place = std::ranges::find(at.places_, &old,
                                             [](const auto& p) { return p.load(); });
        if (place == at.places_.end()) return wrong_state(old);
        const auto ready = prepare(at.declared_, &at, fresh, &old);
        if (!ready) return ready;
        fresh.state_ = container_state::attached;
        place->store(&fresh);
        return settle(old);
    }

    /// Whether `attach` would succeed, or `replace` if `leaving` hangs there: the contract is worked
    /// out and the program verified against it, and nothing is hung anywhere. Errors as theirs.
    template <class Context, std::size_t Places>
    result<void> check(hook<Context, Places>& at, container& c, const container* leaving = nullptr) {
        const auto place = std::ranges::find(at.places_, leaving,
                                             [](const auto& p) { return p.load(); });
        if (place == at.places_.end()) return fail(errc::hook_full, 0, Places);
        return prepare(at.declared_, &at, c, leaving);
    }

    /// Forgets a detached container and frees its local store; its storage is the caller's again.
    /// Errors: wrong_state, container_busy.
    result<void> unload(container& c) {
        if (c.state() != container_state::verified) return wrong_state(c);
        containers_[c.number_].store(nullptr);
        if (!c.enter()) {  // poll looks at it
            containers_[c.number_].store(&c);
            return fail(errc::container_busy);
        }
        platform_.stores.erase({store_kind::local, c.number_});
        runs_.tenants[c.tenant_].ram_ -= ram_of(c.verified_.source());
        --runs_.tenants[c.tenant_].containers_;
        c.state_ = container_state::empty;
        c.leave();
        return {};
    }

    /// Runs the containers of a hook on `context`. A hook without containers costs a load, a compare
    /// and the return.
    template <class Context, std::size_t Places>
    hook_result fire(hook<Context, Places>& at, Context& context) {
        const std::uint32_t attached = at.attached_.load(std::memory_order_relaxed);
        if (attached == 0) [[likely]] return {};
        if constexpr (std::same_as<Context, std::span<std::byte>>) {
            return fire_places(at, at.places_.data(), context, attached);
        } else {
            const std::span<std::byte> bytes = std::as_writable_bytes(std::span{&context, 1});
            return fire_places(at, at.places_.data(), bytes, attached);
        }
    }

    /// To be called now and then, with a time that never goes backwards (and may wrap around):
    /// renews windows, ends back-offs and resumes waiting containers that are due, a slice each,
    /// tenants in turn, until none is due or about `budget` instructions are used. Returns the
    /// instructions executed.
    std::uint32_t poll(std::uint32_t now, std::uint32_t budget) {
        runs_.now.store(now);
        if (now - window_start_ >= Config.window) {
            window_start_ = now;
            runs_.renew_window();
        }
        // Only who waits or backs off is held, since nobody else may miss an event for it.
        for (auto& place : containers_) {
            visit(place, container_state::faulted, [&](container& c) {
                if (runs_.due(c)) c.state_ = container_state::attached;
            });
        }
        std::uint32_t used = 0;
        // A turn that executes nothing (its window is used up) must end, too.
        for (std::uint32_t idle = 0; used < budget && idle < Config.tenants;) {
            turn_ = static_cast<std::uint8_t>((turn_ + 1) % Config.tenants);
            const std::uint32_t done = poll_tenant(turn_, budget - used);
            idle = done == 0 ? idle + 1 : 0;
            used += done;
        }
        return used;
    }

    /// A list of helpers, or `every_helper`, as bits of `helper_set::bit_of`.
    [[nodiscard]] static constexpr std::uint64_t helper_bits(std::span<const std::uint32_t> ids) {
        std::uint64_t bits = 0;
        for (const auto id : ids) {
            bits |= id == every_helper[0] ? ~std::uint64_t{0} : Helpers::bit_of(id);
        }
        return bits;
    }

    static constexpr container_limits no_limits{};

private:
    static constexpr std::size_t room = Config.machine.max_regions - region_number::first_free;

    /// What a program costs its tenant: data, and a mark for each slot.
    static std::uint32_t ram_of(const program& p) {
        return static_cast<std::uint32_t>(p.data.size() + p.text.size());
    }
    static result<void> wrong_state(const container& c) {
        return fail(errc::wrong_state, 0, static_cast<std::uint64_t>(c.state()));
    }
    result<void> admit(container& c, std::uint8_t tenant, const program& p, std::uint64_t helpers,
                       const container_request& request, std::span<std::uint8_t> marks,
                       const container_limits& limits) {
        if (c.state() != container_state::empty) return wrong_state(c);
        if (tenant >= Config.tenants) return exceeded(contract_part::offer);
        if (request.stack > Config.machine.stack_size) return exceeded(contract_part::stack);
        auto& owner = runs_.tenants[tenant];
        const std::uint32_t ram = ram_of(p);
        const auto allowed = within_quota(owner, ram, request.store_entries);
        if (!allowed) return allowed;
        const auto place = std::ranges::find(containers_, nullptr,
                                             [](const auto& at) { return at.load(); });
        if (place == containers_.end()) return fail(errc::tenant_quota, 0, Config.containers);

        const auto verified = machine::verify(p, marks, helpers);
        if (!verified) return failure{verified.error()};
        std::construct_at(&c.verified_, *verified);
        c.statistics_.reset(static_cast<std::uint16_t>(verified->stack_needed()));
        runs_.lanes.uninstall(c);
        c.last_fault_.store(errc::ok, std::memory_order_relaxed);
        c.limits_ = &limits;
        c.suspends_ = request.suspends;
        c.counted_ = c.statistics_ ? 1 : 0;
        c.tenant_ = tenant;
        c.number_ = static_cast<std::uint8_t>(place - containers_.begin());
        owner.ram_ += ram;
        ++owner.containers_;
        c.state_ = container_state::verified;
        place->store(&c);
        return {};
    }

    /// The contract: request and offer become what the container is granted.
    result<void> prepare(const hook_declaration& declared, const void* at, container& c,
                         const container* leaving = nullptr) {
        if (c.state() != container_state::verified) return wrong_state(c);
        std::uint8_t entry = 0;
        if (c.from_image()) {
            const auto found = entry_for(declared, c.image());
            if (!found) return failure{found.error()};
            entry = *found;
        }
        const auto offer = offer_for(declared, c.tenant_);
        if (!offer) return failure{offer.error()};
        runs_.lanes.uninstall(c);
        std::uint32_t fuel = 0;
        std::uint64_t helpers = 0;
        if (c.from_image()) {
            const auto i = c.image();
            const auto granted = grant_regions(**offer, i, c.regions());
            if (!granted) return granted;
            fuel = i.request().fuel;
            for (std::uint32_t n = 0; n < i.helpers(); ++n) helpers |= Helpers::bit_of(i.helper(n));
        } else {
            fuel = c.source_.request->fuel;
            helpers = c.source_.request->helpers;
        }
        if (c.suspends_ && sleepers(leaving) >= Config.sleepers) return fail(errc::no_machine);
        // `load` verified against the request: only the calls of helpers are looked at again.
        const auto granted = c.verified_.granting(helpers & helper_bits((*offer)->helpers));
        if (!granted) return failure{granted.error()};
        c.verified_ = *granted;
        c.entry_ = entry;
        c.hook_ = at;
        c.fuel_ = std::min({fuel, (*offer)->fuel, c.limits_->run_fuel, max_fuel});
        c.context_ = (*offer)->context;
        c.windowed_ = runs_.windowed(c);
        c.window_used_ = 0;
        c.faults_in_row_ = 0;
        return {};
    }

    /// Containers on hooks that may suspend.
    [[nodiscard]] std::uint32_t sleepers(const container* without) const {
        std::uint32_t count = 0;
        for (const auto& place : containers_) {
            const container* c = place.load();
            count += c != nullptr && c != without && c->suspends_ &&
                             c->state() > container_state::verified
                         ? 1u
                         : 0u;
        }
        return count;
    }

    /// The end of detaching. `held` was taken after the place was cleared, and firing looks at the
    /// place again after it took `held`: either it sees the change, or we see it running.
    result<void> settle(container& c) {
        if (!c.enter()) return fail(errc::container_busy);
        if (c.state() == container_state::suspended) runs_.lanes.release(runs_.lanes.of(c));
        if (c.state() != container_state::empty) c.state_ = container_state::verified;
        c.leave();
        return {};
    }

    /// Calls `f` if the container is in that state, nobody else has it, and it is still there.
    template <class F>
    void visit(std::atomic<container*>& place, container_state state, F f) {
        container* c = place.load();
        if (c == nullptr || c->state() != state || !c->enter()) return;
        if (place.load() == c && c->state() == state) f(*c);
        c->leave();
    }

    /// Places behind the last of the `attached` containers are not looked at: one that is hung there
    /// meanwhile has not been attached when the event began.
    FEMTO_COLD hook_result fire_places(const hook_head& at, std::atomic<container*>* place,
                                       const std::span<std::byte>& context,
                                       std::uint32_t attached) {
        hook_result result;
        std::uint32_t left = attached;
        const auto* const first = place;
        do {
            container* c = place->load(std::memory_order_relaxed);
            while (c != nullptr && !try_run(*place, *c, context, result)) c = place->load();
            if (c == nullptr) continue;
            if (--left == 0) break;
            const hook_policy policy = at.declared_.policy;
            if (policy != hook_policy::all && stops(policy, result.value)) break;
        } while (++place != first + at.count_);
        return result;
    }
    static bool stops(hook_policy policy, std::int64_t value) {
        return policy == hook_policy::first_only ||
               (policy == hook_policy::stop_on_negative && value < 0) ||
               (policy == hook_policy::stop_on_positive && value > 0);
    }

    /// False if the container is no longer the one in this place.
    FEMTO_ALWAYS_INLINE bool try_run(std::atomic<container*>& place, container& c,
                                     const std::span<std::byte>& context, hook_result& result) {
        // That it was taken off its place we see in any case: who did that has held it since (see `settle`).
        if (!c.enter_to_run()) [[unlikely]] {
            if (place.load(std::memory_order_acquire) != &c) return false;
            ++result.missed;
            return true;
        }
        const bool here = place.load(std::memory_order_acquire) == &c;
        if (here) runs_.start(c, context, result);
        c.leave();
        return here;
    }

    /// Resumes one container of `tenant` that is due; the next time another one.
    std::uint32_t poll_tenant(std::uint8_t tenant, std::uint32_t budget) {
        std::uint32_t done = 0;
        for (std::uint32_t n = 0; n < Config.containers && done == 0; ++n) {
            auto& cursor = cursors_[tenant];
            cursor = static_cast<std::uint8_t>((cursor + 1) % Config.containers);
            visit(containers_[cursor], container_state::suspended, [&](container& c) {
                if (c.tenant_ == tenant && runs_.due(c)) done = runs_.resume(c, budget);
            });
        }
        return done;
    }

    Platform& platform_;
    runner<Platform, Helpers, Config> runs_;
    std::array<std::atomic<container*>, Config.containers> containers_{};
    std::array<std::uint8_t, Config.tenants> cursors_{};
    std::uint32_t window_start_ = 0;
    std::uint8_t turn_ = 0;
};

}  // namespace femto
