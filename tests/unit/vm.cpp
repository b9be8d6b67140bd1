// SPDX-License-Identifier: Apache-2.0
// The facade: what is refused outside of runs, and what a context may be.
#include "catch.hpp"
#include "every_vm.hpp"

#include <array>
#include <vector>

using namespace femto;
using test::op;

namespace {
void refuse(caller& c, std::uint64_t value) { c.fail(errc::helper_failed, value); }
using helpers = helper_set<helper<9, "refuse", &refuse>>;
using guest = vm<config{.dispatch = dispatch::compact, .max_regions = 7}, helpers>;
/// As little as the tests need; one configuration for all of them, as each is six machines to compile.
constexpr config small{.stack_size = 64, .max_call_depth = 1, .max_region_size = 96};
}  // namespace

TEST_CASE("vm: a helper's failure ends the run at the call") {
    test::loaded<guest> program{{op(0xb7, 1, 0, 0, 42), op(0x85, 0, 0, 0, 9), op(0x95)}};
    const auto verified = program.verify();  // grants what nobody says
    REQUIRE(verified.has_value());
    guest m;
    const auto r = m.run(*verified, verified->entry(), 10);
    REQUIRE(!r.has_value());
    CHECK(r.error() == error{errc::helper_failed, 1, 42});
    CHECK(m.executed() == 2);
    CHECK(m.resume(*verified, 10).error().code == errc::not_resumable);
}

TEST_CASE("vm: regions are given out until there are no more") {
    guest m;
    std::array<std::byte, 4> bytes{};
    const auto first = m.map(bytes, permission::read_write);
    const auto second = m.map(bytes, permission::read);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK(*first == segmented_address(5));
    CHECK(*second == segmented_address(6));
    const auto third = m.map(bytes, permission::read);
    REQUIRE(!third.has_value());
    CHECK(third.error() == error{errc::too_many_regions, 0, 0});
    m.unmap(*first);
    CHECK(*m.map(bytes, permission::read) == segmented_address(5));
}

TEST_CASE("vm: memory that is more than a region may have is refused, never cut") {
    test::on_every_vm<small>([](auto c) {
        using machine = typename decltype(c)::template vm<>;
        machine m;
        std::vector<std::byte> fits(96), large(97);
        CHECK(m.map(large, permission::read).error() == error{errc::region_too_large, 0, 97});
        CHECK(m.map(std::span<const std::byte>{large}).error() == error{errc::region_too_large, 0, 97});
        REQUIRE(m.map(fits, permission::read).has_value());

        // A context: the last byte of one that fits is read; of the other, nothing runs.
        test::loaded<machine> last{{op(0x71, 0, 1, 95), op(0x95)}};
        const auto verified = last.verify();
        REQUIRE(verified.has_value());
        fits[95] = std::byte{7};
        CHECK(*m.run(*verified, verified->entry(), std::span{fits}, 10) == 7);
        CHECK(m.run(*verified, verified->entry(), std::span{large}, 10).error() ==
              error{errc::region_too_large, 0, 97});
        CHECK(m.memory().readable(region_number::context) == 0);
        CHECK(m.run(*verified, verified->entry(), std::span<const std::byte>{large}, 10).error() ==
              error{errc::region_too_large, 0, 97});
        CHECK(m.run_again(*verified, verified->entry(), large, permission::read, 10).error() ==
              error{errc::region_too_large, 0, 97});
        const auto unseen = [](std::uint32_t, const std::array<std::uint64_t, 11>&) {};
        CHECK(m.trace(*verified, verified->entry(), large, 10, unseen).error() == error{errc::region_too_large, 0, 97});

        // Sections of a program, before it runs (proof 9).
        CHECK(test::loaded<machine>{{op(0x95)}, fits, fits}.verify().has_value());
        CHECK(test::loaded<machine>{{op(0x95)}, large, fits}.verify().error() ==
              error{errc::region_too_large, 0, 97});
        CHECK(test::loaded<machine>{{op(0x95)}, fits, large}.verify().error() ==
              error{errc::region_too_large, 0, 97});
    });
    // What counts sizes in 16 bits takes all that it says.
    vm<> m;
    std::vector<std::byte> most(0x10000);
    CHECK(m.map(most, permission::read).error() == error{errc::region_too_large, 0, 0x10000});
    const auto at = m.map(std::span{most}.first(0xffff), permission::read);
    REQUIRE(at.has_value());
    CHECK(m.memory().find<false>(*at + 0xfffe, 1) == &most[0xfffe]);
    CHECK(m.memory().find<false>(*at + 0xffff, 1) == nullptr);
    CHECK(m.memory().find<false>(*at + 0xfffe, 2) == nullptr);
    CHECK(vm<config{.max_region_size = 0x10000}>{}.map(most, permission::read).has_value());
}

TEST_CASE("vm: a machine on a 32-bit core takes 160 bytes beside its stack") {
    constexpr std::size_t pointers = sizeof(void*) / 4;
    constexpr std::size_t beside = sizeof(vm<>) - config{}.stack_size;
    CHECK(beside <= (pointers == 1 ? 160 : 232));
    // A place for the host only where a helper can ask for it.
    CHECK(sizeof(guest) - sizeof(vm<config{.dispatch = dispatch::compact, .max_regions = 7}>) ==
          8 * pointers);
}

TEST_CASE("vm: a new one has executed nothing, and has three regions to give") {
    static_assert(sizeof(machine<0xffff>) == 96 && sizeof(machine<0x10000>) == 104);
    vm<> m;
    CHECK(m.executed() == 0);
    CHECK(m.state().pc == 0);
    CHECK(m.state().depth == 0);
    std::array<std::byte, 4> bytes{};
    for (int n = 0; n < 3; ++n) CHECK(m.map(bytes, permission::read).has_value());
    CHECK(m.map(bytes, permission::read).error() == error{errc::too_many_regions, 0, 0});
}

TEST_CASE("vm: each way to run takes the same fuel") {
    test::on_every_vm<small>([](auto c) {
        using machine = typename decltype(c)::template vm<>;
        // r6 = 2; do { r0 = f(); } while (--r6 != 0); f: return 5
        test::loaded<machine> program{{op(0xb7, 6, 0, 0, 2), op(0x85, 0, 1, 0, 3), op(0x17, 6, 0, 0, 1),
                                       op(0x55, 6, 0, -3, 0), op(0x95), op(0xb7, 0, 0, 0, 5), op(0x95)}};
        const auto verified = program.verify();
        REQUIRE(verified.has_value());
        const auto entry = verified->entry();
        machine m;
        CHECK(*m.run(*verified, entry, 12) == 5);
        CHECK(m.executed() == 12);
        CHECK(m.resume(*verified, 12).error() == error{errc::not_resumable, 0, 0});
        const auto again = [&](std::uint32_t fuel) { return m.run_again(*verified, entry, {}, permission::none, fuel); };
        CHECK(*again(12) == 5);
        CHECK(m.executed() == 12);
        CHECK(again(2).error() == error{errc::out_of_fuel, 5, 0});
        CHECK(m.executed() == 2);
        // Nothing is executed without fuel, and what was begun can go on.
        CHECK(m.resume(*verified, 0).error() == error{errc::out_of_fuel, 5, 0});
        CHECK(m.executed() == 0);
        CHECK(*m.resume(*verified, 10) == 5);
        CHECK(m.executed() == 10);
        CHECK(m.run(*verified, entry, 0).error() == error{errc::out_of_fuel, 0, 0});
        CHECK(*m.resume(*verified, 12) == 5);
        std::uint32_t seen = 0;
        const auto observe = [&](std::uint32_t pc, const std::array<std::uint64_t, 11>&) { seen = seen * 8 + pc; };
        CHECK(m.trace(*verified, entry, {}, 2, observe).error() == error{errc::out_of_fuel, 5, 0});
        CHECK(seen == 1);
        CHECK(m.executed() == 2);
        CHECK(m.trace(*verified, entry, {}, 0, observe).error() == error{errc::out_of_fuel, 0, 0});
        CHECK(*m.trace(*verified, entry, {}, 12, observe) == 5);
        // Another program goes on with nothing of this one's.
        test::loaded<machine> other{{op(0x95)}};
        const auto another = other.verify();
        CHECK(again(2).error().code == errc::out_of_fuel);
        CHECK(m.resume(*another, 12).error() == error{errc::not_resumable, 0, 0});
    });
}

TEST_CASE("vm: functions are found by name") {
    const std::array text{op(0x95), op(0x95)};
    const std::array<function, 2> functions{{{"first", 0}, {"second", 1}}};
    std::array<std::uint8_t, 2> scratch{};
    const auto verified = guest::verify({text, {}, {}, functions}, scratch);
    REQUIRE(verified.has_value());
    CHECK(verified->entry("second")->pc() == 1);
    CHECK(verified->entry(std::size_t{1}).pc() == 1);
    const auto missing = verified->entry("third");
    REQUIRE(!missing.has_value());
    CHECK(missing.error() == error{errc::unknown_function, 0, 0});
}

TEST_CASE("vm: a context is as writable as the range that is given") {
    // *(u8 *)r1 = 7; return *(u8 *)r1
    test::loaded<guest> program{
        {op(0x72, 1, 0, 0, 7), op(0x71, 0, 1), op(0x95)}};
    const auto verified = program.verify();
    REQUIRE(verified.has_value());
    guest m;
    const auto run = [&](auto&& context) { return m.run(*verified, verified->entry(), context, 10); };
    std::array<std::byte, 4> array{};
    CHECK(*run(array) == 7);
    std::byte raw[4]{};
    CHECK(*run(raw) == 7);
    std::vector<std::byte> vector(4);
    CHECK(*run(vector) == 7);
    CHECK(*run(std::span{vector}) == 7);
    const std::array<std::byte, 4> fixed{};
    CHECK(run(fixed).error().code == errc::illegal_write);
    CHECK(run(std::span<const std::byte>{array}).error().code == errc::illegal_write);
    CHECK(m.run(*verified, verified->entry(), 10).error().code == errc::illegal_memory);
}

TEST_CASE("vm: as much fuel as is asked for, at most max_fuel") {
    test::loaded<guest> program{{op(0x95)}};
    const auto verified = program.verify();
    guest m;
    CHECK(m.run(*verified, verified->entry(), ~0u).has_value());
    CHECK(m.executed() == 1);
    CHECK(m.run(*verified, verified->entry(), 0).error().code == errc::out_of_fuel);
}

TEST_CASE("vm: code is prepared in the caller's memory") {
    using machine = vm<small>;
    test::loaded<machine> loop{{op(0xb7, 0, 0, 0, 3), op(0x17, 0, 0, 0, 1), op(0x55, 0, 0, -2, 0),
                                op(0x95)}};
    const auto verified = loop.verify();
    REQUIRE(verified.has_value());
    std::array<prepared_instruction, 4> code;
    CHECK(machine::prepare(*verified, std::span{code}.first(3)).error() ==
          error{errc::no_space, 0, 4});
    const auto prepared = machine::prepare(*verified, code);
    REQUIRE(prepared.has_value());
    machine m;
    CHECK(m.run(*prepared, prepared->entry(), 3).error() == error{errc::out_of_fuel, 1, 0});
    CHECK(*m.resume(*verified, 5) == 0);  // the position is the same in both forms
    CHECK(m.executed() == 5);
}
