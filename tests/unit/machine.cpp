// SPDX-License-Identifier: Apache-2.0
// What a run promises: entry state, fuel, suspension, frames, faults and their places.
#include "catch.hpp"
#include "every_vm.hpp"

using namespace femto;
using test::op;

namespace {

constexpr std::uint8_t exit_op = 0x95;
/// Room for the longest jumps; one configuration for all of it, as each is six machines to compile.
constexpr config large{.max_instructions = 32779};

void sleep(caller& c) { c.suspend(); }
std::uint32_t costly(caller& c) {
    c.charge(100);
    return 5;
}
std::uint64_t sum(guest_span<const std::uint16_t> values) {
    std::uint64_t total = 0;
    for (std::uint32_t i = 0; i < values.size(); ++i) total += values[i];
    return total;
}
void increment(guest_ref<std::uint32_t> value) { value.set(value.get() + 1); }
std::size_t length(guest_string s) { return s.text.size(); }
std::int32_t host_value(caller& c) { return c.host<int>() != nullptr ? *c.host<int>() : -1; }

using helpers = helper_set<helper<1, "sleep", &sleep>, helper<2, "costly", &costly>,
                           helper<3, "sum", &sum>, helper<4, "increment", &increment>,
                           helper<5, "length", &length>, helper<6, "host_value", &host_value>>;

/// r1 = context as given; the result of running `text` once, and the instructions executed.
template <class Kind>
struct outcome {
    using machine = typename Kind::template vm<helpers>;
    outcome(std::vector<instruction> text, std::span<std::byte> context,
            std::uint32_t fuel = 1000) {
        test::loaded<machine> program{std::move(text)};
        const auto verified = program.verify();
        REQUIRE(verified.has_value());
        machine m;
        const auto r = m.run(*verified, verified->entry(), context, fuel);
        if (r.has_value()) {
            value = *r;
        } else {
            fault = r.error();
        }
        executed = m.executed();
    }
    std::uint64_t value = 0;
    error fault{};
    std::uint32_t executed = 0;
};

}  // namespace

TEST_CASE("run: registers at entry") {
    test::on_every_vm<large>([](auto c) {
        std::array<std::byte, 24> context{};
        // r0 = r2, then r0 += every register that must be zero
        std::vector<instruction> text{op(0x0f, 0, 2)};
        for (unsigned n = 3; n < 10; ++n) text.push_back(op(0x0f, 0, n));
        text.push_back(op(exit_op));
        const outcome<decltype(c)> o{text, context};
        CHECK(o.value == 24);
        CHECK(o.executed == 9);
    });
}

TEST_CASE("run: fuel is exact and is checked at transfers") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        // r0 = 10; do { r0 -= 1 } while (r0 != 0); return r0
        test::loaded<machine> loop{{op(0xb7, 0, 0, 0, 10), op(0x17, 0, 0, 0, 1),
                                    op(0x55, 0, 0, -2, 0), op(exit_op)}};
        const auto verified = loop.verify();
        REQUIRE(verified.has_value());
        machine m;
        const auto whole = m.run(*verified, verified->entry(), std::span<std::byte>{}, 22);
        REQUIRE(whole.has_value());
        CHECK(m.executed() == 22);

        const auto part = m.run(*verified, verified->entry(), std::span<std::byte>{}, 5);
        REQUIRE(!part.has_value());
        CHECK(part.error() == error{errc::out_of_fuel, 1, 0});
        CHECK(m.executed() == 5);
        CHECK(m.state().r[0] == 8);
        const auto rest = m.resume(*verified, 100);
        REQUIRE(rest.has_value());
        CHECK(m.executed() == 17);
        CHECK(m.resume(*verified, 100).error() == error{errc::not_resumable, 0, 0});
    });
}

TEST_CASE("run: fuel that would reach beyond the end of the address space") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        // r0 = 1000; do { r0 -= 1 } while (r0 != 0); a helper call; return r0
        test::loaded<machine> loop{{op(0xb7, 0, 0, 0, 1000), op(0x17, 0, 0, 0, 1), op(0x55, 0, 0, -2, 0),
                                    op(0x85, 0, 0, 0, 2), op(exit_op)}};
        const auto verified = loop.verify();
        REQUIRE(verified.has_value());
        machine m;
        CHECK(m.run(*verified, verified->entry(), std::span<std::byte>{}, max_fuel).has_value());
        CHECK(m.executed() == 1 + 2 * 1000 + 1 + 100 + 1);  // the helper charges 100
    });
}

TEST_CASE("run: an overdrawn stretch is paid for by the next resume") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        test::loaded<machine> loop{{op(0xb7, 0, 0, 0, 1), op(0x07, 0, 0, 0, 1),
                                    op(0x07, 0, 0, 0, 1), op(0x05, 0, 0, -2)}};
        const auto verified = loop.verify();
        REQUIRE(verified.has_value());
        machine m;
        CHECK(!m.run(*verified, verified->entry(), std::span<std::byte>{}, 1).has_value());
        CHECK(m.executed() == 4);
        CHECK(m.state().fuel == -3);
        CHECK(m.resume(*verified, 3).error() == error{errc::out_of_fuel, 2, 0});
        CHECK(m.state().r[0] == 3);  // nothing ran
    });
}

TEST_CASE("run: suspend and resume behind the helper") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        test::loaded<machine> program{{op(0xb7, 6, 0, 0, 7), op(0x85, 0, 0, 0, 1),
                                       op(0xbf, 0, 6), op(exit_op)}};
        const auto verified = program.verify();
        REQUIRE(verified.has_value());
        machine m;
        const auto first = m.run(*verified, verified->entry(), std::span<std::byte>{}, 100);
        CHECK(first.error() == error{errc::suspended, 2, 0});
        CHECK(m.executed() == 2);
        const auto second = m.resume(*verified, 100);
        REQUIRE(second.has_value());
        CHECK(*second == 7);
        CHECK(m.executed() == 2);
    });
}

TEST_CASE("run: helpers") {
    test::on_every_vm<large>([](auto c) {
        std::array<std::byte, 8> context{std::byte{1}, std::byte{0}, std::byte{2}, std::byte{1},
                                         std::byte{'a'}, std::byte{'b'}, std::byte{0}, std::byte{9}};
        const outcome<decltype(c)> charged{{op(0x85, 0, 0, 0, 2), op(exit_op)}, context};
        CHECK(charged.value == 5);
        CHECK(charged.executed == 102);

        const outcome<decltype(c)> span{{op(0xb7, 2, 0, 0, 2), op(0x85, 0, 0, 0, 3), op(exit_op)},
                                       context};
        CHECK(span.value == 1 + 0x102);
        const outcome<decltype(c)> long_span{
            {op(0xb7, 2, 0, 0, 5), op(0x85, 0, 0, 0, 3), op(exit_op)}, context};
        CHECK(long_span.fault.code == errc::illegal_memory);
        CHECK(long_span.fault.pc == 1);

        const outcome<decltype(c)> ref{{op(0x85, 0, 0, 0, 4), op(exit_op)}, context};
        CHECK(ref.fault == error{});
        CHECK(context[0] == std::byte{2});

        const outcome<decltype(c)> text{
            {op(0x07, 1, 0, 0, 4), op(0x85, 0, 0, 0, 5), op(exit_op)}, context};
        CHECK(text.value == 2);
        const outcome<decltype(c)> unterminated{
            {op(0x07, 1, 0, 0, 7), op(0x85, 0, 0, 0, 5), op(exit_op)}, context};
        CHECK(unterminated.fault.code == errc::illegal_memory);
        context[7] = std::byte{0};
        const outcome<decltype(c)> only_its_end{
            {op(0x07, 1, 0, 0, 7), op(0x85, 0, 0, 0, 5), op(exit_op)}, context};
        CHECK(only_its_end.fault == error{});
        CHECK(only_its_end.value == 0);

        const outcome<decltype(c)> no_host{{op(0x85, 0, 0, 0, 6), op(exit_op)}, context};
        CHECK(no_host.value == ~std::uint64_t{0});
    });
}

TEST_CASE("run: local calls keep r6 to r9 and give each frame its own stack") {
    test::on_every_vm<large>([](auto c) {
        // main: r6 = 3; *(u64 *)(r10 - 8) = 4; call f; r0 = r6 + *(u64 *)(r10 - 8)
        // f:    r6 = 0; *(u64 *)(r10 - 8) = 0
        const outcome<decltype(c)> o{
            {op(0xb7, 6, 0, 0, 3), op(0x7a, 10, 0, -8, 4), op(0x85, 0, 1, 0, 3),
             op(0x79, 0, 10, -8), op(0x0f, 0, 6), op(exit_op), op(0xb7, 6),
             op(0x7a, 10, 0, -8, 0), op(exit_op)},
            {}};
        CHECK(o.value == 7);
        CHECK(o.executed == 9);
    });
}

TEST_CASE("run: jumps and calls as far as their fields reach") {
    test::on_every_vm<large>([](auto c) {
        // 0 -> last -> 3 -> a function behind -> the longest conditional jumps, forwards and back -> 6.
        constexpr std::uint32_t last = 32776, behind = last + 1;
        constexpr auto to = [](std::uint32_t from, std::uint32_t target) {
            return static_cast<std::int32_t>(target - from - 1);
        };
        std::vector<instruction> text(behind + 2, op(0xb7, 0));
        text[0] = op(0x06, 0, 0, 0, to(0, last));
        text[3] = op(0x85, 0, 1, 0, to(3, behind));
        text[4] = op(0x15, 0, 0, 32767, 40);
        text[6] = op(0x07, 0, 0, 0, 1);
        text[7] = op(exit_op);
        text[32772] = op(0x07, 0, 0, 0, 1);
        text[32773] = op(0x15, 0, 0, -32768, 41);
        text[last] = op(0x06, 0, 0, 0, to(last, 3));
        text[behind] = op(0xb7, 0, 0, 0, 40);
        text[behind + 1] = op(exit_op);
        const outcome<decltype(c)> o{std::move(text), {}};
        CHECK(o.fault == error{});
        CHECK(o.value == 42);
        CHECK(o.executed == 10);
    });
}

TEST_CASE("run: calls through registers are checked") {
    test::on_every_vm<large>([](auto c) {
        // r1 = code address of slot 4; callx r1; exit; f: r0 = 9; exit
        const outcome<decltype(c)> good{{op(0x18, 1, 4, 0, 3), op(0), op(0x8d, 1), op(exit_op),
                                        op(0xb7, 0, 0, 0, 9), op(exit_op)},
                                       {}};
        CHECK(good.value == 9);
        CHECK(good.executed == 5);
        const outcome<decltype(c)> middle{
            {op(0x18, 1, 4, 0, 4), op(0), op(0x07, 1, 0, 0, 8), op(0x8d, 1), op(exit_op),
             op(0xb7, 0, 0, 0, 9), op(exit_op)},
            {}};
        CHECK(middle.fault.code == errc::illegal_call);
        CHECK(middle.fault.pc == 3);
        const outcome<decltype(c)> recursive{{op(0x18, 1, 4, 0, -1), op(0), op(0x8d, 1), op(exit_op)},
                                            {}};
        CHECK(recursive.fault.code == errc::call_too_deep);
    });
}

TEST_CASE("run: memory faults, at the instruction and the address") {
    test::on_every_vm<large>([](auto c) {
        constexpr config configured = decltype(c)::value;
        std::array<std::byte, 8> context{};
        const auto base = configured.address_space == address_space::segmented
                              ? segmented_address(region_number::context)
                              : reinterpret_cast<std::uintptr_t>(context.data());
        for (const auto& [opcode, width] : {std::pair{0x71, 1}, {0x69, 2}, {0x61, 4}, {0x79, 8}}) {
            const auto load = static_cast<std::uint8_t>(opcode);
            const outcome<decltype(c)> last{{op(load, 0, 1, 8 - width), op(exit_op)}, context};
            CHECK(last.fault == error{});
            const outcome<decltype(c)> past{{op(load, 0, 1, 9 - width), op(exit_op)}, context};
            CHECK(past.fault ==
                  error{errc::illegal_memory, 0, base + 9 - static_cast<unsigned>(width)});
            const outcome<decltype(c)> before{{op(load, 0, 1, -1), op(exit_op)}, context};
            CHECK(before.fault == error{errc::illegal_memory, 0, base - 1});
            const outcome<decltype(c)> null{{op(load, 0, 3), op(exit_op)}, context};
            CHECK(null.fault == error{errc::illegal_memory, 0, 0});
            const outcome<decltype(c)> top{
                {op(0xb7, 3, 0, 0, -1), op(load, 0, 3), op(exit_op)}, context};
            CHECK(top.fault == error{errc::illegal_memory, 1, ~std::uint64_t{0}});
            const outcome<decltype(c)> high{{op(0xb7, 3, 0, 0, 1), op(0x67, 3, 0, 0, 32),
                                            op(0x0f, 3, 1), op(0x67, 3, 0, 0, 1),
                                            op(load, 0, 3), op(exit_op)},
                                           context};
            CHECK(high.fault.code == errc::illegal_memory);
            CHECK(high.fault.pc == 4);
        }
    });
}

TEST_CASE("run: what may only be read cannot be written") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        const std::array<std::byte, 8> context{};
        for (const int store : {0x72, 0x6a, 0x62, 0x7a, 0x73, 0x6b, 0x63, 0x7b, 0xdb}) {
            test::loaded<machine> program{{op(static_cast<std::uint8_t>(store), 1, 0, 0, 0), op(exit_op)}};
            const auto verified = program.verify();
            REQUIRE(verified.has_value());
            machine m;
            const auto r =
                m.run(*verified, verified->entry(), std::span<const std::byte>{context}, 10);
            REQUIRE(!r.has_value());
            CHECK(r.error().code == errc::illegal_write);
            CHECK(r.error().pc == 0);
        }
    });
}

TEST_CASE("run: the host object reaches helpers by its type") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        test::loaded<machine> program{{op(0x85, 0, 0, 0, 6), op(exit_op)}};
        const auto verified = program.verify();
        REQUIRE(verified.has_value());
        machine m;
        int host = 77;
        m.set_host(host);
        CHECK(*m.run(*verified, verified->entry(), std::span<std::byte>{}, 10) == 77);
        float other = 1;
        m.set_host(other);
        CHECK(*m.run(*verified, verified->entry(), std::span<std::byte>{}, 10) ==
              ~std::uint64_t{0});
    });
}

TEST_CASE("run: another program finds no byte of the one before in the stack") {
    test::on_every_vm<large>([](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        test::loaded<machine> writer{{op(0x7a, 10, 0, -8, 99), op(exit_op)}};
        test::loaded<machine> reader{{op(0x79, 0, 10, -8), op(exit_op)}};
        const auto first = writer.verify();
        const auto second = reader.verify();
        REQUIRE((first.has_value() && second.has_value()));
        machine m;
        CHECK(m.run(*first, first->entry(), std::span<std::byte>{}, 10).has_value());
        CHECK(*m.run(*second, second->entry(), std::span<std::byte>{}, 10) == 0);
    });
}
