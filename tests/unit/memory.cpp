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

constexpr bool is_taken_back_alone() {
    std::array<std::byte, 8> bytes{};
    guest_memory<address_space::segmented, region_number::first_free + 3> m;
    const auto first = *m.map(std::span{bytes}, permission::read);
    const auto second = *m.map(std::span{bytes}, permission::read);
    m.unmap(first + 1);  // not where one begins
    m.unmap(segmented_address(region_number::first_free + 2));
    if (m.readable_from(first) != 8 || m.readable_from(second) != 8) return false;
    m.unmap(first);
    if (m.readable_from(first) != 0 || m.readable_from(second) != 8) return false;
    if (*m.map(std::span{bytes}, permission::read) != first) return false;
    m.unmap(second);
    return m.readable_from(first) == 8 && m.readable_from(second) == 0;
}
/// What the host's byte order, or words, could hide.
constexpr bool is_little_endian() {
    const std::array bytes{std::byte{0x01}, std::byte{0x82}, std::byte{0x03}, std::byte{0x84},
                           std::byte{0x05}, std::byte{0x86}, std::byte{0x07}, std::byte{0x88}};
    std::array<std::byte, 8> stored{};
    store_little(stored.data(), std::uint64_t{0x8807860584038201});
    if (stored != bytes) return false;
    zero(stored);
    if (stored != std::array<std::byte, 8>{}) return false;
    store_little(stored.data(), std::uint16_t{0x8201});
    return load_little<std::uint64_t>(stored.data()) == 0x8201 &&
           load_little<std::uint64_t>(bytes.data()) == 0x8807860584038201 &&
           load_little<std::uint32_t>(bytes.data()) == 0x84038201 &&
           load_little<std::uint8_t>(bytes.data() + 7) == 0x88;
}

constexpr bool is_moved() {
    std::array<std::byte, 16> bytes{};
    memory m;
    m.set(region_number::context, std::span{bytes}.first(8), permission::read);
    m.rebase(region_number::context, &bytes[8]);
    const auto at = segmented_address(region_number::context);
    return m.find<false>(at, 8) == &bytes[8] && m.find<true>(at, 1) == nullptr && m.readable_from(at) == 8 &&
           m.behind(region_number::context) == bytes.data() + 16;
}

static_assert(is_given_out_once());
static_assert(is_moved());
static_assert(is_taken_back_alone());
static_assert(is_little_endian());
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
        CHECK(m.readable_from(at + 9) == 0);
        CHECK(m.readable_from(~std::uint64_t{0}) == 0);
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

TEST_CASE("memory: as large as regions may be, and one byte more") {
    std::array<std::byte, 9> bytes{};
    guest_memory<address_space::segmented, region_number::first_free + 2, 8> m;
    CHECK(m.try_set(region_number::context, std::span{bytes}.first(8), permission::read_write));
    CHECK(m.readable(region_number::context) == 8);
    CHECK(!m.try_set(region_number::context, bytes, permission::read_write));
    CHECK(m.readable(region_number::context) == 0);
    CHECK(m.map(std::span{bytes}, permission::read).error() == error{errc::region_too_large, 0, 9});
    CHECK(m.map(std::span{bytes}.first(8), permission::read).has_value());
}

TEST_CASE("memory: regions are as permitted, and empty before they are set") {
    std::array<std::byte, 8> bytes{};
    guest_memory<address_space::segmented, region_number::first_free + 1> m;
    for (std::uint32_t n = 0; n <= region_number::first_free; ++n) {
        CHECK(m.readable(n) == 0);
        CHECK(m.writable(n) == 0);
        CHECK(m.readable_from(segmented_address(n)) == 0);
    }
    const auto at = segmented_address(region_number::context);
    struct row {
        permission allowed;
        bool reads, writes;
    };
    for (const auto& [allowed, reads, writes] : {row{permission::none, false, false}, {permission::read, true, false},
                                                 {permission::write, false, true}, {permission::read_write, true, true}}) {
        m.set(region_number::context, bytes, allowed);
        CHECK(m.readable(region_number::context) == (reads ? 8u : 0u));
        CHECK(m.writable(region_number::context) == (writes ? 8u : 0u));
        CHECK((m.find<false>(at, 8) != nullptr) == reads);
        CHECK((m.find<true>(at, 8) != nullptr) == writes);
        CHECK((m.find(8, at, 0) != nullptr) == reads);
        CHECK((m.find(8, at, 1) != nullptr) == writes);
        CHECK(m.why_refused(at, 8) == (reads ? errc::illegal_write : errc::illegal_memory));
    }
    const auto empty = m.map(std::span<std::byte>{}, permission::read_write);
    CHECK(*empty == segmented_address(region_number::first_free));
    CHECK(m.readable(region_number::first_free) == 0);
    CHECK(!m.map(std::span{bytes}, permission::read).has_value());
}

TEST_CASE("memory: of neighbours in the flat space each has its own bytes") {
    std::array<std::byte, 8> bytes{};
    guest_memory<address_space::flat, region_number::first_free + 2> m;
    const auto all = std::span{bytes};
    const auto low = *m.map(all.first(4), permission::read);
    const auto high = *m.map(all.last(4), permission::read);
    CHECK(m.readable_from(low + 3) == 1);
    CHECK(m.readable_from(high) == 4);
    CHECK(m.find<false>(high, 4) == &bytes[4]);
    CHECK(m.find<false>(low + 3, 2) == nullptr);  // not across both
    CHECK(m.find(4, high, 0) == &bytes[4]);
    CHECK(m.find(2, low + 3, 0) == nullptr);
    CHECK(m.find<false>(low + (std::uint64_t{1} << 32), 1) == nullptr);
    m.unmap(low);
    CHECK(m.readable_from(low) == 0);
    CHECK(m.readable_from(high) == 4);
}
