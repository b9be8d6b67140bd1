// SPDX-License-Identifier: Apache-2.0
// The three scenarios of the Femto-Containers papers on one device: a thread counter of one tenant;
// a sensor's moving average and a CoAP handler that formats it, of another.
#include "catch.hpp"
#include "device.hpp"

#include <cstring>

using namespace femto;
using namespace test;

namespace {

struct thread_switch {
    std::uint64_t previous;
    std::uint64_t next;
};
struct coap_request {
    helpers::coap_context header;
    std::array<std::byte, 40> packet;
};

constexpr uuid scheduler_hook = small_uuid(1);
constexpr uuid timer_hook = small_uuid(2);
constexpr uuid request_hook = small_uuid(3);
constexpr std::int32_t mean_key = 0x77;

constexpr std::uint32_t counting_helpers[]{0x11, 0x13, 0x19};
constexpr std::uint32_t reading_helpers[]{0x14, 0x15, 0x20, 0x31, 0x32, 0x61};
constexpr std::uint32_t answering_helpers[]{0x15, 0x40, 0x41, 0x42, 0x43, 0x50, 0x51};
constexpr tenant_offer counter_offer[]{{.tenants = 1, .helpers = counting_helpers}};
constexpr tenant_offer timer_offer[]{{.tenants = 2, .helpers = reading_helpers}};
constexpr tenant_offer request_offer[]{
    {.tenants = 2, .helpers = answering_helpers, .context = permission::read_write}};
constexpr hook_declaration on_switch{scheduler_hook, hook_policy::all, counter_offer};
constexpr hook_declaration on_timer{timer_hook, hook_policy::all, timer_offer};
constexpr hook_declaration on_request{request_hook, hook_policy::first_only, request_offer};

// global[next] += 1, unless next is 0
std::vector<instruction> counter() {
    return {op(0x79, 1, 1, 8), op(0x15, 1, 0, 4, 0), set(2, 1), op(0xbf, 3, 10),
            op(0x07, 3, 0, 0, -8), call(0x19), set(0, 0), leave};
}

// The papers' endless loop: mean over the last 10 readings in .data {s16 readings[10], u32 n, s32 sum}
std::vector<instruction> average() {
    return {
        call(0x20), op(0x63, 10, 0, -4),                            // last = now
        set(1, 0x82), call(0x31), op(0xbf, 6, 0),                   // r6 = sensor
        op(0xbf, 1, 10), op(0x07, 1, 0, 0, -4), set(2, 100), call(0x61),  // loop: every 100 ms
        op(0xbf, 1, 6), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -16), call(0x32),
        op(0x69, 1, 10, -16),                                       // r1 = reading
        op(0x18, 7, 2, 0, 1), op(0, 0, 0, 0, 0),                    // r7 = data
        op(0x61, 2, 7, 20), op(0xbf, 3, 2), op(0x97, 3, 0, 0, 10),  // r3 = n % 10
        op(0x67, 3, 0, 0, 1), op(0x0f, 3, 7), op(0x69, 4, 3), op(0x6b, 3, 1),
        op(0x61, 5, 7, 24), op(0x1f, 5, 4), op(0x0f, 5, 1), op(0x63, 7, 5, 24),  // sum
        op(0x07, 2, 0, 0, 1), op(0x63, 7, 2, 20),
        op(0xa5, 2, 0, 1, 10), set(2, 10), op(0x3f, 5, 2),          // mean = sum / min(n, 10)
        set(1, mean_key), op(0xbf, 2, 5), call(0x14),
        op(0x05, 0, 0, -31),
    };
}

// 2.05 Content, format 0, the mean as text with one digit behind the point
std::vector<instruction> formatter() {
    return {
        op(0xbf, 6, 1), set(2, 0x45), call(0x40),
        op(0xbf, 1, 6), set(2, 0), call(0x42),
        op(0xbf, 1, 6), set(2, 1), call(0x41), op(0xbf, 7, 0),
        set(1, mean_key), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -8), call(0x15),
        op(0xbf, 1, 6), call(0x43),
        op(0xbf, 1, 0), op(0x69, 2, 10, -8), set(3, -1), call(0x50),
        op(0x0f, 0, 7), leave,
    };
}

}  // namespace

TEST_CASE("scenarios: three containers of two tenants on one device") {
    device_platform platform;
    device_engine e{platform};
    device_engine::hook<thread_switch, 1> scheduler{on_switch};
    device_engine::hook<std::uint32_t, 1> timer{on_timer};
    device_engine::hook<coap_request, 1> request{on_request};
    boxed counting{counter(), scheduler_hook, {200, 64, 4, false}};
    boxed averaging{average(), timer_hook, {500, 64, 2, true}, {}, std::vector<std::byte>(28)};
    boxed formatting{formatter(), request_hook, {500, 64, 0, false}};
    REQUIRE(counting.load(e, 0).has_value());
    REQUIRE(averaging.load(e, 1).has_value());
    REQUIRE(formatting.load(e, 1).has_value());
    // what the hook does not offer to the tenant cannot be had
    CHECK(e.attach(timer, *counting).error().code == errc::wrong_hook);
    REQUIRE(e.attach(scheduler, *counting).has_value());
    REQUIRE(e.attach(timer, *averaging).has_value());
    REQUIRE(e.attach(request, *formatting).has_value());

    std::uint32_t tick = 0;
    CHECK(e.fire(timer, tick).suspended == 1);
    for (std::uint32_t n = 0; n < 60; ++n) {
        thread_switch s{n % 3, (n + 1) % 3};
        CHECK(e.fire(scheduler, s).ran == 1);
    }
    CHECK(platform.stores.fetch({}, 1) == 20);
    CHECK(platform.stores.fetch({}, 2) == 20);
    CHECK(platform.stores.fetch({}, 0) == 0);

    for (std::uint32_t now = 1; now <= 2000; ++now) {
        platform.time = now;
        platform.temperature = static_cast<std::int16_t>(200 + now / 100);
        e.poll(now, 1000);
    }
    // the last ten readings: 211 to 220, at 1100 to 2000 ms
    CHECK(platform.stores.fetch({store_kind::tenant, 1}, mean_key) == 215);
    CHECK(averaging->statistics().faults == 0);

    coap_request r{{0, segmented_address(region_number::context, sizeof(helpers::coap_context)), 40},
                   {}};
    platform.coap = {r.packet, 6};  // a token of 2 bytes
    const auto answered = e.fire(request, r);
    CHECK(answered.ran == 1);
    REQUIRE(answered.value == 6 + 2 + 4);
    CHECK(r.packet[1] == std::byte{0x45});
    CHECK(r.packet[6] == std::byte{0xc0});
    CHECK(r.packet[7] == std::byte{0xff});
    CHECK(std::memcmp(&r.packet[8], "21.5", 4) == 0);

    // replaced while the other tenant's go on
    boxed wider{counter(), scheduler_hook, {200, 64, 4, false}};
    REQUIRE(wider.load(e, 0).has_value());
    REQUIRE(e.replace(scheduler, *counting, *wider).has_value());
    thread_switch s{0, 1};
    CHECK(e.fire(scheduler, s).ran == 1);
    CHECK(platform.stores.fetch({}, 1) == 21);
    CHECK(counting->statistics().runs == 60);
}

TEST_CASE("scenarios: neither tenant reaches the other's stores, memory or devices") {
    device_platform platform;
    device_engine e{platform};
    constexpr tenant_offer all[]{{.helpers = every_helper}};
    const hook_declaration declared{small_uuid(1), hook_policy::all, all};
    device_engine::hook<std::uint64_t, 2> h{declared};
    std::uint64_t context = 0;
    REQUIRE(platform.stores.store({store_kind::tenant, 1}, {1}, 5, 1234).has_value());
    REQUIRE(platform.stores.store({store_kind::local, 3}, {1}, 5, 1234).has_value());
    const auto value_of = [&](std::vector<instruction> text) {
        boxed c{std::move(text)};
        REQUIRE(c.load(e, 0).has_value());
        REQUIRE(e.attach(h, *c).has_value());
        const auto r = e.fire(h, context);
        const bool faulted = r.faulted == 1;
        REQUIRE(e.detach(h, *c).has_value());
        REQUIRE(e.unload(*c).has_value());
        return faulted ? std::int64_t{-1000} : r.value;
    };
    for (const std::int32_t id : {0x12, 0x13, 0x15}) {
        CHECK(value_of({set(1, 5), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -8), call(id),
                        op(0x61, 0, 10, -8), leave}) == 0);
    }
    CHECK(value_of({set(1, 0x82), call(0x31), leave}) == 0);
    CHECK(value_of({set(1, 1), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -8), call(0x32), leave}) == -1);
    CHECK(value_of({set(1, 0), set(2, 1), call(0x70), leave}) == -1);
    // every region number, and host addresses
    for (std::int32_t region = 3; region < 16; ++region) {
        CHECK(value_of({op(0x18, 1), op(0, 0, 0, 0, region), op(0x71, 0, 1), leave}) == -1000);
    }
    const auto host = reinterpret_cast<std::uintptr_t>(&platform);
    CHECK(value_of({op(0x18, 1, 0, 0, static_cast<std::int32_t>(host)),
                    op(0, 0, 0, 0, static_cast<std::int32_t>(std::uint64_t{host} >> 32)),
                    op(0x71, 0, 1), leave}) == -1000);
    // the stack of who ran before is no leak
    CHECK(value_of({op(0x7a, 10, 0, -8, 77), set(0, 0), leave}) == 0);
    CHECK(value_of({op(0x79, 0, 10, -8), leave}) == 0);
}
