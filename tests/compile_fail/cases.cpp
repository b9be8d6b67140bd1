// SPDX-License-Identifier: Apache-2.0
// One mistake for each CASE; CMakeLists.txt says what the compiler must print.
#include <femto/vm.hpp>

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
verified_program<rules{}, helper_set<>> made{{}, program{}, nullptr, 0};
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
#elif CASE == 10
struct not_plain {
    not_plain(const not_plain&) {}
};
guest_ref<not_plain>* reference = nullptr;
std::uint64_t size = sizeof(*reference);
#elif CASE == 11
template <std::uint32_t... Ids>
auto many(std::integer_sequence<std::uint32_t, Ids...>)
    -> helper_set<helper<Ids, "nothing", &nothing>...>;
using set = decltype(many(std::make_integer_sequence<std::uint32_t, 65>{}));
constexpr auto use_it = set::prototypes;
#elif CASE == 12
struct not_trivial {
    not_trivial(const not_trivial&) {}
};
result<not_trivial>* made = nullptr;
std::uint64_t size = sizeof(*made);
#elif CASE >= 13 && CASE <= 15
#include <femto/engine.hpp>
struct device {
    using guard = no_critical_section;
    store_pool<4, guard> stores;
};
struct no_device {};
#if CASE == 13
using unit = engine<no_device, helper_set<>>;
#elif CASE == 14
using unit = engine<device, helper_set<>, engine_config{.lanes = 0}>;
#else
using unit = engine<device, helper_set<>, engine_config{.tenants = 33}>;
#endif
std::uint64_t size = sizeof(unit);
#elif CASE == 16
#include <femto/hook.hpp>
struct with_destructor {
    ~with_destructor() {}
};
std::uint64_t size = sizeof(hook<int, with_destructor>);
#elif CASE == 17
#include <femto/critical_section.hpp>
std::uint64_t size = sizeof(shared_word<no_critical_section>);
#elif CASE == 18
void flag(guest_ref<bool>) {}
using set = helper_set<helper<1, "flag", &flag>>;
constexpr auto use_it = set::prototypes;
std::uint64_t size = sizeof(guest_ref<bool>);
#elif CASE == 19
#include <femto/hook.hpp>
struct with_padding {
    std::uint8_t small;
    std::uint64_t large;
};
std::uint64_t size = sizeof(hook<int, with_padding>);
#elif CASE == 20
enum color { red };
void paint(color) {}
using set = helper_set<helper<1, "paint", &paint>>;
constexpr auto use_it = set::prototypes;
#elif CASE == 21
#include <femto/c/arguments.hpp>
void print(const char*) {}
using set = helper_set<helper<1, "print", &print>>;
constexpr auto use_it = set::prototypes;
#elif CASE == 22
#include <femto/update/updater.hpp>
struct no_hash {
    bool update(update::bytes) { return true; }
    bool finish(update::sha256_digest&) { return true; }
};
struct no_crypto {
    using hash = no_hash;
    static bool supports(update::key_type) { return false; }
    bool verify(update::key_type, update::bytes, update::bytes, update::signature_bytes) { return false; }
};
std::uint64_t size = sizeof(update::updater<update::limits{}, no_crypto>);
#elif CASE == 23
auto verify_it() { return vm<config{.max_instructions = 0x80000001}>::verify({}, {}); }
#endif
#if CASE <= 4 && CASE != 0
constexpr auto use_it = set::prototypes;
#elif CASE == 24
vm<config{.max_region_size = 256}> machine;
#elif CASE == 25
vm<config{.max_region_size = 0x80000000}> machine;
#endif
