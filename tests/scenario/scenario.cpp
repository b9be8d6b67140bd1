// SPDX-License-Identifier: Apache-2.0
// The papers' three scenarios on one device, with containers compiled from C, under a preemptive scheduler;
// what the two tenants cannot do to each other; and what it all costs, against limits.
#include "../unit/catch.hpp"
#include "device.hpp"

#include "coap_answer.h"
#include "sensor_average.h"
#include "thief.h"
#include "thread_counter.h"

#include <cstring>
#include <new>

#if !defined(FEMTO_TARGET_TEST)
#include <iostream>
#include <thread>
#endif

using namespace femto;
using namespace scenario;

namespace {

void print(const char* text, std::uint64_t value) {
#if defined(FEMTO_TARGET_TEST)
    femto_check::print("cost: ");
    femto_check::print(text);
    femto_check::print(" ");
    femto_check::print_number(value);
    femto_check::print("\n");
#else
    std::cout << "cost: " << text << ' ' << value << '\n';
#endif
}

alignas(device) std::byte storage[sizeof(device)];
device* d = nullptr;
void renew() { d = ::new (storage) device; }

// What the scheduler's interrupt did, counted by the firmware itself.
volatile std::uint32_t switches = 0;
volatile std::uint32_t switched_to[4];
volatile std::uint32_t unheard = 0;  // events that did not run exactly one container
volatile std::uint32_t work[2];      // what the other threads did

void switched(std::uint32_t previous, std::uint32_t next) {
    thread_switch context{previous, next};
    const auto r = d->engine.fire(d->scheduler, context);
    if (r.ran != 1) unheard = unheard + 1;
    switches = switches + 1;
    switched_to[next] = switched_to[next] + 1;
}
void second() { while (true) work[0] = work[0] + 1; }
void third() { while (true) work[1] = work[1] + 1; }

bool load_all() {
    return d->counter.load(d->engine, operator_tenant, thread_counter_image).has_value() &&
           d->average.load(d->engine, sensor_tenant, sensor_average_image).has_value() &&
           d->answer.load(d->engine, sensor_tenant, coap_answer_image).has_value();
}
bool attach_all() {
    return d->engine.attach(d->scheduler, d->counter.control).has_value() &&
           d->engine.attach(d->timer, d->average.control).has_value() &&
           d->engine.attach(d->request, d->answer.control).has_value();
}

}  // namespace

TEST_CASE("scenarios: three containers of two tenants under a scheduler that preempts them") {
    renew();
    REQUIRE(load_all());
    REQUIRE(attach_all());
    static box fresh;
    REQUIRE(fresh.load(d->engine, operator_tenant, thread_counter_image).has_value());

    std::uint32_t tick = 0;
    CHECK(d->engine.fire(d->timer, tick).suspended == 1);
    threads::on_switch = &switched;
    threads::start(&second, &third);

    // This thread is preempted as the others are: it measures, is asked, and replaces the counter.
    std::uint32_t answers = 0;
    bool replaced = false;
    bool good = true;
    for (std::uint32_t now = 1; now <= 200 || switches < 30 || !replaced; ++now) {
        d->platform.time = now;
        d->platform.temperature = static_cast<std::int16_t>(200 + now / 10);
        d->engine.poll(now, 2000);
        if (now % 40 == 0 && now <= 200) {
            coap_request r{{0, segmented_address(region_number::context, sizeof r.header), 40}, {}};
            d->platform.coap = {r.packet, 6};  // header and a token of 2 bytes
            good = good && d->engine.fire(d->request, r).value == 6 + 2 + 4;
            // the ten readings before: 20.0 + now/100 - 0.45 degrees, without the fraction
            const auto average = 200 + now / 10 - (now / 10 < 10 ? now / 20 : 5);
            char text[4] = {static_cast<char>('0' + average / 100),
                            static_cast<char>('0' + average / 10 % 10), '.',
                            static_cast<char>('0' + average % 10)};
            good = good && std::memcmp(&r.packet[8], text, 4) == 0 && r.packet[1] == std::byte{0x45};
            ++answers;
        }
        if (!replaced && switches > 10) {
            auto r = d->engine.replace(d->scheduler, d->counter.control, fresh.control);
            while (!r && r.error().code == errc::container_busy) {
                r = d->engine.detach(d->scheduler, d->counter.control);
            }
            good = good && r.has_value();
            replaced = true;
        }
#if !defined(FEMTO_TARGET_TEST)
        if (now > 200) std::this_thread::yield();
#endif
    }
    threads::stop();
    CHECK(good);
    CHECK(answers == 5);
    CHECK(replaced);
    CHECK(d->counter.control.state() == container_state::verified);
    CHECK(fresh.control.state() == container_state::attached);
    CHECK(unheard == 0);  // each switch ran the old counter or the new one
    CHECK(switches >= 30);
    for (std::uint32_t thread = 1; thread <= 3; ++thread) {
        CHECK(switched_to[thread] > 0);
        CHECK(d->platform.stores.fetch({}, thread) == switched_to[thread]);
    }
#if defined(FEMTO_TARGET_TEST)
    CHECK(work[0] > 0);
    CHECK(work[1] > 0);
#endif
    CHECK(d->average.control.last_fault() == errc::ok);
    CHECK(d->platform.stores.fetch({store_kind::tenant, sensor_tenant}, average_key) > 200);
}

TEST_CASE("scenarios: neither tenant reaches the other's memory and stores, nor the host's") {
    enum { reading, writing, stores, hoard, sensor };
    for (const std::uint8_t tenant : {operator_tenant, sensor_tenant}) {
        renew();
        static constexpr tenant_quota quota{.store_entries = 8};
        d->engine.set_quota(operator_tenant, quota);
        d->engine.set_quota(sensor_tenant, quota);
        REQUIRE(load_all());
        REQUIRE(attach_all());
        std::uint32_t tick = 0;
        d->engine.fire(d->timer, tick);  // the other's data lies in a machine
        const std::uint8_t other = tenant == operator_tenant ? sensor_tenant : operator_tenant;
        constexpr std::uint32_t secret = 77;
        REQUIRE(d->platform.stores.store({store_kind::tenant, other}, {other}, secret, 1234).has_value());
        const auto number = other == operator_tenant ? d->counter.control.number()
                                                     : d->average.control.number();
        REQUIRE(d->platform.stores.store({store_kind::local, number}, {other}, secret, 1234).has_value());

        box thief;
        scenario::engine::hook<order, 1> orders{on_order};
        REQUIRE(thief.load(d->engine, tenant, thief_image).has_value());
        REQUIRE(d->engine.attach(orders, thief.control).has_value());
        const auto attack = [&](std::uint64_t what, std::uint64_t value) {
            order o{what, value};
            return d->engine.fire(orders, o);
        };
        // Every region of the machine but its own, and every byte behind them.
        for (std::uint32_t region = 0; region < 20; ++region) {
            if (region >= region_number::stack && region <= region_number::rodata) continue;
            for (const std::uint32_t offset : {0u, 64u, 0x7fffffffu, 0xffffffffu}) {
                CHECK(attack(reading, segmented_address(region, offset)).faulted == 1);
                CHECK(thief.control.last_fault() == errc::illegal_memory);
                CHECK(attack(writing, segmented_address(region, offset)).faulted == 1);
            }
        }
        // The context may be read only, and its end is the end.
        CHECK(attack(writing, segmented_address(region_number::context)).faulted == 1);
        CHECK(thief.control.last_fault() == errc::illegal_write);
        CHECK(attack(reading, segmented_address(region_number::context, sizeof(order))).faulted == 1);
        // Addresses of the host: its stores, the other's data, code, this stack.
        int local = 0;
        for (const void* host : {static_cast<const void*>(&d->platform), static_cast<const void*>(d->average.memory.data()),
                                 static_cast<const void*>(sensor_average_image), static_cast<const void*>(&local)}) {
            const auto address = reinterpret_cast<std::uintptr_t>(host);
            const std::byte before = *static_cast<const std::byte*>(host);
            // On a 64-bit host the upper half is a number of no region; on 32 bits it is region 0.
            CHECK(attack(reading, address).faulted == 1);
            CHECK(attack(writing, address).faulted == 1);
            CHECK(*static_cast<const std::byte*>(host) == before);
        }
        CHECK(attack(stores, secret).value == 0);
        // The quota holds, in whatever store, and takes nothing from the other.
        CHECK(attack(hoard, 0).value == 8);
        CHECK(d->platform.stores.used_by(tenant) == 8);
        CHECK(d->platform.stores.fetch({store_kind::tenant, other}, secret) == 1234);
        CHECK(attack(sensor, 0x82).value == (tenant == sensor_tenant ? 1 : 0));
        // The others never noticed.
        thread_switch s{1, 2};
        CHECK(d->engine.fire(d->scheduler, s).ran == 1);
    }
}

TEST_CASE("scenarios: what it costs") {
    renew();
    const auto spent = [](auto&& f) {
        const std::uint32_t before = threads::instructions();
        f();
        return threads::instructions() - before;
    };
    const std::uint32_t nothing = spent([] {});
    thread_switch s{1, 2};
    // The first count of a thread takes an entry of the store: work of the container, not of its start.
    REQUIRE(d->platform.stores.store({}, {operator_tenant}, 2, 1).has_value());
    const std::uint32_t empty = [&] {
        const auto once = spent([&] { d->engine.fire(d->scheduler, s); });
        return once - nothing;
    }();
    std::uint32_t start = spent([&] {
        REQUIRE(d->counter.load(d->engine, operator_tenant, thread_counter_image).has_value());
        REQUIRE(d->engine.attach(d->scheduler, d->counter.control).has_value());
    });
    const std::uint32_t first = spent([&] { d->engine.fire(d->scheduler, s); });
    const std::uint32_t again = spent([&] { d->engine.fire(d->scheduler, s); });
    start += first - again - 2 * nothing;
    REQUIRE(d->average.load(d->engine, sensor_tenant, sensor_average_image).has_value());
    REQUIRE(d->answer.load(d->engine, sensor_tenant, coap_answer_image).has_value());
    print("RAM of the device, with three containers and stores, bytes", sizeof(device));
    print("of these, stores", sizeof d->platform.stores);
    print("of these, a control block", sizeof(scenario::engine::container));
    print("flash of the three images, bytes",
          sizeof thread_counter_image + sizeof sensor_average_image + sizeof coap_answer_image);
    if constexpr (sizeof(void*) == 4) {
        CHECK(sizeof(scenario::engine::container) <= 96);
        CHECK(sizeof(device) <= 3276);  // the papers' 3.2 KiB
    }
    if (threads::instructions() == 0) return;  // this board does not count them
    print("instructions of an empty hook", empty);
    print("instructions of the hook with the thread counter", again - nothing);
    print("instructions from an image in flash to the first of the counter", start);
#if defined(__ARM_ARCH_6M__)  // no read-modify-write in one instruction, low registers only
    constexpr std::uint32_t limits[]{16, 1450, 7100};
#else
    constexpr std::uint32_t limits[]{12, 1000, 5000};
#endif
    CHECK(empty <= limits[0]);
    CHECK(again <= limits[1]);
    CHECK(start <= limits[2]);
}
