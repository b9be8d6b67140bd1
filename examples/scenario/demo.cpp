// SPDX-License-Identifier: Apache-2.0
// A device on the host with two tenants and the papers' three containers, seen from outside: who runs what,
// what a fault does, and how a container is exchanged while its hook fires. One screen; on a terminal it
// is redrawn while the device lives.
#include "device.hpp"

#include <femto/describe.hpp>

#include "coap_answer.h"
#include "sensor_average.h"
#include "thief.h"
#include "thread_counter.h"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

using namespace femto;

namespace {

struct watched {
    const char* name;
    const char* hook;
    std::uint8_t tenant;
    container_statistics counts{};
    scenario::engine::container control{counts};
    alignas(8) std::array<std::byte, 160> memory{};
};

scenario::platform platform;
scenario::engine device{platform};
scenario::engine::hook<scenario::thread_switch, 1> scheduler{scenario::on_switch};
scenario::engine::hook<std::uint32_t, 1> timer{scenario::on_timer};
scenario::engine::hook<scenario::coap_request, 1> request{scenario::on_request};
scenario::engine::hook<scenario::order, 1> orders{scenario::on_order};
std::atomic<std::uint32_t> switches{0}, unheard{0};

void must(const result<void>& r, const char* what) {
    if (r) return;
    std::fprintf(stderr, "demo: %s: %s\n", what, std::string{describe(r.error().code).what}.c_str());
    std::exit(1);
}
void load(watched& c, std::span<const unsigned char> flash, const container_limits& limits = scenario::engine::no_limits) {
    const auto image = parse_image(std::as_bytes(flash));
    const auto storage = divide(needs_of(*image), c.memory);
    must(storage ? result<void>{} : failure{storage.error()}, c.name);
    must(device.load(c.control, c.tenant, *image, *storage, limits), c.name);
}
void switched(std::uint32_t previous, std::uint32_t next) {
    scenario::thread_switch s{previous, next};
    if (device.fire(scheduler, s).ran != 1) ++unheard;
    ++switches;
}
std::string ask() {
    scenario::coap_request r{{0, segmented_address(region_number::context, sizeof r.header), 40}, {}};
    platform.coap = {r.packet, 4};
    const auto size = device.fire(request, r).value;
    return size > 6 ? std::string{reinterpret_cast<const char*>(&r.packet[6]), static_cast<std::size_t>(size - 6)}
                    : "(no answer)";
}

constexpr const char* states[]{"empty", "verified", "attached", "running", "waiting", "backing off", "disabled"};

/// The table; returns its lines.
int show(const std::vector<watched*>& containers, const char* title) {
    int lines = 0;
    const auto line = [&](const std::string& text) {
        std::printf("\x1b[2K%s\n" + (isatty(1) ? 0 : 4), text.c_str());
        ++lines;
    };
    char text[200];
    line(title);
    std::snprintf(text, sizeof text, "  %-16s %-8s %-10s %-11s %8s %12s %7s %6s", "container", "tenant", "hook",
                  "state", "runs", "instructions", "longest", "faults");
    line(text);
    for (const auto* c : containers) {
        const auto counts = c->control.statistics();
        std::snprintf(text, sizeof text, "  %-16s %-8s %-10s %-11s %8u %12llu %7u %6u", c->name,
                      c->tenant == scenario::operator_tenant ? "operator" : "sensors", c->hook,
                      states[static_cast<unsigned>(c->control.state())], counts.runs,
                      static_cast<unsigned long long>(counts.instructions), counts.longest_run,
                      counts.faults);
        line(text);
    }
    std::snprintf(text, sizeof text, "  %u thread switches, %u not counted; CoAP GET answers \"%s\"", switches.load(),
                  unheard.load(), ask().c_str());
    line(text);
    return lines;
}

/// Lets the device live for a while.
void live(const std::vector<watched*>& containers, const char* title, std::uint32_t ms) {
    const bool redraw = isatty(1) != 0;
    for (std::uint32_t n = 0; n < ms; ++n) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        platform.time = platform.time + 1;
        platform.temperature = static_cast<std::int16_t>(200 + platform.time / 100 % 50);
        device.poll(platform.time, 2000);
        if (redraw && n % 50 == 0) std::printf("\x1b[%dA", show(containers, title));
    }
    show(containers, title);
    std::printf("\n");
}

}  // namespace

int main() {
    watched counter{"thread_counter", "scheduler", scenario::operator_tenant};
    watched average{"sensor_average", "timer", scenario::sensor_tenant};
    watched answer{"coap_answer", "coap", scenario::sensor_tenant};
    load(counter, thread_counter_image);
    load(average, sensor_average_image);
    load(answer, coap_answer_image);
    must(device.attach(scheduler, counter.control), "attach");
    must(device.attach(timer, average.control), "attach");
    must(device.attach(request, answer.control), "attach");
    std::uint32_t tick = 0;
    device.fire(timer, tick);
    threads::on_switch = &switched;
    threads::start(nullptr, nullptr);
    std::vector<watched*> all{&counter, &average, &answer};
    live(all, "Three containers of two tenants; sensor_average waits between readings and has no thread.", 400);

    watched thief{"thief", "orders", scenario::operator_tenant};
    static constexpr container_limits limits{.faults = {fault_policy::action::disable, 3, 0}};
    load(thief, thief_image, limits);
    must(device.attach(orders, thief.control), "attach");
    for (int n = 0; n < 4; ++n) {
        scenario::order read_sensors_memory{0, segmented_address(region_number::first_free)};
        device.fire(orders, read_sensors_memory);
    }
    all.push_back(&thief);
    const auto& fault = thief.counts.last_fault;
    char title[160];
    std::snprintf(title, sizeof title, "A fourth one reached for memory that is not its own: %s at instruction %u, address 0x%llx.",
                  std::string{describe(fault.code).name}.c_str(), fault.pc, static_cast<unsigned long long>(fault.address));
    live(all, title, 400);

    watched fresh{"thread_counter 2", "scheduler", scenario::operator_tenant};
    load(fresh, thread_counter_image);
    auto r = device.replace(scheduler, counter.control, fresh.control);
    while (!r && r.error().code == errc::container_busy) r = device.detach(scheduler, counter.control);
    must(r, "replace");
    all.push_back(&fresh);
    live(all, "The thread counter was replaced while threads switched; no switch was missed.", 400);
    threads::stop();
    return unheard == 0 && thief.control.state() == container_state::disabled ? 0 : 1;
}
