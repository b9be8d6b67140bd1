// SPDX-License-Identifier: Apache-2.0
// How much of the host's stack verifying and running takes, on each machine: measured by painting it.
#include "check.hpp"

#include "../../ports/board.hpp"
#include "../unit/every_vm.hpp"

#include <array>
#include <cstddef>

namespace {

using test::op;

std::uint64_t twice(std::uint64_t x) { return 2 * x; }
using helpers = femto::helper_set<femto::helper<1, "twice", &twice>>;

/// Keeps the frame of `f` out of that of `stack_of`, which paints over what lies below its own.
template <class F>
[[gnu::noinline]] void call(F& f) {
    f();
    asm("" ::: "memory");  // no tail call
}

/// Bytes of stack below this function that `f` takes, at least 128, which are left alone: this frame's own
/// are among them.
template <class F>
[[gnu::noinline]] std::size_t stack_of(F&& f) {
    constexpr std::byte paint{0x5a};
    const auto stack = femto::board::stack();
    auto* const here = static_cast<std::byte*>(__builtin_frame_address(0));
    constexpr std::ptrdiff_t own = 128;
    for (volatile std::byte* b = stack.data(); b < here - own; b = b + 1) *b = paint;
    call(f);
    const volatile std::byte* used = stack.data();
    while (used < here - own && *used == paint) used = used + 1;
    return static_cast<std::size_t>(here - used);
}

}  // namespace

TEST_CASE("stack: verifying and running take a few hundred bytes") {
    // A local call, a helper, an atomic operation and a load: every part of the interpreter.
    constexpr std::array text{op(0x85, 0, 1, 0, 1), op(0x95), op(0xb7, 1, 0, 0, 21),
                              op(0x85, 0, 0, 0, 1), op(0x7b, 10, 0, -8), op(0xdb, 10, 0, -8, 1),
                              op(0x79, 0, 10, -8), op(0x95)};
    test::on_every_vm<femto::config{}>([&](auto c) {
        constexpr femto::config configured = decltype(c)::value;
        using machine = femto::vm<configured, helpers>;
        static machine m;
        std::array<std::uint8_t, text.size()> scratch{};
        std::size_t verifying = 0;
        std::size_t running = 0;
        std::uint64_t result = 0;
        verifying = stack_of([&] { CHECK(machine::verify({text, {}, {}, {}}, scratch).has_value()); });
        const auto verified = machine::verify({text, {}, {}, {}}, scratch);
        REQUIRE(verified.has_value());
        running = stack_of([&] { result = *m.run(*verified, verified->entry(), 100); });
        CHECK(result == 84);
        femto_check::print(configured.dispatch == femto::dispatch::compact ? "  compact, "
                                                                           : "  threaded, ");
        femto_check::print(configured.address_space == femto::address_space::flat ? "flat: verify "
                                                                                  : "segmented: verify ");
        femto_check::print_number(verifying);
        femto_check::print(", run ");
        femto_check::print_number(running);
        femto_check::print(" bytes of stack\n");
        CHECK(verifying >= 128);
        CHECK(verifying < 1024);
        CHECK(running >= 128);
        CHECK(running < 1024);
    });
}
