// SPDX-License-Identifier: Apache-2.0
// One mistake for each CASE; CMakeLists.txt says what the compiler must print.
#include <femto/femto.hpp>

using namespace femto;

[[maybe_unused]] static void real(double) {}
[[maybe_unused]] static int six(int, int, int, int, int, int) { return 0; }
[[maybe_unused]] static void nothing() {}
[[maybe_unused]] static const char* text() { return ""; }

#if CASE == 1
using set = helper_set<helper<1, "real", &real>>;
#elif CASE == 2
using set = helper_set<helper<1, "six", &six>>;
#elif CASE == 3
using set = helper_set<helper<1, "a", &nothing>, helper<1, "b", &nothing>>;
#elif CASE == 4
using set = helper_set<helper<1, "text", &text>>;
#elif CASE == 5
vm<config{.stack_size = 100}> machine;
#elif CASE == 6
vm<config{.max_regions = 4}> machine;
#elif CASE == 7
// Only verify makes a verified_program.
verified_program<rules{}, helper_set<>> made{program{}, nullptr, 0};
#elif CASE == 8
// A program that is refused does not compile where it is required to be verified.
constexpr bool verified = [] {
    constexpr instruction text_[]{instruction::make(0xb7, 10), instruction::make(0x95)};
    std::array<std::uint8_t, 2> scratch{};
    return vm<>::verify({text_, {}, {}, {}}, scratch).has_value();
}();
static_assert(verified, "the program is refused");
#elif CASE == 9
auto verify_it() { return vm<config{.max_call_depth = 61}>::verify({}, {}); }
#endif
#if CASE <= 4 && CASE != 0
constexpr auto use_it = set::prototypes;
#endif
