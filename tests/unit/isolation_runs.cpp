// SPDX-License-Identifier: Apache-2.0
// Ways out of a guest through calls, frames, fuel and resumption, each tried on every machine.
#include "catch.hpp"
#include "guest.hpp"

#include <new>

#if defined(__linux__) && defined(__LP64__)
#include <sys/mman.h>
#endif

using namespace test;

TEST_CASE("isolation: the machine's own state is not in the guest's stack") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // f overwrites the whole stack, its own frame and its caller's; the return works all the same.
        const std::vector f{copy(1, 10), add(1, 8), set(2, 11), op(0x7a, 1, 0, -8, 0x41),
                            add(1, -8), add(2, -1), op(0x55, 2, 0, -4), set(0, 6), leave};
        const auto r = g.run(std::vector{set(6, 1), set(9, 4), op(0x7b, 10, 6, -8), op(0x85, 0, 1, 0, 3),
                                         op(0x0f, 0, 6), op(0x0f, 0, 9), leave} + f, 10000);
        REQUIRE(r.has_value());
        CHECK(*r == 6 + 1 + 4);
        const auto* stack = g.m.memory().template find<false>(
            g.m.memory().address_of(region_number::stack), 88);
        REQUIRE(stack != nullptr);
        for (int n = 0; n < 88; n += 8) {
            const auto word = load_little<std::uint64_t>(stack + n);
            CHECK((word == 0x41 || word == 1 || word == 0));
        }
    });
}

TEST_CASE("isolation: frames read after return hold the guest's own bytes alone") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        static_cast<void>(g.run({op(0x7a, 10, 0, -8, 0x5ec), copy(1, 10), add(1, -64),
                                 op(0x7a, 1, 0, 0, 0x5ec), leave}));
        // Another program: reads the frame of a function that has returned, then every byte below.
        const auto r = g.run({op(0x7a, 10, 0, -8, 3), op(0x85, 0, 1, 0, 2), op(0x79, 0, 10, -16), leave,
                              op(0x7a, 10, 0, -8, 0x66), leave});
        REQUIRE(r.has_value());
        CHECK((*r == 0x66 || *r == 0));  // whatever it is, it is not the other program's
        const auto all = g.run({set(2, 16), copy(1, 10), op(0x79, 3, 1, -8), op(0x0f, 0, 3), add(1, -8),
                                add(2, -1), op(0x55, 2, 0, -5), leave});
        CHECK(*all == 0);
    });
}

TEST_CASE("isolation: one machine, two programs: neither finds anything of the other") {
    on_every_vm<ordinary>([](auto c) {
        using machine = typename decltype(c)::template vm<guest_helpers>;
        machine m;
        std::vector<std::byte> secret(16, std::byte{0x99}), own(16);
        loaded<machine> first{{op(0x7a, 10, 0, -8, 0x99), set(6, 0x99), call(0x105), leave}, {}, secret};
        loaded<machine> second{{op(0x79, 0, 10, -8), op(0x4f, 0, 6), op(0x18, 1, 2, 0, 1), op(0),
                                      op(0x79, 2, 1), op(0x4f, 0, 2), leave}, {}, own};
        const auto a = first.verify();
        const auto b = second.verify();
        REQUIRE((a.has_value() && b.has_value()));
        std::vector<std::byte> context(8);
        CHECK(m.run(*a, a->entry(), std::span{context}, 100).error().code == errc::suspended);
        // The other one's state is not for it to resume, nor is its own after somebody else ran.
        CHECK(m.resume(*b, 100).error().code == errc::not_resumable);
        CHECK(*m.run(*b, b->entry(), std::span<std::byte>{}, 100) == 0);
        CHECK(m.resume(*a, 100).error().code == errc::not_resumable);
        // The context of the first is gone.
        loaded<machine> third{{op(0x71, 0, 1), leave}};
        const auto t = third.verify();
        CHECK(m.run(*t, t->entry(), std::span<std::byte>{}, 100).error().code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: a fault cannot be resumed, whatever it was") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        CHECK(g.m.resume(*loaded<typename decltype(c)::template vm<guest_helpers>>{{leave}}.verify(), 10)
                  .error().code == errc::not_resumable);
        const std::vector<std::vector<instruction>> faults{
            {op(0x71, 0, 3), leave},                          // memory
            {op(0x18, 1, 2, 0, 0), op(0), op(0x73, 1, 0), leave},  // write
            {set(1, 99), op(0x8d, 1), leave},                 // call
            {op(0x18, 1, 4, 0, -1), op(0), op(0x8d, 1), leave},  // depth
            {set(1, 3), set(2, 1), call(0x101), leave},       // in a helper
            {leave},                                          // none: it ended
            {call(0x106), leave},                             // a helper ended it
        };
        for (const auto& text : faults) {
            static_cast<void>(g.run(text));
            CHECK(g.m.resume(*g.verified, 100).error() == error{errc::not_resumable, 0, 0});
        }
        // What was suspended once cannot be resumed twice.
        CHECK(g.fault({call(0x105), leave}).code == errc::suspended);
        CHECK(g.m.resume(*g.verified, 100).has_value());
        CHECK(g.m.resume(*g.verified, 100).error().code == errc::not_resumable);
        // Nor what the machine was told to forget.
        CHECK(g.fault({call(0x105), leave}).code == errc::suspended);
        g.m.forget();
        CHECK(g.m.resume(*g.verified, 100).error().code == errc::not_resumable);
    });
}

TEST_CASE("isolation: a suspended guest loses a context that its owner takes away") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        const auto r = g.run({copy(6, 1), call(0x105), op(0x71, 0, 6), leave});
        CHECK(r.error().code == errc::suspended);
        g.m.drop_context();
        CHECK(g.m.resume(*g.verified, 100).error().code == errc::illegal_memory);
    });
}

TEST_CASE("isolation: calls through registers reach the starts of functions and granted helpers alone") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // 0, 1: lddw; 2: callx; 3: exit; 4: call of 6; 5: exit; 6, 7: lddw; 8: add; 9: exit
        const auto with = [&](std::uint64_t target) {
            const auto at = lddw(1, target);
            return std::vector{at[0], at[1], op(0x8d, 1), leave, op(0x85, 0, 1, 0, 1), leave,
                               op(0x18, 0, 0, 0, 5), op(0), add(0, 1), leave};
        };
        CHECK(*g.run(with(code_address(6))) == 6);
        for (const std::uint64_t target :
             {code_address(7), code_address(8), code_address(9), code_address(10), code_address(2),
              code_address(6) + 1, code_address(6) + 4, code_address(0x1fffffff),
              code_address(6) - 1, code_address(6) + (std::uint64_t{1} << 32),
              code_address(6) | std::uint64_t{1} << 63, std::uint64_t{0x10a}, std::uint64_t{0},
              std::uint64_t{1} << 32 | 0x100u, ~std::uint64_t{0}}) {
            const error e = g.fault(with(target));
            CHECK(e == error{errc::illegal_call, 2, target});
        }
    });
    // Not granted: refused by number, and through a register while it runs.
    using machine = vm<ordinary, guest_helpers>;
    const std::vector text{set(1, 0x101), op(0x8d, 1), leave};
    std::array<std::uint8_t, 8> scratch{};
    const auto p = machine::verify({text, {}, {}, {}}, scratch, guest_helpers::bit_of(0x100));
    REQUIRE(p.has_value());
    machine m;
    CHECK(m.run(*p, p->entry(), 100).error() == error{errc::illegal_call, 1, 0x101});
}

TEST_CASE("isolation: fuel that runs out inside a helper or a local call stops the run there") {
    on_every_vm<ordinary>([](auto c) {
        guest<decltype(c)> g;
        // A helper that charges more than there is: the run stops behind it, in debt.
        auto r = g.run({set(1, 5000), call(0x104), set(0, 1), leave}, 100);
        CHECK(r.error() == error{errc::out_of_fuel, 2, 0});
        CHECK(g.m.executed() == 5002);
        CHECK(g.m.state().fuel == 100 - 5002);
        CHECK(g.m.resume(*g.verified, 4000).error().code == errc::out_of_fuel);
        CHECK(g.m.executed() == 0);
        CHECK(*g.m.resume(*g.verified, 1000) == 1);
        // As much as can be charged does not turn around into fuel.
        const auto most = lddw(1, 0xffffffff);
        r = g.run({most[0], most[1], call(0x104), op(0x05, 0, 0, -2)}, 100);
        CHECK(r.error().code == errc::out_of_fuel);
        CHECK(g.m.resume(*g.verified, 0x0fffffff).error().code == errc::out_of_fuel);
        CHECK(g.m.state().fuel <= 0x0fffffff);
        // Every fuel from 1 on, with calls nested: it never executes more than fuel and one stretch.
        const std::vector nested{op(0x85, 0, 1, 0, 1), leave, op(0x85, 0, 1, 0, 2), add(0, 1), leave,
                                 add(0, 1), add(0, 1), leave};
        for (std::uint32_t fuel = 1; fuel < 12; ++fuel) {
            auto step = g.run(nested, fuel);
            std::uint32_t total = g.m.executed();
            CHECK(g.m.executed() <= fuel + 3);
            for (int n = 0; !step && n < 20; ++n) {
                CHECK(step.error().code == errc::out_of_fuel);
                step = g.m.resume(*g.verified, 1);
                total += g.m.executed();
            }
            REQUIRE(step.has_value());
            CHECK(*step == 3);
            CHECK(total == 8);
        }
        // An endless recursion through registers meets the depth, an endless loop its fuel.
        CHECK(g.fault({op(0x18, 1, 4, 0, -1), op(0), op(0x8d, 1), leave}).code == errc::call_too_deep);
        CHECK(g.fault({op(0x05, 0, 0, -1)}).code == errc::out_of_fuel);
        CHECK(g.m.executed() == 1000);
    });
}

#if defined(__linux__) && defined(__LP64__)
TEST_CASE("isolation: frames on both sides of a multiple of 4 GiB") {
    // r6 = r10; r0 = f() - r6; r0 = r0 * 4096 + (r10 - r6); f: a frame of 16 bytes; return r10
    const std::vector text{op(0xbf, 6, 10), op(0x85, 0, 1, 0, 6), op(0x1f, 0, 6), op(0x27, 0, 0, 0, 4096),
                           op(0xbf, 7, 10), op(0x1f, 7, 6), op(0x0f, 0, 7), leave,
                           op(0x7a, 10, 0, -16, 7), op(0xbf, 0, 10), leave};
    constexpr std::uintptr_t boundary = std::uintptr_t{1} << 45;
    constexpr std::size_t around = 0x10000;
    void* const wanted = reinterpret_cast<void*>(boundary - around);
    void* const got = mmap(wanted, 2 * around, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    REQUIRE(got == wanted);
    on_every_vm<ordinary>([&](auto c) {
        using machine = typename decltype(c)::template vm<guest_helpers>;
        constexpr auto segmented = decltype(c)::value.address_space == address_space::segmented;
        loaded<machine> program{text};
        const auto verified = program.verify();
        REQUIRE(verified.has_value());
        // The callee's r10 is to be below, its caller's above.
        machine probe;
        REQUIRE(probe.run(*verified, verified->entry(), 20).has_value());
        const auto stack = reinterpret_cast<std::uintptr_t>(probe.memory().template find<false>(
                               probe.memory().address_of(region_number::stack), 1)) -
                           reinterpret_cast<std::uintptr_t>(&probe);
        const std::uintptr_t at = boundary + 8 - stack - probe.memory().readable(region_number::stack);
        REQUIRE(at % alignof(machine) == 0);
        auto* const m = new (reinterpret_cast<void*>(at)) machine;
        const auto frames = m->run(*verified, verified->entry(), 20);
        REQUIRE(frames.has_value());
        CHECK(static_cast<std::int64_t>(*frames) == -4096 * 16);
        if (!segmented) CHECK(m->state().r[10] == boundary + 8);
        m->~machine();
    });
    munmap(got, 2 * around);
}
#endif
