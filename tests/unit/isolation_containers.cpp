// SPDX-License-Identifier: Apache-2.0
// Ways out of a container: into another tenant's that had the same machine, and around a helper by
// changing what it reads while it reads it.
#include "catch.hpp"
#include "device.hpp"

#include <cstring>

using namespace femto;
using namespace test;

namespace {

constexpr std::int32_t secret = 0x5ec7e7;

/// One machine for events and one for sleepers, of a kind.
template <config Kind>
constexpr engine_config small_engine = [] {
    engine_config c = device_config;
    c.machine.dispatch = Kind.dispatch;
    c.machine.address_space = Kind.address_space;
    c.sleepers = 1;
    return c;
}();

/// An engine whose hooks `first` and `second` offer their contexts to everybody, and `first` also a
/// region to tenant 0.
template <config Kind>
struct two_tenants {
    using engine = femto::engine<device_platform, device_helpers, small_engine<Kind>>;
    using hook = typename engine::template hook<std::uint64_t, 2>;

    std::array<std::byte, 16> region{};
    const region_offer regions[1]{{7, permission::read_write, region}};
    const tenant_offer offers[2]{
        {.tenants = 1, .helpers = every_helper, .regions = regions, .context = permission::read_write},
        {.helpers = every_helper, .context = permission::read_write}};
    const hook_declaration declared[2]{{small_uuid(1), hook_policy::all, offers},
                                       {small_uuid(2), hook_policy::all, offers}};
    device_platform platform;
    engine e{platform};
    hook first{declared[0]};
    hook second{declared[1]};
    std::uint64_t context = secret;
    std::vector<std::byte> rodata = std::vector<std::byte>(8, std::byte{0x77});

    static constexpr bool flat = Kind.address_space == address_space::flat;
    /// Where a program finds a region: by its number, or where it lies.
    static std::uint64_t at(std::uint32_t number, const void* bytes) {
        return flat ? reinterpret_cast<std::uintptr_t>(bytes) : segmented_address(number);
    }

    /// A program of tenant 0 that leaves the secret wherever it may write, then does `end`.
    boxed holder(const std::vector<instruction>& end, bool suspends) {
        std::vector<instruction> text = lddw(1, at(region_number::first_free, region.data()));
        for (unsigned r = 6; r < 10; ++r) text.push_back(set(r, secret));
        text = text + std::vector{op(0x7b, 1, 6), op(0x18, 1, 2, 0, 1), op(0), op(0x7b, 1, 6),
                                  set(1, 1), set(2, secret), call(0x10), call(0x14),
                                  copy(2, 10), set(3, 32), op(0x7b, 2, 6, -8),
                                  op(0x07, 2, 0, 0, -8), op(0x07, 3, 0, 0, -1), op(0x55, 3, 0, -4)} + end;
        return boxed{text, small_uuid(1), {1000, 256, 2, suspends}, {{7, permission::read_write}},
                     std::vector<std::byte>(8), rodata};
    }

    /// What a program of tenant 1 gets in r0, or its fault.
    result<std::uint64_t> attack(const std::vector<instruction>& text, bool suspends) {
        boxed c{text, small_uuid(2), {1000, 256, 0, suspends}};
        REQUIRE(c.load(e, 1).has_value());
        REQUIRE(e.attach(second, *c).has_value());
        std::uint64_t own = 0;
        const hook_result r = e.fire(second, own);
        CHECK(r.missed == 0);
        const error why = c->statistics().last_fault;
        REQUIRE(e.detach(second, *c).has_value());
        REQUIRE(e.unload(*c).has_value());
        if (r.faulted != 0) return fail(why.code, why.pc, why.address);
        return static_cast<std::uint64_t>(r.value);
    }

    /// Everything that a program can try to find of `c`, which had the machine before.
    void look_for(const boxed& c, bool suspends) {
        std::vector<instruction> registers;
        for (unsigned r = 3; r < 10; ++r) registers.push_back(op(0x4f, 0, r));
        CHECK(*attack(registers + std::vector{leave}, suspends) == 0);
        CHECK(*attack({copy(1, 10), set(2, 32), op(0x79, 3, 1, -8), op(0x4f, 0, 3), op(0x07, 1, 0, 0, -8),
                       op(0x07, 2, 0, 0, -1), op(0x55, 2, 0, -5), leave}, suspends) == 0);
        for (const std::int32_t fetch : {0x12, 0x15}) {  // the container's store and its tenant's
            CHECK(*attack({set(1, 1), copy(2, 10), op(0x07, 2, 0, 0, -8), call(fetch),
                           op(0x79, 0, 10, -8), leave}, suspends) == 0);
        }
        std::vector<std::uint64_t> places;
        for (std::uint32_t n = 0; n < small_engine<Kind>.machine.max_regions + 2u; ++n) {
            if (n != region_number::stack && n != region_number::context) {
                places.push_back(segmented_address(n));
            }
        }
        for (const void* there : {static_cast<const void*>(region.data()),
                                  static_cast<const void*>(c.ram.data()),
                                  static_cast<const void*>(rodata.data()),
                                  static_cast<const void*>(c.flash.data()),
                                  static_cast<const void*>(&context), static_cast<const void*>(&e)}) {
            places.push_back(reinterpret_cast<std::uintptr_t>(there));
        }
        for (const std::uint64_t place : places) {
            CHECK(attack(lddw(1, place) + std::vector{op(0x79, 0, 1), leave}, suspends).error() ==
                  error{errc::illegal_memory, 2, place});
            CHECK(attack(lddw(1, place) + std::vector{op(0x7a, 1), leave}, suspends).error() ==
                  error{errc::illegal_memory, 2, place});
            // memcpy of the place to the stack, and back
            CHECK(attack(lddw(2, place) + std::vector{copy(1, 10), op(0x07, 1, 0, 0, -8), set(3, 8),
                                                      call(0x02), leave}, suspends).error().code ==
                  errc::illegal_memory);
            CHECK(attack(lddw(1, place) + std::vector{copy(2, 10), op(0x07, 2, 0, 0, -8), set(3, 8),
                                                      call(0x02), leave}, suspends).error().code ==
                  errc::illegal_memory);
        }
        CHECK(load_little<std::uint64_t>(region.data()) == std::uint64_t{secret});
        CHECK(load_little<std::uint64_t>(c.ram.data()) == std::uint64_t{secret});
        CHECK(context == std::uint64_t{secret});
    }
};

/// `Check` with each kind of engine. (An engine runs no prepared code.)
template <class Check>
void on_every_engine(Check&& check) {
    on_every_vm<config{}>([&](auto c) {
        if constexpr (!decltype(c)::prepares) {
            const auto t = std::make_unique<two_tenants<decltype(c)::value>>();
            check(*t);
        }
    });
}

const std::vector<instruction> crash{set(1, 0), op(0x61, 0, 1), leave};
/// Waits; then faults unless registers, stack, data and region are what they were.
template <class Tenants>
std::vector<instruction> wait_and_look(const Tenants& t) {
    return std::vector{set(1, 10), call(0x63), op(0x55, 6, 0, 15, secret), op(0x55, 9, 0, 14, secret),
                       op(0x79, 0, 10, -8), op(0x55, 0, 0, 12, secret), op(0x79, 0, 10, -256),
                       op(0x55, 0, 0, 10, secret)} +
           lddw(1, t.at(region_number::first_free, t.region.data())) +
           std::vector{op(0x79, 0, 1), op(0x55, 0, 0, 6, secret), op(0x18, 1, 2, 0, 1), op(0),
                       op(0x79, 0, 1), op(0x55, 0, 0, 2, secret), set(0, 1), leave} + crash;
}

}  // namespace

TEST_CASE("isolation: who gets a machine after another tenant finds nothing of it, however its run ended") {
    on_every_engine([](auto& t) {
        const std::vector<instruction> ends[]{{set(0, 1), leave}, crash, {op(0x05, 0, 0, -1)}};
        for (const auto& end : ends) {
            boxed c = t.holder(end, false);
            REQUIRE(c.load(t.e, 0).has_value());
            REQUIRE(t.e.attach(t.first, *c).has_value());
            for (int n = 0; n < 2; ++n) {  // and again, when it gets the machine back
                t.region.fill(std::byte{0});
                const hook_result r = t.e.fire(t.first, t.context);
                CHECK(r.ran == (&end == ends ? 1 : 0));
                CHECK(r.faulted == (&end == ends ? 0 : 1));
                t.look_for(c, false);
            }
            CHECK(t.e.detach(t.first, *c).has_value());
            t.look_for(c, false);
            CHECK(t.e.unload(*c).has_value());
        }
    });
}

TEST_CASE("isolation: a waiting container keeps its machine, and leaves nothing in it when it goes") {
    on_every_engine([](auto& t) {
        // Others run while it waits; it finds everything as it was, but for its context.
        boxed c = t.holder(wait_and_look(t), true);
        REQUIRE(c.load(t.e, 0).has_value());
        REQUIRE(t.e.attach(t.first, *c).has_value());
        CHECK(t.e.fire(t.first, t.context).suspended == 1);
        t.look_for(c, false);
        t.e.poll(20, 1000);
        CHECK(c->state() == container_state::attached);
        CHECK(c->statistics().faults == 0);
        // Another one gets its machine: after its end, and in the middle of its wait.
        for (const bool waiting : {false, true}) {
            if (waiting) {
                REQUIRE(t.e.attach(t.first, *c).has_value());
                CHECK(t.e.fire(t.first, t.context).suspended == 1);
            }
            REQUIRE(t.e.detach(t.first, *c).has_value());
            t.look_for(c, true);
            t.e.poll(1000, 1000);
            CHECK(c->state() == container_state::verified);
            CHECK(c->statistics().faults == 0);
        }
        // The same if it is replaced, by one that comes to look.
        boxed next{{op(0x79, 0, 10, -8), op(0x4f, 0, 6), leave}, small_uuid(1), {1000, 256, 0, true}};
        REQUIRE(next.load(t.e, 1).has_value());
        REQUIRE(t.e.attach(t.first, *c).has_value());
        CHECK(t.e.fire(t.first, t.context).suspended == 1);
        REQUIRE(t.e.replace(t.first, *c, *next).has_value());
        const hook_result r = t.e.fire(t.first, t.context);
        CHECK(r.ran == 1);
        CHECK(r.value == 0);
    });
}

TEST_CASE("isolation: two tenants' containers of one image share its code and nothing else") {
    on_every_engine([](auto& t) {
        // r0 = what the last run left in the stack, or in the data; then leaves the secret there
        boxed c{{op(0x18, 1, 2, 0, 1), op(0), op(0x79, 0, 1), op(0x79, 2, 10, -8), op(0x4f, 0, 2),
                 set(2, secret), op(0x7b, 1, 2), op(0x7b, 10, 2, -8), leave},
                small_uuid(1), {1000, 256, 0, false}, {}, std::vector<std::byte>(8)};
        boxed other{{leave}};
        other.marks.resize(c.marks.size());
        other.ram.resize(8);
        const auto image = parse_image(std::as_bytes(std::span{c.flash}));
        REQUIRE(image.has_value());
        REQUIRE(c.load(t.e, 0).has_value());
        REQUIRE(t.e.load(*other, 1, *image, {{other.ram, {}, {}}, other.marks, {}}).has_value());
        REQUIRE(t.e.attach(t.first, *c).has_value());
        CHECK(t.e.fire(t.first, t.context).value == 0);
        CHECK(t.e.fire(t.first, t.context).value == secret);  // its own
        REQUIRE(t.e.detach(t.first, *c).has_value());
        REQUIRE(t.e.attach(t.first, *other).has_value());
        CHECK(t.e.fire(t.first, t.context).value == 0);
    });
}

TEST_CASE("isolation: who moves to a hook that only shows its context cannot write to it any more") {
    // Firing has a shorter way for those who are not watched.
    for (const bool watched : {true, false}) on_every_engine([&](auto& t) {
        const tenant_offer offer[]{{.context = permission::read}};
        const hook_declaration declared{small_uuid(1), hook_policy::all, offer};
        typename std::remove_reference_t<decltype(t)>::hook shows{declared};
        boxed c{{op(0x7a, 1, 0, 0, 5), set(0, 1), leave}, small_uuid(1), {1000, 256, 0, false}};
        if (!watched) c.control = std::make_unique<device_engine::container>();
        REQUIRE(c.load(t.e, 0).has_value());
        for (int n = 0; n < 2; ++n) {
            std::uint64_t lent = 1, shown = 1;
            REQUIRE(t.e.attach(t.first, *c).has_value());
            CHECK(t.e.fire(t.first, lent).ran == 1);
            CHECK(t.e.fire(t.first, lent).ran == 1);
            CHECK(lent == 5);
            REQUIRE(t.e.detach(t.first, *c).has_value());
            REQUIRE(t.e.attach(shows, *c).has_value());
            CHECK(t.e.fire(shows, shown).faulted == 1);
            CHECK(t.e.fire(shows, shown).faulted == 1);
            CHECK(c->last_fault() == errc::illegal_write);
            CHECK(shown == 1);
            REQUIRE(t.e.detach(shows, *c).has_value());
        }
    });
}

TEST_CASE("isolation: of contexts of several lengths a container has that of the event, and as it is offered") {
    for (const permission offered : {permission::none, permission::read, permission::write, permission::read_write}) {
        on_every_engine([&](auto& t) {
            using engine = typename std::remove_reference_t<decltype(t)>::engine;
            const tenant_offer offer[]{{.context = offered}};
            const hook_declaration declared{small_uuid(1), hook_policy::all, offer};
            typename engine::template hook<std::span<std::byte>, 2> hook{declared};
            boxed reads{{op(0x79, 0, 1), leave}};
            boxed writes{{op(0x7a, 1, 0, 0, 5), set(0, 0), leave}};
            for (boxed* c : {&reads, &writes}) {  // not watched: the shorter way
                c->control = std::make_unique<device_engine::container>();
                REQUIRE(c->load(t.e, 0).has_value());
                REQUIRE(t.e.attach(hook, **c).has_value());
                const permission needed = c == &reads ? permission::read : permission::write;
                const bool may = (static_cast<int>(offered) & static_cast<int>(needed)) != 0;
                for (const std::size_t length : {16u, 16u, 8u, 0u, 0u, 8u, 7u, 16u, 0u}) {
                    std::array<std::byte, 16> bytes{};
                    std::span<std::byte> context{bytes.data(), length};
                    const hook_result r = t.e.fire(hook, context);
                    CHECK(r.ran == (may && length >= 8 ? 1 : 0));
                    CHECK(r.faulted == 1 - r.ran);
                    CHECK(bytes[0] == static_cast<std::byte>(r.ran != 0 && c == &writes ? 5 : 0));
                }
                REQUIRE(t.e.detach(hook, **c).has_value());
            }
        });
    }
}

TEST_CASE("isolation: a format that another container changes while it is printed prints inside its bounds") {
    on_every_engine([](auto& t) {
        // Prints its region, which begins as a harmless format; an interrupt in the middle of printing
        // fires a hook whose container writes conversions there that would have been refused, with no
        // zero byte up to the region's end and beyond.
        const char* const harmless = "a%d b%d c%d d%d";  // 15 characters and the zero byte
        boxed printer{lddw(1, t.at(region_number::first_free, t.region.data())) +
                          std::vector{set(2, 1), set(3, 2), set(4, 3), set(5, 4), call(0x01), set(0, 1), leave},
                      small_uuid(1), {1000, 256, 0, false}, {{7, permission::read_write}}};
        for (const char* const hostile : {"%s%s%s%s%s%s%s%s", "%d%d%d%d%d%d%d%d", "%n%n%n%n%n%n%n%n",
                                          "llllllllllllllll", "%%%%%%%%%%%%%%%l", "dddddddddddddd%l"}) {
            std::vector<instruction> writes = lddw(1, t.at(region_number::first_free, t.region.data()));
            for (int n = 0; n < 2; ++n) {
                writes = writes + lddw(2, load_little<std::uint64_t>(
                                              reinterpret_cast<const std::byte*>(hostile) + 8 * n)) +
                         std::vector{op(0x7b, 1, 2, 8 * n)};
            }
            boxed accomplice{writes + std::vector{set(0, 0), leave}, small_uuid(2),
                             {1000, 256, 0, true}, {{7, permission::read_write}}};
            if (printer->state() == container_state::empty) {
                REQUIRE(printer.load(t.e, 0).has_value());
                REQUIRE(t.e.attach(t.first, *printer).has_value());
            }
            REQUIRE(accomplice.load(t.e, 0).has_value());
            REQUIRE(t.e.attach(t.second, *accomplice).has_value());
            std::memcpy(t.region.data(), harmless, 16);
            t.platform.printed.clear();
            bool changed = false;
            t.platform.on_print = [&] { changed = t.e.fire(t.second, t.context).ran == 1; };
            CHECK(t.e.fire(t.first, t.context).ran == 1);
            CHECK(changed);
            // What was printed comes from the region's 15 characters and four numbers, and the region's
            // last byte, now that it is part of the text, is not reached.
            CHECK(t.platform.printed.starts_with("a"));
            CHECK(t.platform.printed.size() <= 15 + 4);
            REQUIRE(t.e.detach(t.second, *accomplice).has_value());
            REQUIRE(t.e.unload(*accomplice).has_value());
        }
    });
}
