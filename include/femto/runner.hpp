// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/container.hpp>
#include <femto/hook.hpp>
#include <femto/lane_pool.hpp>
#include <femto/tenant.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace femto {

/// Runs one container that is held: within its limits, on everybody's account, and with what follows
/// from a fault.
template <class Platform, class Helpers, auto Config>
class runner {
    using pool = lane_pool<Platform, Helpers, Config>;
    using container = typename pool::container;
    using lane = typename pool::lane;

public:
    constexpr explicit runner(Platform& platform) : lanes{platform} {}

    pool lanes;
    std::array<tenant<typename Platform::guard>, Config.tenants> tenants{};
    shared_word<typename Platform::guard> now;

    [[nodiscard]] bool due(const container& c) const {
        return static_cast<std::int32_t>(now.load() - c.wake_at_) >= 0;
    }

    /// Begins a new window for everybody: tenants now, containers when they run.
    void renew_window() {
        window_.store(static_cast<std::uint16_t>(window_.load(std::memory_order_relaxed) + 1),
                      std::memory_order_relaxed);  // `poll` alone writes it
        for (auto& t : tenants) t.used_.store(0);
    }

    /// Whether a limit in a window is to be looked at when `c` runs.
    [[nodiscard]] bool windowed(const container& c) const {
        return c.fuel_ == 0 || c.limits_->window_fuel != unlimited ||
               tenants[c.tenant_].quota().window_fuel != unlimited;
    }

    /// Runs it for an event. Part of where hooks fire, and the way of a container that is not watched and
    /// has run in its machine before has nothing but what it needs.
    FEMTO_ALWAYS_INLINE void start(container& c, const std::span<std::byte>& context,
                                   hook_result& result) {
        if (c.state_.load(std::memory_order_relaxed) != container_state::attached) [[unlikely]] {
            return missed(c, result);
        }
        if (c.watched()) return start_watched(c, context, result);
        lane* const in = lanes.acquire();
        if (in == nullptr) [[unlikely]] return missed(c, result);
        if (in->installed.load(std::memory_order_relaxed) != &c) [[unlikely]] {
            return install_and_run(c, *in, context, c.fuel_, result);
        }
        c.state_.store(container_state::running, std::memory_order_relaxed);
        const auto r = in->m.run_again(c.verified_, c.verified_.entry(c.entry_), context, c.context_,
                                       c.fuel_);
        if (!r) [[unlikely]] return stopped(c, *in, r.error(), result);
        ended(c, *in, *r, result);
    }

    /// Goes on with a suspended run, for a slice. Returns the instructions executed, 0 if it may not.
    std::uint32_t resume(container& c, std::uint32_t budget) {
        lane& in = lanes.of(c);
        const std::uint32_t fuel = std::min({fuel_left(c, in.run_used), Config.slice, budget});
        if (fuel == 0) return 0;
        c.state_ = container_state::running;
        const auto r = in.m.resume(c.verified_, fuel);
        // A slice that only paid a debt still counts, so that polling ends.
        const std::uint32_t done = std::max<std::uint32_t>(in.m.executed(), 1);
        hook_result ignored;
        end(c, in, r, ignored);
        return done;
    }

private:
    /// What a run may use now. The limits of windows are looked at only where there are any.
    [[nodiscard]] std::uint32_t fuel_left(container& c, std::uint32_t used) const {
        if (const auto window = window_.load(std::memory_order_relaxed); c.window_ != window) {
            c.window_ = window;
            c.window_used_ = 0;
        }
        const auto left = [](std::uint32_t limit, std::uint32_t spent) {
            return limit > spent ? limit - spent : 0;
        };
        std::uint32_t fuel = left(c.fuel_, used);
        const auto& t = tenants[c.tenant_];
        if (c.limits_->window_fuel != unlimited) {
            fuel = std::min(fuel, left(c.limits_->window_fuel, c.window_used_));
        }
        if (t.quota().window_fuel != unlimited) {
            fuel = std::min(fuel, left(t.quota().window_fuel, t.window_used()));
        }
        return fuel;
    }

    FEMTO_COLD void missed(container& c, hook_result& out) {
        c.statistics_.missed();
        ++out.missed;
    }
    /// Within its limits, and on everybody's account.
    FEMTO_COLD void start_watched(container& c, const std::span<std::byte>& context,
                                  hook_result& out) {
        std::uint32_t fuel = c.fuel_;
        if (c.windowed_ || c.suspends_) {
            fuel = fuel_left(c, 0);
            if (fuel == 0) {
                c.statistics_.throttled();
                ++out.missed;
                return;
            }
            if (c.suspends_) fuel = std::min(fuel, Config.slice);
        }
        lane* const in = c.suspends_ ? lanes.acquire_sleeper() : lanes.acquire();
        if (in == nullptr) return missed(c, out);
        in->run_used = 0;
        install_and_run(c, *in, context, fuel, out);
    }
    FEMTO_COLD void install_and_run(container& c, lane& in, const std::span<std::byte>& context,
                                    std::uint32_t fuel, hook_result& out) {
        const bool anew = in.installed.load(std::memory_order_relaxed) != &c;
        if (anew) lanes.install(in, c, tenants[c.tenant_].quota());
        c.state_.store(container_state::running, std::memory_order_relaxed);
        const auto& p = c.verified_;
        const auto at = p.entry(c.entry_);
        end(c, in, in.m.run(p, at, context, c.context_, fuel), out);
    }
    void end(container& c, lane& in, const result<std::uint64_t>& r, hook_result& out) {
        if (c.watched()) count(c, in, r.has_value());
        if (!r) [[unlikely]] return stopped(c, in, r.error(), out);
        ended(c, in, *r, out);
    }
    FEMTO_ALWAYS_INLINE void ended(container& c, lane& in, std::uint64_t value, hook_result& out) {
        out.value = static_cast<std::int64_t>(value);
        ++out.ran;
        c.faults_in_row_ = 0;
        lanes.release(in);
        c.state_.store(container_state::attached, std::memory_order_relaxed);
    }
    FEMTO_COLD void stopped(container& c, lane& in, error why, hook_result& out) {
        in.m.drop_context();
        const errc code = why.code;
        if (c.suspends_ && (code == errc::suspended ||
                            (code == errc::out_of_fuel && in.run_used < c.fuel_))) {
            c.wake_at_ = code == errc::suspended ? in.env.wake_at : now.load();
            if (code == errc::suspended) in.run_used = 0;
            c.lane_ = lanes.number_of(in);
            ++out.suspended;
            c.state_ = container_state::suspended;
            return;
        }
        ++out.faulted;
        c.last_fault_.store(code, std::memory_order_relaxed);
        c.statistics_.faulted(why);
        lanes.release(in);
        after_fault(c);
    }

    /// Adds what was executed just now to everybody's account.
    void count(container& c, lane& in, bool ended) {
        const std::uint32_t executed = in.m.executed();
        in.run_used += executed;
        c.window_used_ += executed;
        auto& owner = tenants[c.tenant_];
        if (owner.quota().window_fuel != unlimited) owner.used_.add(executed);
        c.statistics_.executed(executed, in.run_used, ended);
    }

    void after_fault(container& c) {
        const fault_policy& policy = c.limits_->faults;
        if (c.faults_in_row_ != 0xff) ++c.faults_in_row_;
        c.state_ = container_state::attached;
        if (policy.what == fault_policy::action::disable && c.faults_in_row_ >= policy.count) {
            c.state_ = container_state::disabled;
        } else if (policy.what == fault_policy::action::back_off) {
            const unsigned doublings = std::min<unsigned>(c.faults_in_row_ - 1u, 10);
            c.wake_at_ = now.load() + (std::uint32_t{policy.delay} << doublings);
            c.state_ = container_state::faulted;
        }
    }

    std::atomic<std::uint16_t> window_{0};
};

}  // namespace femto
