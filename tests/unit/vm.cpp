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
}  // namespace

TEST_CASE("vm: a helper's failure ends the run at the call") {
    test::loaded<guest> program{{op(0xb7, 1, 0, 0, 42), op(0x85, 0, 0, 0, 9), op(0x95)}};
    const auto verified = program.verify();
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

TEST_CASE("vm: functions are found by name") {
    const std::array text{op(0x95), op(0x95)};
    const std::array<function, 2> functions{{{"first", 0}, {"second", 1}}};
    std::array<std::uint8_t, 2> scratch{};
    const auto verified = guest::verify({text, {}, {}, functions}, scratch);
    REQUIRE(verified.has_value());
    CHECK(verified->entry("second")->pc() == 1);
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
    using machine = vm<config{}>;
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
