// SPDX-License-Identifier: Apache-2.0
// Other people's envelopes and signatures, each with its expected result.
#include "../unit/catch.hpp"
#include "support.hpp"

using namespace test;

namespace {

constexpr limits wide{.components = 2, .legacy_algorithms = true};
constexpr limits one{.legacy_algorithms = true};

template <limits Limits = wide>
result<update_plan<Limits.components>> prepare(const std::string& name, device target) {
    static crypto_backends backends;
    const auto draft = name.rfind("self-fc", 0) != 0;
    const std::vector<bytes> ids{draft_component, draft_second, first_hook};
    target.ids = ids;
    const trust_anchor anchors[]{{key_type::p256, p256_key, {}, ids},
                                 {key_type::ed25519, ed25519_key, {}, ids}};
    static std::vector<raw> kept;  // plans refer to the envelope
    kept.push_back(vector_of(name));
    return prepare_update<Limits>(
        backends.both, anchors,
        draft ? device_identity{draft_vendor, draft_class, {}}
              : device_identity{vendor, device_class, {}},
        target, kept.back());
}

template <limits Limits = wide>
error refusal(const std::string& name, device target = {}) {
    const auto plan = prepare<Limits>(name, target);
    return plan.has_value() ? error{} : plan.error();
}

std::uint32_t number(stage s) { return static_cast<std::uint32_t>(s); }
std::string text(bytes b) { return {b.begin(), b.end()}; }

}  // namespace

TEST_CASE("update vectors: the draft's examples are authenticated by either algorithm") {
    for (const std::string name : {"d37-ex0", "libcsuit-esp256-exp0", "self-ed25519-alg8-ex0",
                                   "self-ed25519-alg19-ex0"}) {
        CAPTURE(name);
        const auto plan = prepare(name, {});
        REQUIRE(plan.has_value());
        CHECK(plan->sequence_number == 0);
        CHECK_FALSE(plan->components[0].fetch);
        CHECK(plan->components[0].validated);
        CHECK(plan->components[0].invoked);
    }
    for (const std::string name : {"d37-ex1", "libcsuit-esp256-exp1", "self-ed25519-alg8-ex1",
                                   "self-ed25519-alg19-ex1"}) {
        CAPTURE(name);
        const auto plan = prepare(name, {.scheme = "http://"});
        REQUIRE(plan.has_value());
        CHECK(plan->components[0].size == 34768);
        CHECK(text(plan->components[0].uri) == "http://example.com/file.bin");
        CHECK(refusal(name).code == errc::update_bad_uri);
        CHECK(refusal(name).pc == number(stage::commands));
    }
}

TEST_CASE("update vectors: without the old algorithm numbers, only those of RFC 9864") {
    constexpr limits strict{};
    CHECK(refusal<strict>("libcsuit-esp256-exp0") == error{});
    CHECK(refusal<strict>("self-ed25519-alg19-ex0") == error{});
    CHECK(refusal<strict>("d37-ex0").code == errc::update_unsupported_algorithm);
    CHECK(refusal<strict>("self-ed25519-alg8-ex0").code == errc::update_unsupported_algorithm);
}

TEST_CASE("update vectors: what the profile leaves out of the draft is refused by name") {
    for (const std::string origin : {"d37-ex", "libcsuit-esp256-exp"}) {
        const auto check = [&](const std::string& name, errc code, stage where) {
            CAPTURE(name);
            CHECK(refusal(name).code == code);
            CHECK(refusal(name).pc == number(where));
        };
        const bool draft = origin == "d37-ex";
        check(origin + (draft ? "2" : "2A"), errc::update_severed_element, stage::manifest);
        check(draft ? "d37-ex2-severed" : "libcsuit-esp256-exp2B", errc::update_severed_element,
              stage::manifest);
        check(origin + "3", errc::update_unsupported_command, stage::commands);
        check(origin + "4", errc::update_unsupported_element, stage::manifest);
        CHECK(refusal<one>(origin + "5").code == errc::update_too_many_components);
        CHECK(refusal<one>(origin + "5").pc == number(stage::components));
    }
    CHECK(refusal("libcsuit-hmac-expAW-unsupported").code == errc::update_unsupported_auth);
    CHECK(refusal("libcsuit-write-expS0-unsupported-ext").code ==
          errc::update_unsupported_element);
    CHECK(refusal("riot-d09-seq1-signed") ==
          error{errc::update_bad_envelope, number(stage::envelope), 0});
    CHECK(refusal("riot-d09-seq1-unsigned").code == errc::update_bad_envelope);
    for (const std::string name : {"d37-ex0", "d37-ex1", "d37-ex2-severed", "d37-ex3",
                                   "d37-ex4", "d37-ex5"}) {
        CAPTURE(name);
        CHECK(refusal(name + "-unsigned").code == errc::update_unsigned);
        CHECK(refusal(name + "-unsigned").pc == number(stage::wrapper));
    }
}

TEST_CASE("update vectors: two components of which the manifest validates both") {
    CHECK(refusal("d37-ex5", {.slot_size = 76834, .scheme = "http://"}) == error{});
    CHECK(refusal("d37-ex5", {.slot_size = 76833, .scheme = "http://"}).code ==
          errc::update_image_too_large);
}

TEST_CASE("update vectors: a container for a hook, by URI and within the envelope") {
    const auto remote = prepare<limits{}>("self-fc-seq1-coap", {});
    REQUIRE(remote.has_value());
    CHECK(remote->sequence_number == 1);
    CHECK(remote->components[0].component == 2);
    CHECK(remote->components[0].size == 16);
    CHECK(text(remote->components[0].uri) == "coap://[2001:db8::1]/fc/p");
    const auto inside = prepare<limits{}>("self-fc-seq2-integrated", {});
    REQUIRE(inside.has_value());
    CHECK(inside->sequence_number == 2);
    CHECK(same(inside->components[0].payload, vector_of("riot-d09-payload")));
}

TEST_CASE("update vectors: the floor decides about lower, equal and higher sequence numbers") {
    const auto plan = prepare("self-fc-seq2-integrated", {});
    REQUIRE(plan.has_value());
    update_floor floor{2, plan->manifest_digest, true, true};
    const std::string name = "self-fc-seq2-integrated";
    CHECK(refusal(name, {.known = floor}).code == errc::update_already_current);
    floor.current = false;
    CHECK(refusal(name, {.known = floor}) == error{});
    floor.manifest_digest[0] ^= 1;
    CHECK(refusal(name, {.known = floor}).code == errc::update_sequence_conflict);
    floor.sequence_number = UINT64_MAX;
    CHECK(refusal(name, {.known = floor}).code == errc::update_rollback);
    floor.sequence_number = 1;
    CHECK(refusal(name, {.known = floor}) == error{});
    CHECK(refusal(name, {.floor_fails = true}).code == errc::update_storage);
    CHECK(refusal(name, {.floor_fails = true}).pc == number(stage::sequence));
}

TEST_CASE("update vectors: Wycheproof's signatures, through both backends") {
    crypto_backends backends;
    for (const auto type : {key_type::p256, key_type::ed25519}) {
        auto file = open_vector(type == key_type::p256 ? "wycheproof-p256-sha256-p1363.tsv"
                                                       : "wycheproof-ed25519.tsv");
        unsigned rows = 0;
        for (std::string line; std::getline(file, line);) {
            if (line.empty() || line[0] == '#') continue;
            std::vector<std::string> fields;
            std::stringstream row{line};
            for (std::string field; std::getline(row, field, '\t');) fields.push_back(field);
            REQUIRE(fields.size() >= 5);
            const auto key = from_hex(fields[2]), message = from_hex(fields[3]),
                       signed_by = from_hex(fields[4]);
            const bool fits = key.size() == key_size(type) && signed_by.size() == 64;
            CAPTURE(fields[0]);
            CHECK((fits && backends.both.verify(type, key, message,
                                                signature_bytes{signed_by.data(), 64})) ==
                  (fields[1] == "valid"));
            ++rows;
        }
        CHECK(rows == (type == key_type::p256 ? 262 : 151));
    }
}

TEST_CASE("update vectors: no cut and no flipped bit of an envelope is accepted") {
    crypto_backends backends;
    const auto whole = vector_of("self-fc-seq2-integrated");
    const std::vector<bytes> ids{first_hook};
    const trust_anchor anchors[]{{key_type::ed25519, ed25519_key, {}, ids}};
    device target{.ids = ids};
    const auto accepts = [&](bytes envelope) {
        return prepare_update(backends.both, anchors, {vendor, device_class, {}}, target, envelope)
            .has_value();
    };
    CHECK(accepts(whole));
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK_FALSE(accepts(raw(whole.begin(), whole.begin() + static_cast<long>(size))));
    auto longer = whole;
    longer.push_back(0);
    CHECK_FALSE(accepts(longer));
    // The payload follows the manifest and is checked by its digest after it was staged.
    const auto payload_at = whole.size() - 16;
    for (std::size_t bit = 0; bit < payload_at * 8; ++bit) {
        auto changed = whole;
        changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ 1u << bit % 8);
        CAPTURE(bit);
        CHECK_FALSE(accepts(changed));
    }
}

TEST_CASE("update vectors: COSE's own examples verify, and none has the form that SUIT asks for") {
    crypto_backends backends;
    auto file = open_vector("cose-wg-sign1.tsv");
    unsigned rows = 0, verified = 0;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::vector<std::string> fields;
        std::stringstream row{line};
        for (std::string field; std::getline(row, field, '\t');) fields.push_back(field);
        REQUIRE(fields.size() == 8);
        CAPTURE(fields[0]);
        const auto message = from_hex(fields[7]), to_be_signed = from_hex(fields[6]);
        // Payloads are attached and key ids unprotected; one algorithm is a text, one is unprotected.
        error first;
        cbor_reader reader{{message, 0}, first, number(stage::wrapper)};
        read_sign1(reader);
        CHECK(first.code == (fields[0] == "sign1-tests/sign-fail-04.json" ? errc::update_malformed_cbor
                             : fields[0] == "sign1-tests/sign-pass-01.json"
                                 ? errc::update_truncated
                                 : errc::update_unsupported_auth));
        CHECK(first.address < 16);
        if (fields[1] == "pass") {
            const bool p256 = fields[2] == "P-256";
            raw key = from_hex(fields[3] + fields[4]);
            if (p256) key.insert(key.begin(), 4);
            const signature_bytes signed_by{message.data() + message.size() - 64, 64};
            CHECK(backends.both.verify(p256 ? key_type::p256 : key_type::ed25519, key, to_be_signed,
                                       signed_by));
            ++verified;
        }
        ++rows;
    }
    CHECK(rows == 11);
    CHECK(verified == 5);
}
