// SPDX-License-Identifier: Apache-2.0
// The edges of regions, decided by the compiler: reading beyond an array does not compile.
#include "catch.hpp"

#include <femto/memory.hpp>

using namespace femto;

namespace {

using memory = guest_memory<address_space::segmented, region_number::first_free + 1>;

constexpr bool is_given_out_once() {
    std::array<std::byte, 8> bytes{};
    memory m;
    const auto first = m.map(std::span{bytes}, permission::read_write);
    return first.has_value() && !m.map(std::span{bytes}, permission::read).has_value();
}
constexpr bool is_accessed_as_a_whole() {
    std::array<std::byte, 8> bytes{};
    memory m;
    const auto at = *m.map(std::span{bytes}, permission::read_write);
    return m.locate<false>(at, 8).granted && m.locate<true>(at, 8).granted &&
           m.find<true>(at, 8) == bytes.data() && !m.locate<true>(at, 9).granted &&
           !m.locate<false>(at + 1, 8).granted && m.locate<false>(at + 8, 0).granted;
}
constexpr bool has_no_region_behind_the_last() {
    memory m;
    const auto behind = segmented_address(region_number::first_free + 1);
    return m.readable_from(behind) == 0 && !m.locate<false>(behind, 0).granted && m.find<true>(behind, 1) == nullptr;
}

static_assert(is_given_out_once());
static_assert(is_accessed_as_a_whole());
static_assert(has_no_region_behind_the_last());

}  // namespace

TEST_CASE("memory: regions as large as an access, in both spaces") {
    const auto check = []<address_space Space>() {
        std::array<std::byte, 8> bytes{};
        guest_memory<Space, region_number::first_free + 2> m;
        const auto at = *m.map(std::span{bytes}, permission::read_write);
        CHECK(m.template locate<false>(at, 8).granted);
        CHECK(m.template locate<true>(at, 8).granted);
        CHECK(m.template find<true>(at, 8) == bytes.data());
        CHECK(!m.template locate<true>(at, 9).granted);
        CHECK(!m.template locate<false>(at + 1, 8).granted);
        CHECK(!m.template locate<false>(at - 1, 8).granted);
        CHECK(!m.template locate<false>(~std::uint64_t{0}, 1).granted);
        CHECK(m.readable_from(at + 7) == 1);
    };
    check.operator()<address_space::segmented>();
    check.operator()<address_space::flat>();
}

TEST_CASE("memory: null is a region without bytes") {
    const auto check = []<address_space Space>() {
        const guest_memory<Space, region_number::first_free + 1> m;
        CHECK(m.readable(region_number::null) == 0);
        CHECK(m.writable(region_number::null) == 0);
        CHECK(m.behind(region_number::null) == nullptr);
        CHECK(m.readable_from(0) == 0);
        CHECK(m.template find<false>(0, 1) == nullptr);
    };
    check.template operator()<address_space::segmented>();
    check.template operator()<address_space::flat>();
}
