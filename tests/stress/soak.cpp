// SPDX-License-Identifier: Apache-2.0
// A life of a device in short: two threads fire hooks, a third polls those that wait, and a fourth loads,
// attaches, replaces, detaches and unloads containers, some of which fault, wait, or run out of fuel. A
// fifth watches them all.
// No event is lost, and in the end nothing is left. Arguments: events for each firing thread.
#include "../unit/device.hpp"
#include "support.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using test::require;

struct platform {
    using guard = test::lock;
    femto::store_pool<16, guard> stores;
    std::atomic<std::uint32_t> time{0};
    [[nodiscard]] std::uint32_t now_ms() const { return time; }
};
using helpers = femto::join_helpers<femto::helpers::stores<platform>, femto::helpers::time<platform>>;
constexpr femto::engine_config size{
    .machine = {.dispatch = femto::dispatch::compact, .stack_size = 64},
    .lanes = 4, .sleepers = 2, .containers = 8, .tenants = 2, .window = 50};
using engine = femto::engine<platform, helpers, size>;

enum class kind { counts, faults, waits, endless };

struct box {
    explicit box(kind k) : what{k} {
        using test::op;
        // tenant[1] += 1, and then what it is for
        text = {test::set(1, 1), test::set(2, 1), op(0xbf, 3, 10), op(0x07, 3, 0, 0, -8),
                test::call(0x1a), test::set(0, 1), test::leave};
        if (k == kind::faults) text[5] = op(0x79, 0, 0, 0);   // reads address 0
        if (k == kind::endless) text[5] = op(0x05, 0, 0, -1);
        if (k == kind::waits) text = {test::set(1, 3), test::call(0x63), test::set(0, 1), test::leave};
        request = {{200, 64, 1, k == kind::waits}, ~std::uint64_t{0}};
    }
    femto::result<void> load(engine& e, std::uint8_t tenant) {
        return e.load(control, tenant, {text, {}, {}, {}}, request, {{}, marks, {}}, limits);
    }
    kind what;
    std::vector<femto::instruction> text;
    femto::program_request request;
    femto::container_limits limits{.faults = {femto::fault_policy::action::back_off, 3, 1}};
    std::array<std::uint8_t, 8> marks{};
    femto::container_statistics counts;
    engine::container control{counts};
};

/// Repeats what says that a run is going on.
template <class F>
void until_done(F f, const char* what) {
    auto r = f();
    while (!r && r.error().code == femto::errc::container_busy) {
        std::this_thread::yield();
        r = f();
    }
    require(r.has_value(), what);
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint32_t events = argc > 1 ? static_cast<std::uint32_t>(std::atoi(argv[1])) : 20000;
    platform p;
    engine e{p};
    constexpr femto::tenant_offer offers[]{{.helpers = femto::every_helper}};
    const femto::hook_declaration declared{femto::small_uuid(1), femto::hook_policy::all, offers};
    engine::hook<std::uint64_t, 2> hooks[2]{engine::hook<std::uint64_t, 2>{declared},
                                            engine::hook<std::uint64_t, 2>{declared}};
    // Two that stay and count every event, each on the first place of a hook.
    box stays[2]{box{kind::counts}, box{kind::counts}};
    for (unsigned n = 0; n < 2; ++n) {
        require(stays[n].load(e, static_cast<std::uint8_t>(n)).has_value(), "load");
        require(e.attach(hooks[n], stays[n].control).has_value(), "attach");
    }
    std::atomic<bool> firing{true};
    std::atomic<std::uint32_t> faulted{0}, suspended{0}, missed{0}, changes{0};
    std::uint32_t fired[2]{};
    const auto shoot = [&](unsigned which) {
        std::uint64_t context = 0;
        // On a machine that is busy the other threads may begin late: until all of it has happened.
        for (auto& n = fired[which]; n < events || faulted == 0 || suspended == 0 || changes == 0; ++n) {
            const auto r = e.fire(hooks[which], context);
            require(r.ran >= 1, "the container that stays runs at every event");
            faulted += r.faulted;
            suspended += r.suspended;
            missed += r.missed;
        }
    };
    std::thread first{[&] { shoot(0); }};
    std::thread second{[&] { shoot(1); }};
    std::thread polls{[&] {
        while (firing) {
            e.poll(++p.time, 1000);
            std::this_thread::yield();
        }
    }};
    box guests[]{box{kind::counts}, box{kind::faults}, box{kind::waits}, box{kind::endless}};
    std::thread watches{[&] {
        femto::container_statistics before[2]{};
        while (firing) {
            for (unsigned n = 0; n < 2; ++n) {
                const auto s = stays[n].control.statistics();
                require(s.runs >= before[n].runs && s.instructions >= before[n].instructions,
                        "counters only rise");
                require(s.instructions % 7 == 0, "seven instructions a run");
                before[n] = s;
            }
            for (const auto& g : guests) {
                const auto s = g.control.statistics();
                require((s.faults == 0) == (s.last_fault.code == femto::errc::ok) && s.faults <= s.runs,
                        "a fault and its cause come together");
                require(g.control.state() <= femto::container_state::disabled &&
                            g.control.last_fault() <= femto::errc::ok,
                        "states and causes that there are");
            }
            std::this_thread::yield();
        }
    }};
    std::thread operates{[&] {
        for (std::uint32_t turn = 0; firing; ++turn) {
            auto& hook = hooks[turn % 2];
            box& a = guests[turn % 4];
            box& b = guests[(turn + 1) % 4];
            const auto tenant = static_cast<std::uint8_t>(turn / 2 % 2);
            require(a.load(e, tenant).has_value(), "load");
            require(e.attach(hook, a.control).has_value(), "attach");
            std::this_thread::yield();
            require(b.load(e, tenant).has_value(), "load");
            auto r = e.replace(hook, a.control, b.control);
            if (!r && r.error().code == femto::errc::container_busy) {
                until_done([&] { return e.detach(hook, a.control); }, "detach of the old one");
            } else {
                require(r.has_value(), "replace");
            }
            const auto runs = a.control.statistics().runs;
            until_done([&] { return e.unload(a.control); }, "unload");
            require(a.control.statistics().runs == runs, "a container that was replaced does not run");
            std::this_thread::yield();
            until_done([&] { return e.detach(hook, b.control); }, "detach");
            until_done([&] { return e.unload(b.control); }, "unload");
            ++changes;
        }
    }};
    first.join();
    second.join();
    firing = false;
    polls.join();
    operates.join();
    watches.join();

    for (unsigned n = 0; n < 2; ++n) {
        require(stays[n].counts.runs == fired[n], "every event ran");
        require(stays[n].counts.missed == 0 && stays[n].counts.faults == 0, "and ran to its end");
        require(e.detach(hooks[n], stays[n].control).has_value(), "detach");
        require(e.unload(stays[n].control).has_value(), "unload");
        require(hooks[n].empty() && hooks[n].at(1) == nullptr, "the hooks are empty");
        require(e.tenant(static_cast<std::uint8_t>(n)).containers() == 0 &&
                    e.tenant(static_cast<std::uint8_t>(n)).ram() == 0,
                "tenants have nothing left");
    }
    require(p.stores.fetch({femto::store_kind::tenant, 0}, 1) >= fired[0] &&
                p.stores.fetch({femto::store_kind::tenant, 1}, 1) >= fired[1],
            "every event was counted");
    require(p.stores.used_by(0) == 1 && p.stores.used_by(1) == 1, "local stores are freed");
    // Every machine is free again: as many as there are can wait at once.
    box sleepers[2]{box{kind::waits}, box{kind::waits}};
    for (auto& s : sleepers) {
        require(s.load(e, 0).has_value() && e.attach(hooks[0], s.control).has_value(), "attach");
    }
    std::uint64_t context = 0;
    require(e.fire(hooks[0], context).suspended == 2, "every machine is free");
    std::printf("%u events, %u changes, %u faults, %u waits, %u missed by guests that waited or backed off\n",
                fired[0] + fired[1], changes.load(), faulted.load(), suspended.load(), missed.load());
}
