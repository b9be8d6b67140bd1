// SPDX-License-Identifier: Apache-2.0
// Envelopes that another author made: see peer.py.
#include "../unit/catch.hpp"
#include "support.hpp"

using namespace test;

TEST_CASE("update peer: envelopes made by cbor2 and cryptography are accepted") {
    const std::string into = FEMTO_UPDATE_PEER;
    REQUIRE(std::system(("/usr/bin/python3 " FEMTO_UPDATE_VECTORS "/../peer.py " + into).c_str()) ==
            0);
    crypto_backends backends;
    const std::vector<bytes> ids{first_hook};
    const trust_anchor anchors[]{{key_type::p256, p256_key, {}, ids},
                                 {key_type::ed25519, ed25519_key, {}, ids}};
    device target{.ids = ids};
    struct made {
        std::size_t size;
        std::uint64_t sequence;
    };
    for (const std::string algorithm : {"-9", "-19"})
        for (const auto& [size, sequence] :
             {made{8, 0}, {16, 23}, {24, 24}, {256, 1ull << 32}, {512, UINT64_MAX}}) {
            std::ifstream file{into + "/peer" + algorithm + "-" + std::to_string(size) + ".hex"};
            std::stringstream text;
            text << file.rdbuf();
            const auto envelope = from_hex(text.str());
            CAPTURE(algorithm, size);
            const auto plan = prepare_update(backends.both, anchors, {vendor, device_class, {}},
                                             target, envelope);
            REQUIRE(plan.has_value());
            CHECK(plan->sequence_number == sequence);
            CHECK(plan->components[0].payload.size() == size);
        }
}
