// SPDX-License-Identifier: Apache-2.0
// Slots on a simulated NOR flash that can lose power at any byte.
#include "catch.hpp"

#include "../../ports/host/simulated_flash.hpp"

#include <vector>

using namespace femto;
using namespace femto::update;

namespace {

using raw = std::vector<std::uint8_t>;

using nor_flash = port::host::simulated_flash<256 * 4>;
using slots = component_slots<nor_flash, sha256, 200>;
static_assert(slots::storage_size == 1024);

sha256_digest digest_of(const raw& data) {
    sha256 hash;
    sha256_digest out{};
    hash.update(data);
    hash.finish(out);
    return out;
}

raw image(unsigned version) {
    raw out(90 + version);
    for (std::size_t n = 0; n < out.size(); ++n) out[n] = static_cast<std::uint8_t>(n * 7 + version);
    return out;
}

errc install(slots& target, unsigned version) {
    const auto data = image(version);
    if (const auto r = target.begin(data.size()); !r.has_value()) return r.error().code;
    for (std::size_t at = 0; at < data.size(); at += 13) {
        const auto piece = bytes{data}.subspan(at, std::min<std::size_t>(13, data.size() - at));
        if (const auto r = target.write_chunk(at, piece); !r.has_value()) return r.error().code;
    }
    if (const auto r = target.finish(digest_of(data)); !r.has_value()) return r.error().code;
    const auto r = target.commit(version, digest_of({static_cast<std::uint8_t>(version)}));
    return r.has_value() ? errc::ok : r.error().code;
}

/// The version that runs after a restart, read back byte by byte; 0 for none.
unsigned running(nor_flash& flash, unsigned highest) {
    slots restarted{flash};
    const auto record = restarted.boot();
    if (!record.has_value() || record->active == slot_record::none) return 0;
    raw data(record->images[record->active].size);
    if (!restarted.read(record->active, 0, data)) return 0;
    for (unsigned version = 1; version <= highest; ++version)
        if (data == image(version)) return version;
    return 0;
}

}  // namespace

TEST_CASE("update slots: power lost at any byte leaves the old or the new version, and the floor") {
    nor_flash flash;
    REQUIRE(slots{flash}.format().has_value());
    // Enough updates that both record blocks, of two records each, are erased in some of them.
    for (unsigned version = 1; version <= 6; ++version) {
        const auto before = flash;
        bool complete = false;
        std::uint64_t cuts = 0;
        for (std::uint64_t after = 1; !complete; ++after) {
            flash = before;
            flash.cut_after(after);
            slots updating{flash};
            complete = install(updating, version) == errc::ok;
            flash.restore_power();
            const auto now = running(flash, version);
            const auto floor = slots{flash}.load();
            CAPTURE(version, after);
            REQUIRE(floor.has_value());
            REQUIRE((now == version || (!complete && now == version - 1)));
            REQUIRE(floor->sequence_number == now);
            // The update can be applied again.
            if (!complete && after % 16 == 0) {
                slots again{flash};
                REQUIRE(install(again, version) == errc::ok);
                REQUIRE(running(flash, version) == version);
            }
            REQUIRE_FALSE(flash.misused());
            ++cuts;
        }
        CHECK(cuts > 350);
    }
}

TEST_CASE("update slots: power lost at any byte of confirm and revert keeps a version running") {
    nor_flash flash;
    REQUIRE(slots{flash}.format().has_value());
    slots first{flash};
    REQUIRE(install(first, 1) == errc::ok);
    REQUIRE(first.confirm().has_value());
    REQUIRE(install(first, 2) == errc::ok);
    const auto before = flash;
    for (const bool back : {false, true}) {
        bool complete = false;
        for (std::uint64_t after = 1; !complete; ++after) {
            flash = before;
            flash.cut_after(after);
            slots target{flash};
            complete = back ? target.revert().has_value() : target.confirm().has_value();
            flash.restore_power();
            const auto now = running(flash, 2);
            CHECK((now == 2 || (back && now == 1)));
            CHECK(slots{flash}.load()->sequence_number == 2);
        }
        CHECK(running(flash, 2) == (back ? 1 : 2));
        CHECK(slots{flash}.floor()->current == !back);
    }
}

TEST_CASE("update slots: chunks that do not follow, too many bytes and other images are refused") {
    nor_flash flash;
    slots target{flash};
    const auto code = [](const auto& r) { return r.has_value() ? error{} : r.error(); };
    const raw data = image(1);
    CHECK(code(target.load()) == error{errc::update_storage, 12, 0});
    REQUIRE(target.format().has_value());
    CHECK(code(target.write_chunk(0, data)) == error{errc::update_fetch_failed, 9, 0});
    CHECK(code(target.begin(0)) == error{errc::update_image_too_large, 9, 0});
    CHECK(code(target.begin(201)) == error{errc::update_image_too_large, 9, 201});
    REQUIRE(target.begin(data.size()).has_value());
    CHECK(code(target.begin(5)) == error{errc::update_busy, 9, 0});
    CHECK(code(target.write_chunk(1, data)) == error{errc::update_fetch_failed, 9, 1});
    REQUIRE(target.write_chunk(0, bytes{data}.first(10)).has_value());
    CHECK(code(target.write_chunk(0, bytes{data}.first(10))) ==
          error{errc::update_fetch_failed, 9, 0});
    CHECK(code(target.write_chunk(10, data)) == error{errc::update_size_mismatch, 9, 10});
    CHECK(code(target.finish(digest_of(data))) == error{errc::update_size_mismatch, 10, 10});
    REQUIRE(target.write_chunk(10, bytes{data}.subspan(10)).has_value());
    CHECK(code(target.finish({})) == error{errc::update_digest_mismatch, 10, 0});
    CHECK(code(target.commit(1, {})) == error{errc::update_fetch_failed, 12, 0});
    CHECK(running(flash, 1) == 0);
}

TEST_CASE("update slots: the floor is compared again at commit, and a changed image never runs") {
    nor_flash flash;
    slots target{flash};
    REQUIRE(target.format().has_value());
    REQUIRE(install(target, 5) == errc::ok);
    CHECK(install(target, 4) == errc::update_rollback);
    CHECK(running(flash, 5) == 5);
    CHECK(install(target, 5) == errc::ok);
    const auto active = target.boot()->active;
    const auto at = 512u + active * 256u;
    flash.content()[at] ^= 1;
    CHECK(running(flash, 5) == 0);
    CHECK_FALSE(target.floor()->current);
    CHECK(target.floor()->sequence_number == 5);
}

namespace {
/// A backend that fails in one of its steps.
template <bool Updates>
struct failing_hash {
    bool update(bytes) { return Updates; }
    bool finish(sha256_digest&) { return false; }
};
template <class Hash>
error error_of_finish() {
    nor_flash flash;
    component_slots<nor_flash, Hash, 200> target{flash};
    REQUIRE(target.format().has_value());
    const auto data = image(1);
    REQUIRE(target.begin(data.size()).has_value());
    REQUIRE(target.write_chunk(0, data).has_value());
    const auto finished = target.finish(sha256_digest{});
    REQUIRE(!finished.has_value());
    return finished.error();
}
}  // namespace

TEST_CASE("update slots: a hash that fails is an error of its own, not a wrong digest") {
    const error expected{errc::update_crypto, static_cast<std::uint32_t>(stage::image), 0};
    CHECK(error_of_finish<failing_hash<true>>() == expected);
    CHECK(error_of_finish<failing_hash<false>>() == expected);
}
