// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/environment.hpp>
#include <femto/hook.hpp>
#include <femto/tenant.hpp>
#include <femto/vm.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace femto {

/// How large an engine is.
struct engine_config {
    femto::config machine{};
    std::uint8_t lanes = 1;     ///< runs at the same time: threads and ISR levels that fire hooks
    std::uint8_t sleepers = 1;  ///< containers that may suspend; each keeps a machine while it waits
    std::uint8_t containers = 8;
    std::uint8_t tenants = 2;
    std::uint32_t window = 1000;  ///< length of the window of instruction limits, in `poll`'s time
    std::uint32_t slice = 500;    ///< instructions of a resumed container before the next one's turn
};

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

    constexpr explicit engine(Platform& platform) : platform_{platform} {}
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;

    /// Sets the quota of a tenant; it must outlive the engine.
    void set_quota(std::uint8_t tenant, const tenant_quota& quota) {
        tenants_[tenant].quota_ = &quota;
    }
    [[nodiscard]] const femto::tenant<guard>& tenant(std::uint8_t n) const { return tenants_[n]; }

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
        container_storage used = storage;
        used.regions = storage.regions.first(from.regions());
        const auto loaded = admit(c, tenant, *p, helpers, from.request(), used, limits);
        if (loaded) c.image_.emplace(from);
        return loaded;
    }

    /// The same for a program from elsewhere (an `rBPF` image, an ELF object), whose first function
    /// is for any hook, with a request made by the firmware; `helpers` as `helper_set::bit_of`.
    result<void> load(container& c, std::uint8_t tenant, const program& p, std::uint64_t helpers,
                      const container_request& request, container_storage storage,
                      const container_limits& limits = no_limits) {
        storage.regions = {};
        return admit(c, tenant, p, helpers, request, storage, limits);
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
        to.attached_ = to.attached_ + 1;
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
            from.attached_ = from.attached_ - 1;
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
        tenants_[c.tenant_].ram_ -= ram_of(c.verified_->source());
        --tenants_[c.tenant_].containers_;
        c.state_ = container_state::empty;
        c.verified_.reset();
        c.leave();
        return {};
    }

    /// Runs the containers of a hook on `context`. A hook without containers costs a load, a compare
    /// and the return.
    template <class Context, std::size_t Places>
    hook_result fire(hook<Context, Places>& at, Context& context) {
        if (at.empty()) [[likely]] return {};
        if constexpr (std::same_as<Context, std::span<std::byte>>) {
            return fire_places(at.places_, at.declared_.policy, context);
        } else {
            return fire_places(at.places_, at.declared_.policy,
                               std::as_writable_bytes(std::span{&context, 1}));
        }
    }

    /// To be called now and then, with a time that never goes backwards (and may wrap around):
    /// renews windows, ends back-offs and resumes waiting containers that are due, a slice each,
    /// tenants in turn, until none is due or about `budget` instructions are used. Returns the
    /// instructions executed.
    std::uint32_t poll(std::uint32_t now, std::uint32_t budget) {
        now_.store(now);
        const bool renew = now - window_start_ >= Config.window;
        if (renew) {
            window_start_ = now;
            for (auto& t : tenants_) t.used_.store(0);
        }
        for (auto& place : containers_) {
            visit(place, [&](container& c) {
                if (renew) c.window_used_ = 0;
                if (c.state() == container_state::faulted && due(c)) {
                    c.state_ = container_state::attached;
                }
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
    struct lane {
        machine m;
        environment<Platform> env;
        std::uint32_t load = 0;  ///< of the container whose bytes lie in the machine's stack
    };
    static constexpr std::uint32_t lane_count = Config.lanes + Config.sleepers;

    /// What a program costs its tenant: data, and a mark for each slot.
    static std::uint32_t ram_of(const program& p) {
        return static_cast<std::uint32_t>(p.data.size() + p.text.size());
    }
    static result<void> wrong_state(const container& c) {
        return fail(errc::wrong_state, 0, static_cast<std::uint64_t>(c.state()));
    }
    static result<void> exceeded(contract_part part) {
        return fail(errc::contract_exceeded, 0, static_cast<std::uint64_t>(part));
    }
    static result<void> over_quota(contract_part part) {
        return fail(errc::tenant_quota, 0, static_cast<std::uint64_t>(part));
    }
    [[nodiscard]] bool due(const container& c) const {
        return static_cast<std::int32_t>(now_.load() - c.wake_at_) >= 0;
    }

    result<void> admit(container& c, std::uint8_t tenant, const program& p, std::uint64_t helpers,
                       const container_request& request, const container_storage& storage,
                       const container_limits& limits) {
        if (c.state() != container_state::empty) return wrong_state(c);
        if (tenant >= Config.tenants) return exceeded(contract_part::offer);
        if (request.stack > Config.machine.stack_size) return exceeded(contract_part::stack);
        auto& owner = tenants_[tenant];
        const auto& quota = owner.quota();
        const std::uint32_t ram = ram_of(p);
        if (request.store_entries > quota.store_entries) return over_quota(contract_part::stores);
        if (owner.containers_ >= quota.containers) return over_quota(contract_part::containers);
        if (ram > quota.ram || owner.ram_ > quota.ram - ram) return over_quota(contract_part::ram);
        const auto place = std::ranges::find(containers_, nullptr,
                                             [](const auto& at) { return at.load(); });
        if (place == containers_.end()) return fail(errc::tenant_quota, 0, Config.containers);

        constexpr std::size_t room = Config.machine.max_regions - region_number::first_free;
        if (storage.regions.size() > room) return fail(errc::too_many_regions, 0, room);

        const auto verified = machine::verify(p, storage.marks, helpers);
        if (!verified) return failure{verified.error()};
        c.verified_.emplace(*verified);
        c.image_.reset();
        c.statistics_ = {};
        c.statistics_.stack =
            static_cast<std::uint16_t>(verified->frame_size() * (verified->call_depth() + 1));
        c.regions_ = storage.regions.data();
        c.region_count_ = static_cast<std::uint8_t>(storage.regions.size());  // as many as the image requests; none without an image
        c.marks_ = storage.marks.data();
        c.limits_ = &limits;
        c.requested_ = helpers;
        c.requested_fuel_ = request.fuel;
        c.suspends_ = request.suspends;
        c.tenant_ = tenant;
        c.number_ = static_cast<std::uint8_t>(place - containers_.begin());
        c.load_ = ++loads_;
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
        std::uint32_t entry = 0;
        if (c.image_) {
            while (entry < c.image_->entries() && !(c.image_->entry_hook(entry) == declared.id)) {
                ++entry;
            }
            if (entry == c.image_->entries()) return fail(errc::wrong_hook);
        }
        const auto offer = std::ranges::find_if(declared.offers, [&](const tenant_offer& o) {
            return (o.tenants >> c.tenant_ & 1) != 0;
        });
        if (offer == declared.offers.end()) return exceeded(contract_part::offer);
        for (std::uint32_t n = 0; n < c.region_count_; ++n) {
            const auto wanted = c.image_->region(n);
            const auto found = std::ranges::find(offer->regions, wanted.id, &region_offer::id);
            const auto bits = static_cast<unsigned>(wanted.wanted);
            if (found == offer->regions.end() ||
                (bits & ~static_cast<unsigned>(found->allowed)) != 0) {
                return exceeded(contract_part::region);
            }
            c.regions_[n] = {found->bytes, wanted.wanted};
        }
        if (c.suspends_) {
            std::uint32_t sleepers = 0;
            for (const auto& place : containers_) {
                const container* other = place.load();
                sleepers += other != nullptr && other != leaving && other->suspends_ &&
                                    other->state() > container_state::verified
                                ? 1u
                                : 0u;
            }
            if (sleepers >= Config.sleepers) return fail(errc::no_machine);
        }
        const std::uint64_t granted = c.requested_ & helper_bits(offer->helpers);
        if (granted != c.granted()) {  // load verified against the request: look again
            const auto verified = machine::verify(c.verified_->source(), c.marks(), granted);
            if (!verified) {
                // It left its marks: restore those that belong to what the container still is.
                static_cast<void>(machine::verify(c.verified_->source(), c.marks(), c.granted()));
                return failure{verified.error()};
            }
            c.verified_.emplace(*verified);
        }
        c.entry_ = static_cast<std::uint8_t>(entry);
        c.hook_ = at;
        c.fuel_ = std::min({c.requested_fuel_, offer->fuel, c.limits_->run_fuel});
        c.context_writable_ = (static_cast<unsigned>(offer->context) & 2) != 0;
        c.window_used_ = 0;
        c.faults_in_row_ = 0;
        return {};
    }

    /// The end of detaching. `held` was taken after the place was cleared, and firing looks at the
    /// place again after it took `held`: either it sees the change, or we see it running.
    result<void> settle(container& c) {
        if (!c.enter()) return fail(errc::container_busy);
        if (c.lane_ != container::no_lane) release(c);
        if (c.state() != container_state::empty) c.state_ = container_state::verified;
        c.leave();
        return {};
    }

    /// Calls `f` if nobody else has the container and it is still there.
    template <class F>
    void visit(std::atomic<container*>& place, F f) {
        container* c = place.load();
        if (c == nullptr || !c->enter()) return;
        if (place.load() == c) f(*c);
        c->leave();
    }

    hook_result fire_places(std::span<std::atomic<container*>> places, hook_policy policy,
                            std::span<std::byte> context) {
        hook_result result;
        for (auto& place : places) {
            container* c = place.load();
            while (c != nullptr && !try_run(place, *c, context, result)) c = place.load();
            if (c == nullptr) continue;
            if (policy == hook_policy::first_only ||
                (policy == hook_policy::stop_on_negative && result.value < 0) ||
                (policy == hook_policy::stop_on_positive && result.value > 0)) {
                break;
            }
        }
        return result;
    }

    /// False if the container is no longer the one in this place.
    bool try_run(std::atomic<container*>& place, container& c, std::span<std::byte> context,
                 hook_result& result) {
        if (!c.enter()) {
            if (place.load() != &c) return false;
            ++result.missed;
            return true;
        }
        const bool here = place.load() == &c;
        if (here) start(c, context, result);
        c.leave();
        return here;
    }

    [[nodiscard]] std::uint32_t fuel_left(const container& c) const {
        const auto left = [](std::uint32_t limit, std::uint32_t used) {
            return limit > used ? limit - used : 0;
        };
        const auto& t = tenants_[c.tenant_];
        return std::min({left(c.fuel_, c.run_used_),
                         left(c.limits_->window_fuel, c.window_used_),
                         left(t.quota().window_fuel, t.window_used()), max_fuel});
    }

    void start(container& c, std::span<std::byte> context, hook_result& result) {
        c.run_used_ = 0;
        if (c.state() != container_state::attached) {
            ++c.statistics_.missed;
            ++result.missed;
            return;
        }
        std::uint32_t fuel = fuel_left(c);
        if (fuel == 0) {
            ++c.statistics_.throttled;
            ++result.missed;
            return;
        }
        if (c.suspends_) fuel = std::min(fuel, Config.slice);
        if (!acquire(c)) {
            ++c.statistics_.missed;
            ++result.missed;
            return;
        }
        lane& in = lanes_[c.lane_];
        for (const auto& r : c.regions()) {
            const auto mapped = in.m.map(r.bytes, r.allowed);
            if (!mapped) return end(c, femto::result<std::uint64_t>{failure{mapped.error()}}, result);
        }
        c.state_ = container_state::running;
        ++c.statistics_.runs;
        const auto& p = *c.verified_;
        const auto& functions = p.source().functions;
        const entry_point at = functions.empty() ? p.entry() : *p.entry(functions[c.entry_].name);
        const auto r = c.context_writable_
                           ? in.m.run(p, at, context, fuel)
                           : in.m.run(p, at, std::span<const std::byte>{context}, fuel);
        in.m.drop_context();
        end(c, r, result);
    }

    void end(container& c, const result<std::uint64_t>& r, hook_result& out) {
        lane& in = lanes_[c.lane_];
        const std::uint32_t executed = c.state() == container_state::running ? in.m.executed() : 0;
        auto& s = c.statistics_;
        s.instructions += executed;
        c.run_used_ += executed;
        c.window_used_ += executed;
        tenants_[c.tenant_].used_.add(executed);
        s.longest_run = std::max(s.longest_run, c.run_used_);
        if (r) {
            out.value = static_cast<std::int64_t>(*r);
            ++out.ran;
            c.faults_in_row_ = 0;
            release(c);
            c.state_ = container_state::attached;
            return;
        }
        const errc code = r.error().code;
        if (c.suspends_ && (code == errc::suspended ||
                            (code == errc::out_of_fuel && c.run_used_ < c.fuel_))) {
            c.wake_at_ = code == errc::suspended ? in.env.wake_at : now_.load();
            if (code == errc::suspended) c.run_used_ = 0;
            ++out.suspended;
            c.state_ = container_state::suspended;
            return;
        }
        ++out.faulted;
        ++s.faults;
        s.last_fault = r.error();
        release(c);
        after_fault(c);
    }

    void after_fault(container& c) {
        const fault_policy& policy = c.limits_->faults;
        ++c.faults_in_row_;
        c.state_ = container_state::attached;
        if (policy.what == fault_policy::action::disable && c.faults_in_row_ >= policy.count) {
            c.state_ = container_state::disabled;
        } else if (policy.what == fault_policy::action::back_off) {
            const unsigned doublings = std::min<unsigned>(c.faults_in_row_ - 1u, 10);
            c.wake_at_ = now_.load() + (std::uint32_t{policy.delay} << doublings);
            c.state_ = container_state::faulted;
        }
    }

    /// Lanes for those who suspend and for those who do not are separate: a sleeper cannot take the
    /// machine that another container's event needs.
    bool acquire(container& c) {
        const std::uint32_t first = c.suspends_ ? Config.lanes : 0;
        const std::uint32_t last = c.suspends_ ? lane_count : Config.lanes;
        for (std::uint32_t n = first; n < last; ++n) {
            const std::uint32_t bit = std::uint32_t{1} << n;
            if ((lanes_used_.set_bits(bit) & bit) != 0) continue;
            c.lane_ = static_cast<std::uint8_t>(n);
            auto& env = lanes_[n].env;
            env = {&platform_, {c.tenant_, tenants_[c.tenant_].quota().store_entries}, c.number_,
                   c.tenant_, now_.load(), now_.load()};
            lanes_[n].m.set_host(env);
            if (lanes_[n].load != c.load_) {  // its text may lie where another's lay: leak nothing
                lanes_[n].load = c.load_;
                lanes_[n].m.forget();
            }
            return true;
        }
        return false;
    }

    void release(container& c) {
        auto& m = lanes_[c.lane_].m;
        // Mapped in order from the first free number on; what was not mapped has no base to free.
        for (std::uint32_t n = 0; n < c.region_count_; ++n) {
            m.unmap(m.memory().address_of(region_number::first_free + n));
        }
        lanes_used_.clear_bits(std::uint32_t{1} << c.lane_);
        c.lane_ = container::no_lane;
    }

    /// Resumes one container of `tenant` that is due; the next time another one.
    std::uint32_t poll_tenant(std::uint8_t tenant, std::uint32_t budget) {
        std::uint32_t done = 0;
        for (std::uint32_t n = 0; n < Config.containers && done == 0; ++n) {
            auto& cursor = cursors_[tenant];
            cursor = static_cast<std::uint8_t>((cursor + 1) % Config.containers);
            visit(containers_[cursor], [&](container& c) {
                if (c.tenant_ != tenant || c.state() != container_state::suspended || !due(c)) {
                    return;
                }
                const std::uint32_t fuel = std::min({fuel_left(c), Config.slice, budget});
                if (fuel == 0) return;
                auto& in = lanes_[c.lane_];
                in.env.now = now_.load();
                c.state_ = container_state::running;
                const auto r = in.m.resume(*c.verified_, fuel);
                // A slice that only paid a debt still counts, so that polling ends.
                done = std::max<std::uint32_t>(in.m.executed(), 1);
                hook_result ignored;
                end(c, r, ignored);
            });
        }
        return done;
    }

    Platform& platform_;
    std::array<lane, lane_count> lanes_{};
    std::array<femto::tenant<guard>, Config.tenants> tenants_{};
    std::array<std::atomic<container*>, Config.containers> containers_{};
    std::array<std::uint8_t, Config.tenants> cursors_{};
    shared_word<guard> lanes_used_;
    shared_word<guard> now_;
    std::uint32_t window_start_ = 0;
    std::uint32_t loads_ = 0;
    std::uint8_t turn_ = 0;
};

}  // namespace femto
