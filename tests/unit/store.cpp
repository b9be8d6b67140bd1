// SPDX-License-Identifier: Apache-2.0
// Stores: missing keys, scopes, quotas, addition, the guard, snapshots.
#include "catch.hpp"

#include <femto/store.hpp>

#include <algorithm>
#include <vector>

using namespace femto;

namespace {

struct counting_guard {
    counting_guard() { deepest = std::max(deepest, ++depth), ++entered; }
    ~counting_guard() { --depth; }
    static inline int depth = 0;
    static inline int deepest = 0;
    static inline int entered = 0;
};

/// The archetype of `store_storage`.
struct page {
    std::vector<std::byte> bytes = std::vector<std::byte>(256);
    bool write(std::size_t at, std::span<const std::byte> from) {
        if (at + from.size() > bytes.size()) return false;
        std::ranges::copy(from, bytes.begin() + static_cast<std::ptrdiff_t>(at));
        return true;
    }
    bool read(std::size_t at, std::span<std::byte> to) {
        if (at + to.size() > bytes.size()) return false;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
        return true;
    }
};
static_assert(store_storage<page>);
static_assert(sizeof(store_pool<24>) == 288);

constexpr store_scope global{store_kind::global, 0};
constexpr store_scope local(std::uint8_t n) { return {store_kind::local, n}; }

constexpr std::uint32_t at_compile_time() {
    store_pool<2> pool;
    static_cast<void>(pool.store(global, {}, 7, 40));
    static_cast<void>(pool.add(global, {}, 7, 2));
    return pool.fetch(global, 7);
}
static_assert(at_compile_time() == 42);

}  // namespace

TEST_CASE("store: a missing key reads 0 and scopes do not meet") {
    store_pool<4> pool;
    CHECK(pool.fetch(global, 1) == 0);
    REQUIRE(pool.store(global, {}, 1, 11).has_value());
    REQUIRE(pool.store(local(0), {}, 1, 22).has_value());
    REQUIRE(pool.store(local(1), {}, 1, 33).has_value());
    CHECK(pool.fetch(global, 1) == 11);
    CHECK(pool.fetch(local(0), 1) == 22);
    CHECK(pool.fetch(local(1), 1) == 33);
    CHECK(pool.fetch({store_kind::tenant, 0}, 1) == 0);
    pool.erase(local(0));
    CHECK(pool.fetch(local(0), 1) == 0);
    CHECK(pool.fetch(local(1), 1) == 33);
}

TEST_CASE("store: full, with the key, and 0 frees an entry") {
    store_pool<2> pool;
    REQUIRE(pool.store(global, {}, 1, 1).has_value());
    REQUIRE(pool.store(global, {}, 2, 2).has_value());
    const auto full = pool.store(global, {}, 3, 3);
    CHECK(full.error() == error{errc::store_full, 0, 3});
    CHECK(pool.store(global, {}, 3, 0).has_value());  // needs no entry
    REQUIRE(pool.store(global, {}, 2, 5).has_value());  // there is one already
    REQUIRE(pool.store(global, {}, 1, 0).has_value());
    CHECK(pool.store(global, {}, 3, 3).has_value());
    CHECK(pool.fetch(global, 1) == 0);
}

TEST_CASE("store: a tenant's quota counts all its stores and nobody else's") {
    store_pool<8> pool;
    const store_account a{1, 2};
    const store_account b{2, 3};
    REQUIRE(pool.store(global, a, 1, 1).has_value());
    REQUIRE(pool.store(local(4), a, 1, 1).has_value());
    CHECK(pool.store(global, a, 9, 1).error() == error{errc::store_quota, 0, 9});
    CHECK(pool.add(local(4), a, 10, 1).error() == error{errc::store_quota, 0, 10});
    CHECK(pool.fetch(global, 9) == 0);
    CHECK(pool.store(global, b, 9, 1).has_value());
    CHECK(pool.used_by(1) == 2);
    CHECK(pool.used_by(2) == 1);
    // a changes b's entry of the global store without paying for it
    CHECK(pool.store(global, a, 9, 4).has_value());
    CHECK(pool.used_by(1) == 2);
}

TEST_CASE("store: add returns what was there and wraps around") {
    store_pool<2> pool;
    CHECK(*pool.add(global, {}, 1, 0xffffffff) == 0);
    CHECK(*pool.add(global, {}, 1, 3) == 0xffffffff);
    CHECK(pool.fetch(global, 1) == 2);
}

TEST_CASE("store: every operation is one critical section") {
    store_pool<4, counting_guard> pool;
    counting_guard::entered = 0;
    static_cast<void>(pool.store(global, {}, 1, 1));
    static_cast<void>(pool.add(global, {}, 1, 1));
    static_cast<void>(pool.fetch(global, 1));
    static_cast<void>(pool.used_by(0));
    pool.erase(global);
    CHECK(counting_guard::entered == 5);
    CHECK(counting_guard::depth == 0);
    CHECK(counting_guard::deepest == 1);
}

TEST_CASE("store: a snapshot keeps tenant and global entries with their payers") {
    store_pool<4> pool;
    page flash;
    REQUIRE(pool.store(global, {3}, 1, 10).has_value());
    REQUIRE(pool.store({store_kind::tenant, 3}, {3}, 2, 20).has_value());
    REQUIRE(pool.store(local(1), {3}, 3, 30).has_value());
    REQUIRE(save(pool, flash));
    store_pool<4> after;
    REQUIRE(restore(after, flash).has_value());
    CHECK(after.fetch(global, 1) == 10);
    CHECK(after.fetch({store_kind::tenant, 3}, 2) == 20);
    CHECK(after.fetch(local(1), 3) == 0);
    CHECK(after.used_by(3) == 2);
}

TEST_CASE("store: a damaged snapshot is refused whole, with the place") {
    store_pool<4> pool;
    page flash;
    REQUIRE(pool.store(global, {1}, 1, 10).has_value());
    REQUIRE(pool.store(global, {1}, 2, 20).has_value());
    REQUIRE(save(pool, flash));
    for (std::size_t at = 0; at < 36; ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            page damaged = flash;
            damaged.bytes[at] ^= std::byte{static_cast<unsigned char>(1u << bit)};
            store_pool<4> after;
            CHECK(restore(after, damaged).error().code == errc::store_corrupt);
            CHECK(after.used_by(1) == 0);
        }
    }
    page few = flash;
    few.bytes.resize(30);
    store_pool<4> after;
    CHECK(restore(after, few).error() == error{errc::store_corrupt, 0, 24});
    page blank;
    CHECK(restore(after, blank).error() == error{errc::store_corrupt, 0, 0});
    store_pool<1> small;
    CHECK(restore(small, flash).error() == error{errc::store_corrupt, 0, 4});
    page tiny;
    tiny.bytes.resize(20);
    CHECK(!save(pool, tiny));
}
