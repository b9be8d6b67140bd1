// SPDX-License-Identifier: Apache-2.0
// Hooks fire in two threads while a third replaces the container: no event is lost, none runs in a
// container that was detached. Build with -fsanitize=thread to have races reported, too.
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
    femto::store_pool<8, guard> stores;
};
using helpers = femto::helpers::stores<platform>;
constexpr femto::engine_config size{
    .machine = {.dispatch = femto::dispatch::compact, .stack_size = 64},
    .lanes = 3, .sleepers = 0, .containers = 4, .tenants = 2};
using engine = femto::engine<platform, helpers, size>;

struct box {
    // r1 = n; r2 = 1; global[n] += 1; return n; faults if `bad`
    box(std::int32_t n, bool bad) {
        using test::op;
        text = {test::set(1, n), test::set(2, 1), op(0xbf, 3, 10), op(0x07, 3, 0, 0, -8),
                test::call(0x19), test::set(0, n), test::leave};
        if (bad) text[5] = op(0x79, 0, 0, 0);  // reads address 0
    }
    std::vector<femto::instruction> text;
    std::array<std::uint8_t, 8> marks{};
    femto::container_statistics statistics;
    engine::container control{statistics};
};

}  // namespace

int main(int argc, char** argv) {
    const int events = argc > 1 ? std::atoi(argv[1]) : 20000;
    platform p;
    engine e{p};
    constexpr femto::tenant_offer offers[]{{.helpers = femto::every_helper}};
    const femto::hook_declaration declared{femto::small_uuid(1), femto::hook_policy::all, offers};
    // A hook for each firing thread: a container runs once at a time.
    engine::hook<std::uint64_t, 1> first{declared};
    engine::hook<std::uint64_t, 1> second{declared};
    box boxes[]{{1, false}, {2, true}, {3, false}, {4, false}};
    for (auto& b : boxes) {
        const femto::program program{b.text, {}, {}, {}};
        static constexpr femto::program_request request{{1000, 64, 0, false}, ~std::uint64_t{0}};
        require(e.load(b.control, 0, program, request, {{}, b.marks, {}}).has_value(), "load");
    }
    require(e.attach(first, boxes[0].control).has_value(), "attach");
    require(e.attach(second, boxes[3].control).has_value(), "attach");

    std::atomic<bool> done{false};
    std::atomic<int> counts[2]{};
    std::atomic<int> missed{0};
    const auto shoot = [&](auto& hook, int which) {
        std::uint64_t context = 0;
        for (int n = 0; n < events; ++n) {
            const auto r = e.fire(hook, context);
            require(r.ran + r.faulted + r.missed == 1, "an event runs exactly one container");
            missed += r.missed;
            counts[which] += r.ran + r.faulted;
        }
    };
    std::thread a{[&] { shoot(first, 0); }};
    std::thread b{[&] { shoot(second, 1); }};
    int replaced = 0;
    std::thread c{[&] {
        // first has 0, 1, 2 in turn
        for (int now = 0; !done; now = (now + 1) % 3) {
            auto& old = boxes[now].control;
            auto& fresh = boxes[(now + 1) % 3].control;
            auto r = e.replace(first, old, fresh);
            while (!r && r.error().code == femto::errc::container_busy) {
                std::this_thread::yield();
                r = e.detach(first, old);
            }
            require(r.has_value(), "replace");
            const auto runs = old.statistics().runs;
            std::this_thread::yield();
            require(old.statistics().runs == runs, "a detached container does not run");
            ++replaced;
        }
    }};
    a.join();
    b.join();
    done = true;
    c.join();
    std::uint32_t counted = 0;
    for (std::uint32_t n = 1; n <= 4; ++n) counted += p.stores.fetch({}, n);
    require(missed == 0, "no event was missed");
    require(counted == static_cast<std::uint32_t>(2 * events), "every event was counted");
    require(counts[0] == events && counts[1] == events, "every event ran");
    require(replaced > 0, "something was replaced");
    std::printf("%d events, %d replacements, %u faults\n", 2 * events, replaced,
                unsigned{boxes[1].control.statistics().faults});
}
