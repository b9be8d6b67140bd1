// SPDX-License-Identifier: Apache-2.0
// Containers: states, contracts, quotas, hooks, faults, limits, waiting.
#include "catch.hpp"
#include "device.hpp"

using namespace femto;
using namespace test;

namespace {

constexpr tenant_offer everything[]{{.helpers = every_helper, .context = permission::read_write}};
constexpr hook_declaration open_hook{small_uuid(1), hook_policy::all, everything};

struct fixture {
    device_platform platform;
    device_engine e{platform};
    device_engine::hook<std::uint64_t, 3> h{open_hook};
    std::uint64_t context = 0;
    hook_result fire() { return e.fire(h, context); }
};

std::vector<instruction> returns(std::int32_t value) { return {set(0, value), leave}; }
std::vector<instruction> endless() { return {op(0x05, 0, 0, -1)}; }
std::vector<instruction> crash() { return {set(1, 0), op(0x61, 0, 1), leave}; }
// while (true) { wait(10); local[1] += 1 }
std::vector<instruction> ticker(std::int32_t ms = 10) {
    return {set(1, ms),     call(0x63), set(1, 1), set(2, 1), op(0xbf, 3, 10),
            op(0x07, 3, 0, 0, -8), call(0x18), op(0x05, 0, 0, -8)};
}

}  // namespace

TEST_CASE("engine: an empty hook does nothing and a container answers") {
    fixture f;
    CHECK(f.fire().ran == 0);
    boxed c{returns(7)};
    CHECK(c->state() == container_state::empty);
    CHECK(f.e.attach(f.h, *c).error() == error{errc::wrong_state, 0, 0});
    REQUIRE(c.load(f.e, 0).has_value());
    CHECK(c->state() == container_state::verified);
    CHECK(c.load(f.e, 0).error() == error{errc::wrong_state, 0, 1});
    REQUIRE(f.e.attach(f.h, *c).has_value());
    CHECK(c->state() == container_state::attached);
    const auto r = f.fire();
    CHECK(r.ran == 1);
    CHECK(r.value == 7);
    CHECK(c->statistics().runs == 1);
    CHECK(c->statistics().instructions == 2);
    CHECK(c->statistics().longest_run == 2);
    CHECK(f.e.unload(*c).error() == error{errc::wrong_state, 0, 2});
    REQUIRE(f.e.detach(f.h, *c).has_value());
    CHECK(f.fire().ran == 0);
    CHECK(f.h.empty());
    REQUIRE(f.e.unload(*c).has_value());
    CHECK(c->state() == container_state::empty);
    CHECK(f.e.tenant(0).containers() == 0);
    CHECK(f.e.tenant(0).ram() == 0);
}

TEST_CASE("engine: order, policies and the result that counts") {
    struct expectation {
        hook_policy policy;
        std::int64_t value;
        int ran;
    };
    for (const auto& x : {expectation{hook_policy::all, 3, 3},
                          expectation{hook_policy::stop_on_negative, -2, 2},
                          expectation{hook_policy::stop_on_positive, 1, 1},
                          expectation{hook_policy::first_only, 1, 1}}) {
        device_platform platform;
        device_engine e{platform};
        const hook_declaration declared{small_uuid(1), x.policy, everything};
        device_engine::hook<std::uint64_t, 3> h{declared};
        boxed a{returns(1)};
        boxed b{returns(-2)};
        boxed c{returns(3)};
        for (auto* each : {&a, &b, &c}) {
            REQUIRE(each->load(e, 0).has_value());
            REQUIRE(e.attach(h, **each).has_value());
        }
        std::uint64_t context = 0;
        const auto r = e.fire(h, context);
        CHECK(r.value == x.value);
        CHECK(r.ran == x.ran);
        boxed d{returns(4)};
        REQUIRE(d.load(e, 0).has_value());
        CHECK(e.attach(h, *d).error() == error{errc::hook_full, 0, 3});
    }
}

TEST_CASE("engine: the contract is the intersection of request and offer to that tenant") {
    std::array<std::byte, 8> shared{std::byte{9}};
    device_platform platform;
    device_engine e{platform};
    const region_offer regions[]{{7, permission::read, shared}};
    static constexpr std::uint32_t clock[]{0x20};
    const tenant_offer offers[]{
        {.tenants = 1, .fuel = 3, .helpers = clock},
        {.tenants = 2, .helpers = every_helper, .regions = regions}};
    const hook_declaration declared{small_uuid(1), hook_policy::all, offers};
    device_engine::hook<std::uint64_t, 3> h{declared};
    std::uint64_t context = 5;

    boxed stores{{set(1, 1), set(2, 1), call(0x11), leave}};
    REQUIRE(stores.load(e, 0).has_value());
    CHECK(e.attach(h, *stores).error() == error{errc::illegal_call, 2, 0x11});
    CHECK(stores->state() == container_state::verified);
    boxed first_helper{{set(1, 1), set(2, 1), call(0x10), leave}};  // and it asks for this one alone
    REQUIRE(first_helper.load(e, 0).has_value());
    CHECK(e.attach(h, *first_helper).error() == error{errc::illegal_call, 2, 0x10});
    REQUIRE(e.unload(*first_helper).has_value());
    boxed third{returns(0)};
    REQUIRE(third.load(e, 2).has_value());
    CHECK(e.attach(h, *third).error() == error{errc::contract_exceeded, 0, 7});
    boxed elsewhere{returns(0), small_uuid(2)};
    REQUIRE(elsewhere.load(e, 1).has_value());
    CHECK(e.attach(h, *elsewhere).error().code == errc::wrong_hook);
    for (auto* each : {&stores, &third, &elsewhere}) REQUIRE(e.unload(**each).has_value());

    // the first region granted is number 5; it may be read, and not written
    const std::vector<instruction> reads{op(0x18, 1), op(0, 0, 0, 0, 5), op(0x71, 0, 1), leave};
    boxed reader{reads, small_uuid(1), {}, {{7, permission::read}}};
    CHECK(reader.load(e, 1).error().code == errc::contract_exceeded);  // asks for 512 bytes of stack
    boxed fits{reads, small_uuid(1), {1000, 256, 0, false}, {{7, permission::read}}};
    REQUIRE(fits.load(e, 1).has_value());
    REQUIRE(e.attach(h, *fits).has_value());
    CHECK(e.fire(h, context).value == 9);
    REQUIRE(e.detach(h, *fits).has_value());
    boxed writer{{op(0x18, 1), op(0, 0, 0, 0, 5), op(0x73, 1, 0), leave}, small_uuid(1),
                 {1000, 256, 0, false}, {{7, permission::read}}};
    REQUIRE(writer.load(e, 1).has_value());
    REQUIRE(e.attach(h, *writer).has_value());
    CHECK(e.fire(h, context).faulted == 1);
    CHECK(writer->statistics().last_fault ==
          error{errc::illegal_write, 2, segmented_address(5)});
    REQUIRE(e.detach(h, *writer).has_value());
    boxed greedy{reads, small_uuid(1), {1000, 256, 0, false}, {{7, permission::read_write}}};
    REQUIRE(greedy.load(e, 1).has_value());
    CHECK(e.attach(h, *greedy).error() == error{errc::contract_exceeded, 0, 2});
    boxed none{reads, small_uuid(1), {1000, 256, 0, false}};
    REQUIRE(none.load(e, 1).has_value());
    REQUIRE(e.attach(h, *none).has_value());
    CHECK(e.fire(h, context).faulted == 1);  // what was mapped for another is gone
    CHECK(none->statistics().last_fault.code == errc::illegal_memory);
    REQUIRE(e.detach(h, *none).has_value());

    boxed slow{endless()};
    REQUIRE(slow.load(e, 0).has_value());
    REQUIRE(e.attach(h, *slow).has_value());
    CHECK(e.fire(h, context).faulted == 1);
    CHECK(slow->statistics().last_fault.code == errc::out_of_fuel);
    CHECK(slow->statistics().longest_run == 3);
}

TEST_CASE("engine: a context that is offered for reading cannot be written") {
    for (const auto allowed : {permission::read, permission::read_write}) {
        device_platform platform;
        device_engine e{platform};
        const tenant_offer offer[]{{.context = allowed}};
        const hook_declaration declared{small_uuid(1), hook_policy::all, offer};
        device_engine::hook<std::uint64_t> h{declared};
        boxed c{{op(0x72, 1, 0, 0, 5), set(0, 0), leave}};
        REQUIRE(c.load(e, 0).has_value());
        REQUIRE(e.attach(h, *c).has_value());
        std::uint64_t context = 1;
        const auto r = e.fire(h, context);
        CHECK(context == (allowed == permission::read ? 1u : 5u));
        CHECK(r.faulted == (allowed == permission::read ? 1 : 0));
    }
}

TEST_CASE("engine: quotas of a tenant") {
    fixture f;
    const tenant_quota quota{.ram = 20, .store_entries = 2, .containers = 2};
    f.e.set_quota(1, quota);
    boxed a{returns(1), small_uuid(1), {10, 256, 0, false}, {}, std::vector<std::byte>(8)};
    boxed big{returns(1), small_uuid(1), {10, 256, 0, false}, {}, std::vector<std::byte>(16)};
    boxed b{returns(1)};
    boxed c{returns(1)};
    boxed hoarder{returns(1), small_uuid(1), {10, 256, 3, false}};
    REQUIRE(a.load(f.e, 1).has_value());
    CHECK(f.e.tenant(1).ram() == 10);
    CHECK(big.load(f.e, 1).error() == error{errc::tenant_quota, 0, 6});
    CHECK(hoarder.load(f.e, 1).error() == error{errc::tenant_quota, 0, 4});
    REQUIRE(b.load(f.e, 1).has_value());
    CHECK(c.load(f.e, 1).error() == error{errc::tenant_quota, 0, 5});
    CHECK(c.load(f.e, 0).has_value());
    CHECK(boxed{returns(1)}.load(f.e, 3).error() == error{errc::contract_exceeded, 0, 7});
    boxed s{{set(1, 5), set(2, 1), call(0x11), leave}};
    REQUIRE(f.e.unload(*b).has_value());
    REQUIRE(s.load(f.e, 1).has_value());
    REQUIRE(f.e.attach(f.h, *s).has_value());
    REQUIRE(f.platform.stores.store({store_kind::local, 9}, {1}, 1, 1).has_value());
    REQUIRE(f.platform.stores.store({store_kind::local, 9}, {1}, 2, 1).has_value());
    CHECK(f.fire().value == -61);
}

TEST_CASE("engine: storage that is too small is refused with what is needed") {
    fixture f;
    boxed c{returns(1), small_uuid(1), {10, 256, 0, false}, {{7, permission::read}}};
    c.marks.resize(1);
    CHECK(c.load(f.e, 0).error() == error{errc::storage_too_small, 0, 2});
    c.marks.resize(2);
    c.regions.clear();
    CHECK(c.load(f.e, 0).error() == error{errc::storage_too_small, 0, 1});
    CHECK(f.e.tenant(0).containers() == 0);
}

TEST_CASE("engine: a fault stops one container and no other") {
    fixture f;
    boxed bad{crash()};
    boxed good{returns(4)};
    const container_limits limits{.faults = {fault_policy::action::disable, 2, 0}};
    REQUIRE(bad.load(f.e, 0, limits).has_value());
    REQUIRE(good.load(f.e, 1).has_value());
    REQUIRE(f.e.attach(f.h, *bad).has_value());
    REQUIRE(f.e.attach(f.h, *good).has_value());
    for (int n = 0; n < 4; ++n) {
        const auto r = f.fire();
        CHECK(r.value == 4);
        CHECK(r.ran == 1);
        CHECK(r.faulted == (n < 2 ? 1 : 0));
        CHECK(r.missed == (n < 2 ? 0 : 1));
    }
    CHECK(bad->state() == container_state::disabled);
    CHECK(bad->statistics().faults == 2);
    CHECK(bad->statistics().last_fault == error{errc::illegal_memory, 1, 0});
    CHECK(good->statistics().faults == 0);
    REQUIRE(f.e.detach(f.h, *bad).has_value());
    CHECK(bad->state() == container_state::verified);
}

TEST_CASE("engine: backing off doubles") {
    fixture f;
    boxed bad{crash()};
    const container_limits limits{.faults = {fault_policy::action::back_off, 0, 10}};
    REQUIRE(bad.load(f.e, 0, limits).has_value());
    REQUIRE(f.e.attach(f.h, *bad).has_value());
    CHECK(f.fire().faulted == 1);
    CHECK(bad->state() == container_state::faulted);
    f.e.poll(9, 100);
    CHECK(f.fire().missed == 1);
    f.e.poll(10, 100);
    CHECK(f.fire().faulted == 1);
    f.e.poll(29, 100);
    CHECK(f.fire().missed == 1);
    f.e.poll(30, 100);
    CHECK(f.fire().faulted == 1);
}

TEST_CASE("engine: instructions in a window, of a container and of a tenant") {
    fixture f;
    const tenant_quota quota{.window_fuel = 7};
    f.e.set_quota(1, quota);
    boxed a{returns(1)};
    boxed b{returns(2)};
    boxed other{returns(3)};
    const container_limits limits{.window_fuel = 4};
    REQUIRE(a.load(f.e, 1, limits).has_value());
    REQUIRE(b.load(f.e, 1).has_value());
    REQUIRE(other.load(f.e, 2).has_value());
    for (auto* each : {&a, &b, &other}) REQUIRE(f.e.attach(f.h, **each).has_value());
    CHECK(f.fire().ran == 3);  // 2 of a, 4 of tenant 1
    const auto second = f.fire();
    CHECK(second.ran == 3);  // a has 2 left, b 1: its last straight stretch may overdraw
    CHECK(f.e.tenant(1).window_used() == 8);
    const auto third = f.fire();
    CHECK(third.ran == 1);
    CHECK(third.value == 3);
    CHECK(third.missed == 2);
    CHECK(a->statistics().throttled == 1);
    f.e.poll(999, 100);
    CHECK(f.fire().ran == 1);
    f.e.poll(1000, 100);
    CHECK(f.fire().ran == 3);
}

TEST_CASE("engine: a waiting container costs nobody and is resumed when due") {
    fixture f;
    boxed t{ticker(), small_uuid(1), {1000, 256, 0, true}};
    boxed plain{returns(6)};
    REQUIRE(t.load(f.e, 1).has_value());
    REQUIRE(plain.load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *t).has_value());
    REQUIRE(f.e.attach(f.h, *plain).has_value());
    const auto r = f.fire();
    CHECK(r.suspended == 1);
    CHECK(r.value == 6);
    CHECK(t->state() == container_state::suspended);
    CHECK(f.fire().missed == 1);
    const store_scope local{store_kind::local, t->number()};
    for (std::uint32_t now = 1; now <= 35; ++now) {
        f.platform.time = now;
        f.e.poll(now, 1000);
    }
    CHECK(f.platform.stores.fetch(local, 1) == 3);
    REQUIRE(f.e.detach(f.h, *t).has_value());
    CHECK(f.e.poll(100, 1000) == 0);
    REQUIRE(f.e.unload(*t).has_value());
    CHECK(f.platform.stores.fetch(local, 1) == 0);
}

TEST_CASE("engine: a suspended run loses its context") {
    fixture f;
    boxed c{{op(0xbf, 6, 1), set(1, 1), call(0x63), op(0x79, 0, 6), leave}, small_uuid(1),
            {1000, 256, 0, true}};
    REQUIRE(c.load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *c).has_value());
    CHECK(f.fire().suspended == 1);
    f.e.poll(5, 100);
    CHECK(c->statistics().last_fault == error{errc::illegal_memory, 3, segmented_address(2)});
}

TEST_CASE("engine: who did not ask to suspend faults, who asked too often is refused") {
    fixture f;
    boxed sneaky{ticker()};
    REQUIRE(sneaky.load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *sneaky).has_value());
    CHECK(f.fire().faulted == 1);
    CHECK(sneaky->statistics().last_fault.code == errc::suspended);
    const container_request waits{1000, 256, 0, true};
    boxed a{ticker(), small_uuid(1), waits};
    boxed b{ticker(), small_uuid(1), waits};
    boxed c{ticker(), small_uuid(1), waits};
    for (auto* each : {&a, &b, &c}) REQUIRE(each->load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *a).has_value());
    REQUIRE(f.e.detach(f.h, *sneaky).has_value());
    REQUIRE(f.e.attach(f.h, *b).has_value());
    CHECK(f.e.attach(f.h, *c).error().code == errc::no_machine);
}

TEST_CASE("engine: an endless container starves neither events nor other waiting ones") {
    fixture f;
    boxed hog{endless(), small_uuid(1), {100000, 256, 0, true}};
    boxed t{ticker(), small_uuid(1), {1000, 256, 0, true}};
    boxed plain{returns(6)};
    REQUIRE(hog.load(f.e, 0).has_value());
    REQUIRE(t.load(f.e, 1).has_value());
    REQUIRE(plain.load(f.e, 2).has_value());
    for (auto* each : {&hog, &t, &plain}) REQUIRE(f.e.attach(f.h, **each).has_value());
    CHECK(f.fire().value == 6);
    for (std::uint32_t now = 1; now <= 105; ++now) {
        f.platform.time = now;
        CHECK(f.e.poll(now, 300) <= 310);  // the last stretch may overdraw
        CHECK(f.fire().value == 6);
    }
    CHECK(f.platform.stores.fetch({store_kind::local, t->number()}, 1) == 10);
    CHECK(hog->statistics().instructions > 20000);
}

TEST_CASE("engine: a run has its fuel in all, however many slices it takes") {
    fixture f;
    boxed hog{endless(), small_uuid(1), {500, 256, 0, true}};
    REQUIRE(hog.load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *hog).has_value());
    CHECK(f.fire().suspended == 1);
    f.e.poll(1, 10000);
    CHECK(hog->statistics().faults == 1);
    CHECK(hog->statistics().longest_run == 500);
    CHECK(hog->state() == container_state::attached);
}

TEST_CASE("engine: replace keeps the place and runs one of the two") {
    fixture f;
    boxed a{returns(1)};
    boxed b{returns(2)};
    boxed c{returns(3)};
    for (auto* each : {&a, &b, &c}) REQUIRE(each->load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *a).has_value());
    REQUIRE(f.e.attach(f.h, *b).has_value());
    REQUIRE(f.e.replace(f.h, *a, *c).has_value());
    CHECK(f.h.at(0) == &*c);
    CHECK(f.fire().ran == 2);
    CHECK(a->statistics().runs == 0);
    CHECK(a->state() == container_state::verified);
    CHECK(f.e.replace(f.h, *a, *c).error() == error{errc::wrong_state, 0, 1});
    CHECK(f.e.replace(f.h, *b, *c).error() == error{errc::wrong_state, 0, 2});
    CHECK(f.h.at(1) == &*b);
}

TEST_CASE("engine: detach and replace in the middle of a run never wait and lose nothing") {
    fixture f;
    const std::vector<instruction> interrupted{set(1, 1), call(0x03), set(0, 1), leave};
    boxed a{interrupted};
    boxed b{returns(2)};
    REQUIRE(a.load(f.e, 0).has_value());
    REQUIRE(b.load(f.e, 0).has_value());
    REQUIRE(f.e.attach(f.h, *a).has_value());

    // the same hook fires again: a container runs once at a time
    hook_result nested;
    f.platform.on_print = [&] {
        CHECK(a->state() == container_state::running);
        nested = f.fire();
    };
    CHECK(f.fire().value == 1);
    CHECK(nested.missed == 1);
    CHECK(nested.ran == 0);

    f.platform.on_print = [&] {
        CHECK(f.e.detach(f.h, *a).error() == error{errc::container_busy, 0, 0});
        CHECK(f.fire().ran == 0);  // no run starts
        CHECK(f.e.unload(*a).error().code == errc::wrong_state);
    };
    CHECK(f.fire().value == 1);  // and the one that was going on ends
    REQUIRE(f.e.detach(f.h, *a).has_value());
    CHECK(a->state() == container_state::verified);

    REQUIRE(f.e.attach(f.h, *a).has_value());
    f.platform.on_print = [&] {
        CHECK(f.e.replace(f.h, *a, *b).error() == error{errc::container_busy, 0, 0});
        CHECK(f.h.at(0) == &*b);
    };
    CHECK(f.fire().value == 1);
    REQUIRE(f.e.detach(f.h, *a).has_value());
    CHECK(f.fire().value == 2);
}

TEST_CASE("engine: an event that finds every lane in use is counted") {
    fixture f;
    device_engine::hook<std::uint64_t, 1> urgent{open_hook};
    boxed a{{set(1, 1), call(0x03), set(0, 1), leave}};
    boxed b{returns(2)};
    REQUIRE(a.load(f.e, 0).has_value());
    REQUIRE(b.load(f.e, 1).has_value());
    REQUIRE(f.e.attach(f.h, *a).has_value());
    REQUIRE(f.e.attach(urgent, *b).has_value());
    f.platform.on_print = [&] { CHECK(f.e.fire(urgent, f.context).missed == 1); };
    CHECK(f.fire().ran == 1);
    CHECK(b->statistics().missed == 1);
    CHECK(f.e.fire(urgent, f.context).value == 2);
}

TEST_CASE("engine: a refused contract leaves the container as it was") {
    device_platform platform;
    device_engine e{platform};
    const tenant_offer less[]{{}};
    const hook_declaration poor{small_uuid(1), hook_policy::all, less};
    device_engine::hook<std::uint64_t, 1> p{poor};
    device_engine::hook<std::uint64_t, 1> rich{open_hook};
    // a call through a register, whose targets the verifier marks
    boxed c{{op(0x18, 1, 4, 0, 4), op(0), op(0x8d, 0, 0, 0, 1), call(0x20), leave, set(0, 1), leave}};
    std::uint64_t context = 0;
    REQUIRE(c.load(e, 0).has_value());
    CHECK(e.attach(p, *c).error() == error{errc::illegal_call, 3, 0x20});
    REQUIRE(e.attach(rich, *c).has_value());
    CHECK(e.fire(rich, context).ran == 1);
}
