// SPDX-License-Identifier: Apache-2.0
// Many machines in many threads: all run the same verified programs at once, whose text, marks and rodata
// they share, and nothing else. Then a hook fires in two threads while containers are attached to it and
// detached in a third. Built with -fsanitize=thread: machines that shared state would be reported.
#include "../unit/device.hpp"
#include "support.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

using test::require;

void charge(femto::caller& c, std::uint32_t n) { c.charge(n); }
void sleep(femto::caller& c) { c.suspend(); }
using machine_helpers = femto::helper_set<femto::helper<1, "charge", &charge>, femto::helper<2, "sleep", &sleep>>;

/// Runs one program in `threads` threads, each on a machine of its own, in portions and suspended.
template <class Machine>
void share_a_program(int threads, int runs) {
    using test::op;
    // r6 = sum over the context and rodata, through the stack and a local call; suspends in between.
    const std::vector text{op(0xbf, 6, 1), op(0xb7, 7), op(0xb7, 8), op(0x18, 9, 2, 0, 0), op(0),
                           op(0x71, 1, 6), op(0x0f, 7, 1), op(0x71, 1, 9), op(0x0f, 7, 1),
                           op(0x7b, 10, 7, -8), op(0xbf, 1, 7), op(0x85, 0, 1, 0, 7), op(0xbf, 7, 0),
                           op(0x07, 6, 0, 0, 1), op(0x07, 9, 0, 0, 1), op(0x07, 8, 0, 0, 1),
                           op(0xa5, 8, 0, -12, 16), op(0xbf, 0, 7), op(0x95),
                           op(0x7b, 10, 1, -8), test::set(1, 3), test::call(1), test::call(2),
                           op(0x79, 0, 10, -8), op(0x27, 0, 0, 0, 3), op(0x95)};
    std::vector<std::byte> rodata(16, std::byte{5});
    std::vector<std::uint8_t> scratch(text.size());
    const auto verified = Machine::verify({text, rodata, {}, {}}, scratch);
    require(verified.has_value(), "the program is verified");
    const auto run = [&](int seed) {
        Machine m;
        std::vector<std::byte> context(16, static_cast<std::byte>(seed));
        auto r = m.run(*verified, verified->entry(), std::span{context}, 7);
        while (!r && (r.error().code == femto::errc::out_of_fuel || r.error().code == femto::errc::suspended)) {
            r = m.resume(*verified, 7);
        }
        require(r.has_value(), "a run ends well");
        return *r;
    };
    std::vector<std::uint64_t> expected;
    for (int seed = 0; seed < 8; ++seed) expected.push_back(run(seed));
    require(expected[1] != expected[2], "runs depend on their context");
    std::vector<std::thread> all;
    for (int t = 0; t < threads; ++t) {
        all.emplace_back([&, t] {
            for (int n = 0; n < runs; ++n) {
                const int seed = (n + t) % 8;
                require(run(seed) == expected[static_cast<std::size_t>(seed)], "a run is like every other");
            }
        });
    }
    for (auto& t : all) t.join();
}

struct platform {
    using guard = test::lock;
    femto::store_pool<8, guard> stores;
};
using helpers = femto::helpers::stores<platform>;
constexpr femto::engine_config size{
    .machine = {.dispatch = femto::dispatch::threaded, .stack_size = 64},
    .lanes = 3, .sleepers = 0, .containers = 4, .tenants = 2};
using engine = femto::engine<platform, helpers, size>;

/// Two threads fire one hook while a third attaches two containers to it, detaches, unloads and loads.
void attach_while_firing(int rounds) {
    platform p;
    engine e{p};
    constexpr femto::tenant_offer offers[]{{.helpers = femto::every_helper}};
    const femto::hook_declaration declared{femto::small_uuid(1), femto::hook_policy::all, offers};
    engine::hook<std::uint64_t, 2> hook{declared};
    using test::op;
    // global[1] += 1
    const std::vector text{test::set(1, 1), test::set(2, 1), op(0xbf, 3, 10), op(0x07, 3, 0, 0, -8),
                           test::call(0x19), test::set(0, 1), test::leave};
    const femto::program program{text, {}, {}, {}};
    struct box {
        std::array<std::uint8_t, 8> marks{};
        femto::container_statistics statistics;
        engine::container control{statistics};
    };
    std::array<box, 2> boxes;
    static constexpr femto::program_request request{{1000, 64, 0, false}, ~std::uint64_t{0}};
    const auto load = [&](box& b) {
        return e.load(b.control, 0, program, request, {{}, b.marks, {}});
    };
    for (auto& b : boxes) require(load(b).has_value(), "load");
    std::atomic<bool> done{false};
    std::atomic<std::uint32_t> ran{0};
    const auto shoot = [&] {
        std::uint64_t context = 0;
        while (!done) {
            const auto r = e.fire(hook, context);
            require(r.faulted == 0, "no run faults");
            ran += r.ran;
        }
    };
    std::thread a{shoot}, b{shoot};
    // Until the other threads have met it often enough.
    for (int n = 0; n < rounds || ran < static_cast<std::uint32_t>(rounds); ++n) {
        auto& one = boxes[static_cast<std::size_t>(n % 2)];
        require(e.attach(hook, one.control).has_value(), "attach");
        if (n % 3 == 0) std::this_thread::yield();
        auto off = e.detach(hook, one.control);
        while (!off) {
            require(off.error().code == femto::errc::container_busy, "busy or off");
            std::this_thread::yield();
            off = e.detach(hook, one.control);
        }
        const auto runs = one.control.statistics().runs;
        if (n % 5 == 0) {
            auto gone = e.unload(one.control);
            require(gone.has_value() || gone.error().code == femto::errc::container_busy, "unload");
            if (gone) require(load(one).has_value(), "load again");
        } else {
            require(one.control.statistics().runs == runs, "a detached container does not run");
        }
    }
    done = true;
    a.join();
    b.join();
    require(p.stores.fetch({}, 1) == ran, "every run was counted");
    std::printf("%d times attached and detached, %u runs meanwhile\n", rounds, ran.load());
}

}  // namespace

int main(int argc, char** argv) {
    const int runs = argc > 1 ? std::atoi(argv[1]) : 100;
    using enum femto::address_space;
    using enum femto::dispatch;
    constexpr auto with = [](femto::address_space space, femto::dispatch d) {
        femto::config c{.stack_size = 64};
        c.address_space = space;
        c.dispatch = d;
        return c;
    };
    share_a_program<femto::vm<with(segmented, compact), machine_helpers>>(8, runs);
    share_a_program<femto::vm<with(segmented, threaded), machine_helpers>>(8, runs);
    share_a_program<femto::vm<with(flat, compact), machine_helpers>>(8, runs);
    share_a_program<femto::vm<with(flat, threaded), machine_helpers>>(8, runs);
    attach_while_firing(runs * 10);
    std::printf("32 threads, %d runs each\n", runs);
}
