// SPDX-License-Identifier: Apache-2.0
// From the first chunk of an envelope to the container that runs, with a real engine, real programs
// and real signatures.
#include "../unit/catch.hpp"
#include "../unit/device.hpp"
#include "author.hpp"

#include <femto/update/blockwise.hpp>
#include <femto/update/hook_component.hpp>
#include <femto/update/ram_storage.hpp>
#include <femto/update/updater.hpp>

using namespace test;

namespace {

constexpr tenant_offer everyone[]{{}};
hook_declaration declare(const raw& id) {
    hook_declaration declared{{}, hook_policy::all, everyone};
    std::ranges::copy(id, declared.id.bytes.begin());
    return declared;
}

/// The image of a container for a hook, from its text.
raw image_of(std::vector<instruction> text, const raw& for_hook = first_hook) {
    uuid id;
    std::ranges::copy(for_hook, id.bytes.begin());
    const boxed made{std::move(text), id};
    const auto all = std::as_bytes(std::span{made.flash});
    const auto size = parse_image(all)->bytes().size();
    raw out(size);
    std::memcpy(out.data(), all.data(), size);
    return out;
}
raw returns(std::int32_t value, const raw& for_hook = first_hook) {
    return image_of({set(0, value), leave}, for_hook);
}
/// Reads what it was not given.
raw faults() { return image_of({set(1, 0), op(0x79, 0, 1), leave}); }

constexpr limits two{.components = 2};
constexpr std::string_view coap[]{"coap://"};

/// Power gone and back: what was in RAM is lost, the storage stays.
using storage = ram_storage<2048>;
using slots = component_slots<storage, sodium_crypto::hash, 512>;
struct flash {
    storage first, second;
    flash() {
        if (!slots{first}.format().has_value() || !slots{second}.format().has_value()) std::abort();
    }
};

struct device_with_updates {
    using hook_type = device_engine::hook<std::uint64_t>;
    using component = hook_component<device_engine, hook_type, slots>;

    explicit device_with_updates(flash& keeps) : first_slots{keeps.first}, second_slots{keeps.second} {
        static_cast<void>(first.start());
        static_cast<void>(second.start());
    }

    device_platform platform{};
    device_engine engine{platform};
    hook_declaration first_declared = declare(first_hook), second_declared = declare(second_hook);
    hook_type first_place{first_declared}, second_place{second_declared};
    slots first_slots, second_slots;
    component first{engine, first_place, first_slots, {.tenant = 1}};
    component second{engine, second_place, second_slots, {.tenant = 2}};
    crypto_backends backends{};
    std::vector<bytes> both{first_hook, second_hook}, only_second{second_hook};
    trust_anchor anchors[2]{{key_type::ed25519, ed25519_key, {}, both},
                            {key_type::p256, p256_key, {}, only_second}};
    update_policy policy{anchors, {vendor, device_class, {}}, coap};
    updater<two, decltype(backends.both), component, component> updates{backends.both, policy, first,
                                                                        second};

    /// The whole envelope in chunks of 64 bytes.
    error send(const raw& envelope, std::uint32_t sender = 1) {
        for (std::size_t at = 0;; at += 64) {
            const auto length = std::min<std::size_t>(64, envelope.size() - at);
            const bool more = at + length < envelope.size();
            const auto r = updates.envelope_chunk(sender, {at, bytes{envelope}.subspan(at, length), more});
            if (!r.has_value()) return r.error();
            if (!more) return {};
        }
    }
    /// What the container on the first hook returns; -1 if there is none.
    std::int64_t fire(hook_type& at) {
        std::uint64_t context = 0;
        const auto r = engine.fire(at, context);
        return r.ran == 0 ? -1 : r.value;
    }
    std::int64_t fire() { return fire(first_place); }
};

error at(errc code, stage where, std::uint64_t address = 0) {
    return {code, static_cast<std::uint32_t>(where), address};
}

}  // namespace

TEST_CASE("updater: envelopes with images install, replace and survive a restart") {
    flash keeps;
    {
        device_with_updates device{keeps};
        CHECK(device.fire() == -1);
        CHECK(device.send(envelope_for(1, {{first_hook, returns(11)}})) == error{});
        CHECK(device.fire() == 11);
        CHECK(device.send(envelope_for(2, {{first_hook, returns(22)}})) == error{});
        CHECK(device.fire() == 22);
        CHECK(device.fire(device.second_place) == -1);
        CHECK(device.first.status()->sequence_number == 2);
        CHECK(device.first.status()->on_trial);
        CHECK(device.updates.idle());
    }
    device_with_updates restarted{keeps};
    CHECK(restarted.fire() == 22);
    for (int n = 0; n < 3; ++n) restarted.fire();
    restarted.updates.poll(0);
    CHECK_FALSE(restarted.first.status()->on_trial);
    CHECK(restarted.send(envelope_for(2, {{first_hook, returns(22)}})).code ==
          errc::update_already_current);
    CHECK(restarted.send(envelope_for(1, {{first_hook, returns(11)}})).code == errc::update_rollback);
    CHECK(restarted.fire() == 22);
}

TEST_CASE("updater: an image is fetched in chunks, and fetching is resumed where it was interrupted") {
    flash keeps;
    device_with_updates device{keeps};
    const auto image = returns(33);
    const std::string uri = "coap://[2001:db8::1]/c";
    REQUIRE(device.send(envelope_for(1, {{first_hook, image, uri}})) == error{});
    const auto chunk = [&](std::size_t from, std::size_t size) {
        return update_chunk{from, bytes{image}.subspan(from, size), from + size < image.size()};
    };
    const auto code = [](const auto& r) { return r.has_value() ? error{} : r.error(); };
    REQUIRE(device.updates.wanted().has_value());
    const auto asked = device.updates.wanted()->uri;
    CHECK(std::string{asked.begin(), asked.end()} == uri);
    CHECK(device.updates.wanted()->size == image.size());
    CHECK(*device.updates.image_chunk(chunk(0, 16)) == update_progress::fetching);
    // Repeated, lost, reordered: nothing changes.
    CHECK(code(device.updates.image_chunk(chunk(0, 16))) == at(errc::update_fetch_failed, stage::fetch));
    CHECK(code(device.updates.image_chunk(chunk(32, 16))) ==
          at(errc::update_fetch_failed, stage::fetch, 32));
    CHECK(device.updates.wanted()->at == 16);
    CHECK(*device.updates.image_chunk(chunk(16, 16)) == update_progress::fetching);
    CHECK(device.fire() == -1);
    // The file was changed meanwhile: again from its beginning.
    REQUIRE(device.updates.restart_image().has_value());
    CHECK(device.updates.wanted()->at == 0);
    for (std::size_t from = 0; from + 16 < image.size(); from += 16)
        CHECK(*device.updates.image_chunk(chunk(from, 16)) == update_progress::fetching);
    const auto rest = device.updates.wanted()->at;
    CHECK(*device.updates.image_chunk(chunk(rest, image.size() - rest)) == update_progress::switched);
    CHECK(device.fire() == 33);
    CHECK_FALSE(device.updates.wanted().has_value());
    CHECK(code(device.updates.image_chunk(chunk(0, 16))) == at(errc::update_fetch_failed, stage::fetch));
}

TEST_CASE("updater: what fails before the commit leaves the container that runs") {
    flash keeps;
    device_with_updates device{keeps};
    REQUIRE(device.send(envelope_for(1, {{first_hook, returns(1)}})) == error{});
    const auto unchanged = [&] {
        CHECK(device.fire() == 1);
        CHECK(device.updates.idle());
        CHECK(device.first.status()->sequence_number == 1);
    };
    const auto rejected = at(errc::update_program_rejected, stage::program);
    SECTION("no image") {
        CHECK(device.send(envelope_for(2, {{first_hook, raw(48, 7)}})) == rejected);
        CHECK(device.updates.cause().code == errc::image_bad_magic);
        CHECK(device.updates.last_error() == rejected);
    }
    SECTION("a program that the verifier refuses") {
        CHECK(device.send(envelope_for(2, {{first_hook, image_of({set(0, 1)})}})) == rejected);
        CHECK(device.updates.cause() == error{errc::no_return, 0, 0});
    }
    SECTION("a container for another hook") {
        CHECK(device.send(envelope_for(2, {{first_hook, returns(2, second_hook)}})) == rejected);
        CHECK(device.updates.cause().code == errc::wrong_hook);
    }
    SECTION("a helper that does not exist") {
        CHECK(device.send(envelope_for(2, {{first_hook, image_of({call(999), leave})}})) == rejected);
        CHECK(device.updates.cause() == error{errc::illegal_call, 0, 999});
    }
    SECTION("an image that is not the one of the manifest") {
        auto envelope = envelope_for(2, {{first_hook, returns(2)}});
        envelope.back() ^= 1;
        CHECK(device.send(envelope) == at(errc::update_digest_mismatch, stage::image));
    }
    SECTION("an image that is too short or too long") {
        const auto image = returns(2);
        const auto envelope = envelope_for(2, {{first_hook, image, "coap://a/b"}});
        for (const std::size_t size : {image.size() - 1, image.size()}) {
            REQUIRE(device.send(envelope) == error{});
            const auto r = device.updates.image_chunk(
                {0, bytes{image}.first(size), size == image.size()});
            REQUIRE_FALSE(r.has_value());
            CHECK(r.error() == at(errc::update_size_mismatch, stage::fetch, size));
            unchanged();
        }
        REQUIRE(device.send(envelope) == error{});
        const auto longer = image + raw{0};
        CHECK(device.updates.image_chunk({0, longer, true}).error() ==
              at(errc::update_size_mismatch, stage::fetch, 0));
    }
    SECTION("a transport that gives up") {
        REQUIRE(device.send(envelope_for(2, {{first_hook, returns(2), "coap://a/b"}})) == error{});
        device.updates.abort();
        CHECK(device.updates.last_error() == at(errc::update_fetch_failed, stage::fetch));
    }
    unchanged();
    CHECK(device.send(envelope_for(2, {{first_hook, returns(2)}})) == error{});
    CHECK(device.fire() == 2);
}

TEST_CASE("updater: a container that faults on trial is replaced by the previous version") {
    flash keeps;
    device_with_updates device{keeps};
    REQUIRE(device.send(envelope_for(1, {{first_hook, returns(1)}})) == error{});
    for (int n = 0; n < 3; ++n) device.fire();
    device.updates.poll(0);
    REQUIRE_FALSE(device.first.status()->on_trial);
    REQUIRE(device.send(envelope_for(2, {{first_hook, faults()}})) == error{});
    CHECK(device.first.status()->on_trial);
    CHECK(device.fire() == -1);
    device.updates.poll(1);
    CHECK(device.fire() == 1);
    const auto status = device.first.status();
    CHECK(status->reverted);
    CHECK_FALSE(status->on_trial);
    CHECK(status->sequence_number == 2);  // the floor stays
    CHECK(status->trial_fault.code == errc::illegal_memory);
    CHECK(status->trial_fault.pc == 1);
    device_with_updates restarted{keeps};
    CHECK(restarted.fire() == 1);
    CHECK(restarted.first.status()->reverted);
    CHECK(restarted.send(envelope_for(1, {{first_hook, returns(1)}})).code == errc::update_rollback);
    CHECK(restarted.send(envelope_for(3, {{first_hook, returns(3)}})) == error{});
    CHECK(restarted.fire() == 3);
    CHECK_FALSE(restarted.first.status()->reverted);
}

TEST_CASE("updater: without a previous version the one that faults stays, and is reported") {
    flash keeps;
    device_with_updates device{keeps};
    REQUIRE(device.send(envelope_for(1, {{first_hook, faults()}})) == error{});
    device.fire();
    device.updates.poll(0);
    const auto status = device.first.status();
    CHECK(status->trial_fault.code == errc::illegal_memory);
    CHECK_FALSE(status->on_trial);
    CHECK_FALSE(status->reverted);
    CHECK(device.first.current()->statistics().faults == 1);
}

TEST_CASE("updater: two components are checked before the first is committed") {
    flash keeps;
    device_with_updates device{keeps};
    const auto both = [](unsigned sequence, const raw& first, const raw& second) {
        return envelope_for(sequence, {{first_hook, first}, {second_hook, second}});
    };
    REQUIRE(device.send(both(1, returns(1), returns(2, second_hook))) == error{});
    CHECK(device.fire() == 1);
    CHECK(device.fire(device.second_place) == 2);
    // The second one's program is bad: neither is replaced.
    CHECK(device.send(both(2, returns(3), returns(4))) ==
          at(errc::update_program_rejected, stage::program));
    CHECK(device.fire() == 1);
    CHECK(device.fire(device.second_place) == 2);
    // One of them has it already, as after a loss of power between the two commits.
    const auto envelope = both(3, returns(5), returns(6, second_hook));
    const auto digest = device.second.status()->manifest_digest;
    REQUIRE(device.send(envelope) == error{});
    CHECK(device.second.status()->manifest_digest != digest);
    CHECK(device.send(envelope).code == errc::update_already_current);
    CHECK(device.fire() == 5);
    CHECK(device.fire(device.second_place) == 6);
}

TEST_CASE("updater: one update at a time, and senders that are too slow lose it") {
    flash keeps;
    device_with_updates device{keeps};
    const auto envelope = envelope_for(1, {{first_hook, returns(1)}});
    const auto begin = [&](std::uint32_t sender) {
        const auto r = device.updates.envelope_chunk(sender, {0, bytes{envelope}.first(64), true});
        return r.has_value() ? error{} : r.error();
    };
    REQUIRE(begin(7) == error{});
    CHECK(begin(8) == at(errc::update_busy, stage::envelope));
    CHECK(device.updates.received() == 64);
    CHECK(begin(7) == error{});  // it began again
    device.updates.poll(60);
    CHECK(begin(8) == at(errc::update_busy, stage::envelope));
    device.updates.poll(61);
    CHECK(device.updates.last_error().code == errc::update_fetch_failed);
    CHECK(begin(8) == error{});
    device.updates.poll(1000);
    // An image that does not come.
    REQUIRE(device.send(envelope_for(1, {{first_hook, returns(1), "coap://a/b"}})) == error{});
    CHECK(device.send(envelope) == at(errc::update_busy, stage::envelope));
    device.updates.poll(1061);
    CHECK(device.updates.idle());
    CHECK(device.send(envelope) == error{});
    CHECK(device.fire() == 1);
    // Hostile offsets and lengths.
    const auto refusal = [&](const update_chunk& chunk) {
        return device.updates.envelope_chunk(1, chunk).error();
    };
    CHECK(refusal({UINT64_MAX, envelope, true}) == at(errc::update_fetch_failed, stage::envelope, UINT64_MAX));
    CHECK(refusal({0, raw(two.envelope + 1), true}) ==
          at(errc::update_too_large, stage::envelope, two.envelope + 1));
    CHECK(device.updates.idle());
    CHECK(device.send(raw{}) == at(errc::update_truncated, stage::envelope));
}

TEST_CASE("updater: an envelope that is pushed in blocks installs, and its last answer can be lost") {
    flash keeps;
    device_with_updates device{keeps};
    block_push push;
    constexpr std::uint8_t changed = 2 << 5 | 4, valid = 2 << 5 | 3, unauthorized = 4 << 5 | 1;
    const auto give = [&](const raw& envelope, std::uint32_t number) {
        const block_option place{number, false, 2};
        const auto rest = bytes{envelope}.subspan(place.offset());
        const block_option block{number, rest.size() > 64, 2};
        return push.on_block(device.updates, 1, block, envelope.size(),
                             rest.first(std::min<std::size_t>(64, rest.size())));
    };
    const auto send = [&](const raw& envelope) {
        const auto last = static_cast<std::uint32_t>((envelope.size() - 1) / 64);
        for (std::uint32_t number = 0; number < last; ++number) {
            CHECK(give(envelope, number).code == push_answer::go_on);
            CHECK(give(envelope, number).code == push_answer::go_on);  // each comes twice
        }
        const auto answer = give(envelope, last);
        const auto again = give(envelope, last);
        CHECK(answer.ended);
        CHECK(again.ended);
        CHECK(again.code == answer.code);
        CHECK(again.why == answer.why);
        return answer;
    };
    const auto good = envelope_for(1, {{first_hook, returns(11)}});
    CHECK(send(good).code == changed);
    CHECK(device.fire() == 11);
    const auto same = send(good);
    CHECK(same.code == valid);
    CHECK(same.why.code == errc::update_already_current);
    auto forged = envelope_for(2, {{first_hook, returns(22)}});
    const raw signature_head{0x58, 64};
    std::search(forged.begin(), forged.end(), signature_head.begin(), signature_head.end())[2] ^= 1;
    const auto refused = send(forged);
    CHECK(refused.code == unauthorized);
    CHECK(refused.why.code == errc::update_bad_signature);
    CHECK(refused.why.pc == static_cast<std::uint32_t>(stage::signature));
    CHECK(device.fire() == 11);
}

TEST_CASE("updater: a manifest without an image raises the floor if it names what runs") {
    flash keeps;
    device_with_updates device{keeps};
    REQUIRE(device.send(envelope_for(1, {{first_hook, returns(1)}})) == error{});
    const auto keeping = [](std::uint8_t number, const raw& image) {
        parts made;
        made.number = {number};
        made.ids = raw{0xa4, 1} + bstr(vendor) + raw{2} + bstr(device_class) + raw{3} +
                   bstr(suit_digest(image)) + raw{14} + head(0, image.size());
        made.shared = raw{0x86, 20} + made.ids + raw{1, 15, 2, 15};
        made.installs = false;
        made.images = {};
        made.image_count = 0;
        made.members = 4;
        return made.envelope();
    };
    CHECK(device.send(keeping(2, returns(2))) == at(errc::update_digest_mismatch, stage::image));
    CHECK(device.first.status()->sequence_number == 1);
    CHECK(device.send(keeping(2, returns(1))) == error{});
    CHECK(device.first.status()->sequence_number == 2);
    CHECK(device.fire() == 1);
}
