// SPDX-License-Identifier: Apache-2.0
// What helpers are given, without a machine around them.
#include "catch.hpp"

#include <femto/helper.hpp>

#include <array>
#include <cstdint>
#include <string_view>

using namespace femto;

namespace {

// What guest memory can be read as.
enum class wide : std::uint64_t {};
enum open { first };
struct pair {
    std::uint32_t a, b;
};
struct nested {
    nested(const nested&);
    int value;
};
static_assert(detail::guest_integer<int> && detail::guest_integer<bool> && detail::guest_integer<wide>);
static_assert(!detail::guest_integer<open> && !detail::guest_integer<pair> && !detail::guest_integer<float>);
static_assert(detail::guest_bytes<int> && detail::guest_bytes<wide> && detail::guest_bytes<pair> &&
              detail::guest_bytes<float> && detail::guest_bytes<std::byte>);
static_assert(!detail::guest_bytes<bool> && !detail::guest_bytes<int*> && !detail::guest_bytes<int pair::*> &&
              !detail::guest_bytes<open> && !detail::guest_bytes<nested>);

std::uint32_t add(std::uint32_t a, std::int8_t b) { return a + static_cast<std::uint32_t>(b); }
void count(caller& c, guest_span<const std::uint16_t> values, guest_ref<std::uint32_t> to) {
    c.charge(values.size());
    to.set(values.empty() ? 77 : values[values.size() - 1]);
}
std::int8_t reverse(guest_span<std::uint16_t> values) {
    for (std::uint32_t n = 0; n < values.size(); ++n) values.set(n, static_cast<std::uint16_t>(n + 1));
    return -1;
}
std::uint64_t length(guest_string s) { return s.text.size(); }
bool is_true(bool b) { return b; }

using adds = helper<1, "add", &add>;
using counts = helper<7, "count", &count>;
using reverses = helper<9, "reverse", &reverse>;
using lengths = helper<4, "length", &length>;
using tells = helper<0, "tell", &is_true>;
using all = helper_set<adds, counts, reverses, lengths, tells>;

using kinds = std::array<argument_kind, 5>;
constexpr auto none = argument_kind::none;
static_assert(adds::prototype.id == 1 && adds::prototype.name == "add");
static_assert(adds::prototype.arguments == kinds{argument_kind::value, argument_kind::value, none, none, none});
static_assert(counts::prototype.arguments ==
              kinds{argument_kind::readable, argument_kind::length, argument_kind::writable, none, none});
static_assert(reverses::prototype.arguments == kinds{argument_kind::writable, argument_kind::length, none, none, none});
static_assert(lengths::prototype.arguments == kinds{argument_kind::string, none, none, none, none});
static_assert(counts::takes_caller && !adds::takes_caller);
static_assert(all::bit_of(1) == 1 && all::bit_of(7) == 2 && all::bit_of(9) == 4 && all::bit_of(4) == 8 &&
              all::bit_of(0) == 16 && all::bit_of(2) == 0);
static_assert(std::is_same_v<all::host, host_reference> && std::is_same_v<helper_set<adds>::host, no_host>);
template <std::uint32_t... Ids>
constexpr bool are_distinct =
    detail::have_distinct_ids(std::array<helper_prototype, sizeof...(Ids)>{helper_prototype{Ids, {}, {}}...});
static_assert(are_distinct<1, 2, 3> && !are_distinct<1, 1, 2> && !are_distinct<1, 2, 1> && !are_distinct<2, 1, 1>);
static_assert(helper_prototype{}.id == 0 && host_reference{}.object == nullptr);

constexpr std::int32_t lowest = -0x08000000;
constexpr std::int32_t left_of(std::int32_t fuel, std::uint32_t charged) {
    caller c{fuel, nullptr, nullptr};
    c.charge(charged);
    return c.fuel();
}
static_assert(left_of(10, 3) == 7 && left_of(0, 0x08000001) == lowest && left_of(lowest, 0xffffffff) == lowest);

/// A memory of 8 bytes that may be read and written, then 4 that may be read.
struct called {
    std::array<std::byte, 12> bytes{};
    guest_memory<address_space::segmented, region_number::first_free + 2> memory;
    std::uint64_t writable = *memory.map(std::span{bytes}.first(8), permission::read_write);
    std::uint64_t readable = *memory.map(std::span{bytes}.last(4), permission::read);
    std::array<std::uint64_t, 11> r{};
    std::uint64_t address = 0;
    std::int32_t fuel = 0;

    errc operator()(std::uint32_t id, std::uint64_t r1 = 0, std::uint64_t r2 = 0, std::uint64_t r3 = 0) {
        r[0] = 99;
        r[1] = r1, r[2] = r2, r[3] = r3;
        address = 1;
        caller from{100, nullptr, nullptr};
        const errc code = all::call(id, from, r.data(), memory, address);
        fuel = from.fuel();
        return code;
    }
};

}  // namespace

TEST_CASE("helper: integers are as wide as they are declared") {
    called call;
    CHECK(call(1, 0xffffffff00000005, 0xff) == errc::ok);
    CHECK(call.r[0] == 4);
    CHECK(call(2) == errc::illegal_call);
    CHECK(call.r[0] == 99);
    CHECK(call(0, 0) == errc::ok);
    CHECK(call.r[0] == 0);
    CHECK(call(0, 1) == errc::ok);
    CHECK(call.r[0] == 1);
    CHECK(call(0, std::uint64_t{1} << 40) == errc::ok);
    CHECK(call.r[0] == 1);
}

TEST_CASE("helper: spans and references are checked as a whole") {
    called call;
    call.bytes[10] = std::byte{5};
    CHECK(call(7, call.readable, 2, call.writable) == errc::ok);
    CHECK(call.r[0] == 0);
    CHECK(call.fuel == 98);
    CHECK(call.bytes[0] == std::byte{5});
    CHECK(call(7, 0, 0, call.writable + 4) == errc::ok);  // none need no memory
    CHECK(call.bytes[4] == std::byte{77});
    CHECK(call(7, call.readable, 3, call.writable) == errc::illegal_memory);
    CHECK(call.address == call.readable);
    CHECK(call(7, call.readable, 2, call.writable + 5) == errc::illegal_memory);
    CHECK(call.address == call.writable + 5);
    CHECK(call(7, call.readable, 2, call.readable) == errc::illegal_memory);  // a reference is written
    CHECK(call(7, call.readable, 0x40000000, call.writable) == errc::illegal_memory);
    CHECK(call(7, call.readable, (std::uint64_t{1} << 32) + 1, call.writable) == errc::illegal_memory);
    CHECK(call(9, call.writable, 4) == errc::ok);
    CHECK(call.r[0] == ~std::uint64_t{0});
    CHECK(call.bytes[0] == std::byte{1});
    CHECK(call.bytes[6] == std::byte{4});
    CHECK(call(9, call.writable, 5) == errc::illegal_memory);
    CHECK(call(9, call.readable, 1) == errc::illegal_memory);
}

TEST_CASE("helper: a span is at most as large as a region can be") {
    std::array<std::byte, 8> few{};
    guest_memory<address_space::segmented, region_number::first_free + 1> memory;
    const auto at = *memory.map(std::span<const std::byte>{few.data(), 0x7fffffff});  // none of them is read
    const auto grants = [&](std::uint64_t count) {
        guest_span<const std::uint16_t> to;
        const std::array<std::uint64_t, 2> r{at, count};
        return detail::argument<guest_span<const std::uint16_t>>::fetch(to, r.data(), memory) && to.size() == count;
    };
    CHECK(grants(0x3fffffff));
    CHECK(!grants(0x40000000));
    CHECK(!grants(0x80000001));
}

TEST_CASE("helper: strings end inside their region") {
    called call;
    CHECK(call(4, call.readable) == errc::ok);
    CHECK(call.r[0] == 0);
    for (std::size_t n = 8; n < 11; ++n) call.bytes[n] = std::byte{'a'};
    CHECK(call(4, call.readable) == errc::ok);
    CHECK(call.r[0] == 3);
    CHECK(call(4, call.readable + 3) == errc::ok);
    CHECK(call.r[0] == 0);
    CHECK(call(4, call.readable + 4) == errc::illegal_memory);
    CHECK(call.address == call.readable + 4);
    call.bytes[11] = std::byte{'a'};
    CHECK(call(4, call.readable) == errc::illegal_memory);
    CHECK(call(4, 0) == errc::illegal_memory);
}

TEST_CASE("helper: what is asked of the run") {
    int object = 0;
    caller c{5, &object, &caller::type_of<int>};
    CHECK(c.host<int>() == &object);
    CHECK(c.host<unsigned>() == nullptr);
    CHECK(c.request() == errc::ok);
    CHECK(!c.finished());
    CHECK(c.address() == 0);
    c.fail(errc::helper_failed, 3);
    CHECK(c.request() == errc::helper_failed);
    CHECK(c.address() == 3);
    c.fail(errc::helper_failed);
    CHECK(c.address() == 0);
    c.suspend();
    CHECK(c.request() == errc::suspended);
    c.finish();
    CHECK(c.finished());
    const guest_span<std::uint32_t> nothing;
    CHECK(nothing.size() == 0);
    CHECK(nothing.empty());
    CHECK(nothing.bytes().empty());
    std::array<std::byte, 8> bytes{};
    CHECK(!guest_span<std::uint64_t>{bytes.data(), 1}.empty());
    CHECK(guest_span<std::uint64_t>{bytes.data(), 1}.bytes().size() == 8);
}
