// SPDX-License-Identifier: Apache-2.0
// An envelope from its bytes to the slot that runs.
#include "../unit/catch.hpp"
#include "support.hpp"

#include <femto/update/install.hpp>

using namespace test;

TEST_CASE("update install: from the envelope to the slot that runs, and back") {
    crypto_backends backends;
    const auto envelope = vector_of("self-fc-seq2-integrated");
    const std::vector<bytes> ids{hook};
    const trust_anchor anchors[]{{key_type::ed25519, ed25519_key, {}, ids}};
    using storage = ram_storage<1024>;
    using slots = component_slots<storage, psa_crypto::hash, 256>;
    static_assert(slots::storage_size == 1024 && slots::volatile_floor);
    storage memory;
    slots target{memory};
    REQUIRE(target.format().has_value());
    const auto prepared = [&] {
        device known{.ids = ids, .known = *target.floor()};
        return prepare_update(backends.both, anchors, {vendor, device_class, {}}, known, envelope);
    };
    const auto apply = [&](bytes image, bool accepted) {
        const auto plan = prepared();
        if (!plan.has_value()) return plan.error();
        const auto& one = plan->components[0];
        if (!target.begin(one.size).has_value() || !target.write_chunk(0, image).has_value())
            return error{errc::update_storage, 0, 0};
        const auto done = install(target, one, plan->sequence_number, plan->manifest_digest,
                                  [&](std::uint8_t) { return accepted; });
        return done.has_value() ? error{} : done.error();
    };
    auto image = vector_of("riot-d09-payload");
    CHECK(apply(image, false) == error{errc::update_program_rejected, 11, 0});
    CHECK_FALSE(target.floor()->installed);
    image[3] ^= 1;
    CHECK(apply(image, true) == error{errc::update_digest_mismatch, 10, 0});
    CHECK_FALSE(target.floor()->installed);
    image[3] ^= 1;
    CHECK(apply(image, true) == error{});
    const auto running = target.boot();
    REQUIRE(running->active != slot_record::none);
    raw read(image.size());
    REQUIRE(target.read(running->active, 0, read));
    CHECK(read == image);
    CHECK(prepared().error().code == errc::update_already_current);
    // It faults on trial: nothing was there before, so nothing runs, and the floor stays.
    REQUIRE(target.revert().has_value());
    CHECK(target.boot()->active == slot_record::none);
    CHECK(target.floor()->sequence_number == 2);
    CHECK(prepared().has_value());
}
