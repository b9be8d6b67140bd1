// SPDX-License-Identifier: Apache-2.0
// The helpers of Femto-Containers: what they do, and what happens to those who misuse them.
#include "catch.hpp"
#include "device.hpp"

using namespace femto;
using namespace test;

namespace {

/// Runs text with 16 bytes of data, of which the context is a copy, and rodata.
struct once {
    explicit once(std::vector<instruction> text, std::string rodata = {},
                  std::uint8_t tenant = 1) {
        static constexpr tenant_offer offers[]{{.helpers = every_helper, .context = permission::read_write}};
        static const hook_declaration declared{small_uuid(1), hook_policy::all, offers};
        device_engine e{platform};
        device_engine::hook<std::array<char, 16>, 1> h{declared};
        const auto bytes = std::as_bytes(std::span{rodata});
        boxed c{std::move(text), small_uuid(1), {1000, 256, 0, false}, {}, {},
                {bytes.begin(), bytes.end()}};
        REQUIRE(c.load(e, tenant).has_value());
        REQUIRE(e.attach(h, *c).has_value());
        value = e.fire(h, context).value;
        fault = c->statistics().last_fault;
        instructions = c->statistics().instructions;
    }
    static inline device_platform platform;
    std::array<char, 16> context{};
    std::int64_t value = 0;
    error fault{};
    std::uint64_t instructions = 0;
};

std::vector<instruction> with_rodata(std::vector<instruction> rest) {
    rest.insert(rest.begin(), {op(0x18, 1, 2, 0, 0), op(0)});
    return rest;
}
std::string printed(const std::string& format, std::int32_t a = 0, std::int32_t b = 0) {
    once::platform.printed.clear();
    const once o{with_rodata({set(2, a), set(3, b), call(0x01), leave}), format + '\0'};
    CHECK(o.fault == error{});
    return once::platform.printed;
}
error refused(const std::string& format) {
    once::platform.printed.clear();
    const once o{with_rodata({set(2, 1), call(0x01), leave}), format};
    CHECK(once::platform.printed.empty());
    return o.fault;
}
constexpr std::uint64_t context_at = segmented_address(region_number::context);
constexpr std::uint64_t rodata_at = segmented_address(region_number::rodata);

}  // namespace

TEST_CASE("helpers: printf") {
    CHECK(printed("plain") == "plain");
    CHECK(printed("%d %u%%", -5, 7) == "-5 7%");
    CHECK(printed("%u|%x", -1, 0xbeef) == "4294967295|beef");
    CHECK(printed("%ld|%llx", -1, -1) == "-1|ffffffffffffffff");
    CHECK(printed("%i%c", -2147483647 - 1, 'z') == "-2147483648z");
}

TEST_CASE("helpers: printf refuses what it does not know, before it prints anything") {
    const std::string zero(1, '\0');
    CHECK(refused("a %s" + zero) == error{errc::bad_format, 3, 2});
    CHECK(refused("%d %n" + zero) == error{errc::bad_format, 3, 3});
    CHECK(refused("abc%" + zero) == error{errc::bad_format, 3, 3});
    CHECK(refused("%lc" + zero) == error{errc::bad_format, 3, 0});
    CHECK(refused("%llld" + zero) == error{errc::bad_format, 3, 0});
    CHECK(refused("%d%d%d%d%d" + zero) == error{errc::bad_format, 3, 8});
    CHECK(refused("no end") == error{errc::illegal_memory, 3, rodata_at});
}

TEST_CASE("helpers: memcpy checks both ends and is paid for") {
    const auto copy = [](std::int32_t to, std::int32_t from, std::int32_t size) {
        return with_rodata({op(0xbf, 2, 1), op(0x07, 2, 0, 0, from), op(0x18, 1),
                            op(0, 0, 0, 0, 2), op(0x07, 1, 0, 0, to), set(3, size), call(0x02),
                            leave});
    };
    const once good{copy(2, 1, 3), "abcdefgh"};
    CHECK(good.fault == error{});
    CHECK(std::string(&good.context[0], 6) == std::string("\0\0bcd\0", 6));
    CHECK(once{copy(14, 0, 3), "abcdefgh"}.fault == error{errc::illegal_memory, 8, context_at + 14});
    CHECK(once{copy(0, 6, 3), "abcdefgh"}.fault.code == errc::illegal_memory);
    CHECK(once{copy(0, 0, -1), "abcdefgh"}.fault.code == errc::illegal_memory);
    CHECK(once{copy(99, 99, 0), "abcdefgh"}.fault == error{});
    const once swapped{with_rodata({op(0x18, 2), op(0, 0, 0, 0, 2), set(3, 4), call(0x02), leave}),
                       "abcdefgh"};
    CHECK(swapped.fault == error{errc::illegal_memory, 5, rodata_at});  // rodata is read-only
    CHECK(once{copy(0, 0, 8), "abcdefgh"}.instructions ==
          once{copy(0, 0, 7), "abcdefgh"}.instructions + 1);
}

TEST_CASE("helpers: fmt and strlen") {
    const once dec{{set(2, -1), call(0x51), leave}};
    CHECK(dec.value == 10);
    CHECK(std::string(dec.context.data()) == "4294967295");
    const auto dfp = [](std::int32_t value, std::int32_t point) {
        const once o{{set(2, value), set(3, point), call(0x50), leave}};
        CHECK(o.value == static_cast<std::int64_t>(std::string(o.context.data()).size()));
        return std::string(o.context.data());
    };
    CHECK(dfp(-32768, -4) == "-3.2768");
    CHECK(dfp(215, -1) == "21.5");
    CHECK(dfp(-5, -2) == "-0.05");
    CHECK(dfp(12, 0) == "12");
    CHECK(dfp(-32768, 4) == "-327680000");
    CHECK(dfp(0, 3) == "0");
    CHECK(dfp(1, 5) == "");
    CHECK(dfp(1, -5) == "");
    CHECK(once{{op(0x07, 1, 0, 0, 7), set(2, 1), call(0x51), leave}}.fault ==
          error{errc::illegal_memory, 2, context_at + 7});  // ten bytes, whatever the number
    CHECK(once{with_rodata({call(0x52), leave}), std::string("abc\0", 4)}.value == 3);
    CHECK(once{with_rodata({call(0x52), leave}), "abc"}.fault.code == errc::illegal_memory);
}

TEST_CASE("helpers: stores") {
    for (const auto& [store, fetch, add] : {std::array{0x10, 0x12, 0x18}, {0x11, 0x13, 0x19},
                                            {0x14, 0x15, 0x1a}}) {
        const once o{{set(1, 90), set(2, 40), call(store), set(1, 90), set(2, 2), op(0xbf, 3, 10),
                      op(0x07, 3, 0, 0, -4), call(add), set(1, 90), op(0xbf, 2, 10),
                      op(0x07, 2, 0, 0, -8), call(fetch), op(0x61, 0, 10, -8),
                      op(0x61, 1, 10, -4), op(0x0f, 0, 1), leave}};
        CHECK(o.value == 42 + 40);
        CHECK(once{{op(0xbf, 2, 1), op(0x07, 2, 0, 0, 13), set(1, 1), call(fetch), leave}}.fault ==
              error{errc::illegal_memory, 3, context_at + 13});
    }
    once::platform.stores = {};
    const once full{{set(6, 1), op(0xbf, 1, 6), set(2, 1), call(0x11), op(0x07, 6, 0, 0, 1),
                     op(0x15, 0, 0, -5, 0), leave}};
    CHECK(full.value == static_cast<int>(errc::store_full));
    CHECK(once::platform.stores.used_by(1) == 12);
    once::platform.stores = {};
}

TEST_CASE("helpers: time without a request to wait is a fault, and late wake-ups do not wait") {
    once::platform.time = 500;
    CHECK(once{{call(0x20), leave}}.value == 500);
    CHECK(once{{call(0x60), leave}}.value == 500);
    CHECK(once{{set(1, 600), call(0x62), leave}}.fault.code == errc::suspended);
    const once late{{op(0x62, 1, 0, 0, 100), set(2, 100), call(0x61), op(0x61, 0, 10, -8), leave}};
    CHECK(late.fault == error{});
    CHECK(static_cast<unsigned char>(late.context[0]) == (500 & 0xff));
    once::platform.time = 0;
}

TEST_CASE("helpers: devices are numbers, looked up for each tenant") {
    once::platform.temperature = 231;
    const std::vector<instruction> read{op(0xbf, 6, 1), set(1, 0), call(0x30), op(0xbf, 1, 0),
                                        op(0xbf, 2, 6), call(0x32), op(0x69, 0, 6), leave};
    CHECK(once{read}.value == 231);
    CHECK(once{read, {}, 0}.value == 0);
    CHECK(once{{op(0x18, 1, 0, 0, 1), op(0, 0, 0, 0, 1), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -8),
                call(0x32), leave}}.value == -1);  // 1 in the low word only
    CHECK(once{{set(1, -1), call(0x30), leave}}.value == 0);
    CHECK(once{{op(0xbf, 2, 1), op(0x07, 2, 0, 0, 9), set(1, 1), call(0x32), leave}}.fault ==
          error{errc::illegal_memory, 3, context_at + 9});
    CHECK(once{{op(0x6a, 1, 0, 0, 99), op(0xbf, 2, 1), set(1, 1), call(0x33), leave}}.value == 1);
    CHECK(once::platform.temperature == 99);
    CHECK(once{{set(1, 0), set(2, 3), set(3, 1), call(0x72), leave}}.value == 0);
    CHECK(once{{set(1, 0), set(2, 3), call(0x70), leave}}.value == 1);
    CHECK(once{{set(1, 0), set(2, 8), set(3, 1), call(0x72), leave}}.value == -1);
}

TEST_CASE("helpers: a CoAP response never grows past its buffer") {
    std::array<std::byte, 9> bytes{};
    helpers::coap_response r{bytes, 4};
    CHECK(r.start(0x45));
    CHECK(r.add_format(0x1234));
    CHECK(!r.add_format(0));  // once
    CHECK(r.finish(true) == 8);
    CHECK(r.finish(true) == -1);
    CHECK(bytes[4] == std::byte{0xc2});
    CHECK(bytes[5] == std::byte{0x12});
    CHECK(bytes[7] == std::byte{0xff});
    helpers::coap_response tight{std::span{bytes}.first(5), 4};
    CHECK(tight.start(0x45));
    CHECK(!tight.add_format(50));
    CHECK(tight.add_format(0));
    CHECK(tight.finish(true) == -1);
    helpers::coap_response none;
    CHECK(!none.start(1));
    CHECK(!none.add_format(1));
    CHECK(none.finish(false) == -1);
    helpers::coap_response short_header{std::span{bytes}.first(3), 4};
    CHECK(!short_header.start(1));
    CHECK(!short_header.add_format(1));
    CHECK(short_header.finish(true) == -1);
    // a context too short for a coap_context
    CHECK(once{{set(2, 0x45), call(0x40), leave}}.fault ==
          error{errc::illegal_memory, 1, context_at});
}
