// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/environment.hpp>
#include <femto/helper.hpp>

#include <concepts>

namespace femto::helpers {

/// A platform that knows the time, in milliseconds since the start, wrapping around. `poll` must be
/// given the same time.
template <class T>
concept has_clock = requires(T& p) {
    { p.now_ms() } -> std::convertible_to<std::uint32_t>;
};

namespace detail {

template <has_clock Platform>
std::uint32_t now(caller& c) {
    auto* e = c.host<environment<Platform>>();
    return e == nullptr ? 0 : e->platform->now_ms();
}
/// Waits until the time is `wake`; false if the run has no environment.
template <has_clock Platform>
bool wait_until(caller& c, std::uint32_t wake) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr) return false;
    e->wake_at = wake;
    c.suspend();
    return true;
}
template <has_clock Platform>
void sleep_until(caller& c, std::uint32_t wake) {
    wait_until<Platform>(c, wake);
}
template <has_clock Platform>
void wait(caller& c, std::uint32_t ms) {
    wait_until<Platform>(c, now<Platform>(c) + ms);
}
/// As RIOT's ztimer_periodic_wakeup: `last` moves on by `period` each time, so that errors do not
/// add up; a time that is past already returns at once.
template <has_clock Platform>
void periodic_wakeup(caller& c, guest_ref<std::uint32_t> last, std::uint32_t period) {
    const std::uint32_t target = last.get() + period;
    const std::uint32_t time = now<Platform>(c);
    if (target - time <= period) {
        last.set(target);
        wait_until<Platform>(c, target);
    } else {
        last.set(time);
    }
}

}  // namespace detail

/// Time. 0x20, 0x60 and 0x61 are those of Femto-Containers; 0x62 (until a time) and 0x63 (for so
/// many ms) wait. A helper that waits suspends the container; one that did not request it faults.
template <has_clock Platform>
using time = helper_set<helper<0x20, "now_ms", &detail::now<Platform>>,
                        helper<0x60, "ztimer_now", &detail::now<Platform>>,
                        helper<0x61, "ztimer_periodic_wakeup", &detail::periodic_wakeup<Platform>>,
                        helper<0x62, "sleep_until", &detail::sleep_until<Platform>>,
                        helper<0x63, "wait", &detail::wait<Platform>>>;

}  // namespace femto::helpers
