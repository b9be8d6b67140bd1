// SPDX-License-Identifier: Apache-2.0
// Correctly signed manifests that the profile refuses: each with its error and stage.
#include "../unit/catch.hpp"
#include "author.hpp"

using namespace test;

namespace {

error refusal(const raw& envelope, device target = {}, const raw& allowed = first_hook,
              bytes key = ed25519_key, bytes key_id = {}) {
    static crypto_backends backends;
    const std::vector<bytes> ids{first_hook, second_hook}, rights{allowed};
    target.ids = ids;
    const trust_anchor anchors[]{{key_type::ed25519, key, key_id, rights}};
    const auto plan = prepare_update(backends.both, anchors, {vendor, device_class, {}}, target,
                                     envelope);
    return plan.has_value() ? error{} : plan.error();
}

template <class Change>
void refused(errc code, stage where, Change change) {
    parts changed;
    change(changed);
    const auto why = refusal(changed.envelope());
    CAPTURE(static_cast<int>(why.code), why.pc, why.address);
    CHECK(why.code == code);
    CHECK(why.pc == static_cast<std::uint32_t>(where));
    CHECK(why.address < changed.envelope().size());
}

}  // namespace

TEST_CASE("update refusals: the unchanged envelope is accepted") {
    CHECK(refusal(parts{}.envelope()) == error{});
}

TEST_CASE("update refusals: rights, keys and limits") {
    const auto good = parts{}.envelope();
    CHECK(refusal(good, {}, second_hook).code == errc::update_not_authorised);
    CHECK(refusal(good, {}, second_hook).pc == static_cast<std::uint32_t>(stage::components));
    CHECK(refusal(good, {}, first_hook, first_hook).code == errc::update_unsupported_algorithm);
    CHECK(refusal(good, {}, first_hook, ed25519_seed).code == errc::update_bad_signature);
    CHECK(refusal(good, {.slot_size = 15}).code == errc::update_image_too_large);
    CHECK(refusal(raw(1025)) == error{errc::update_too_large, 1, 1025});
    parts with_id;
    with_id.header = raw{0xa2, 1, 0x32, 4, 0x41, 'a'};
    const raw right{'a'}, wrong{'b'};
    CHECK(refusal(with_id.envelope(), {}, first_hook, ed25519_key, right) == error{});
    CHECK(refusal(with_id.envelope(), {}, first_hook, ed25519_key, wrong).code ==
          errc::update_unknown_key);
    auto changed = good;
    changed[changed.size() - program.size() - 10] ^= 1;  // in the manifest's last bytes
    CHECK(refusal(changed).code == errc::update_manifest_digest);
}

TEST_CASE("update refusals: headers and payload of COSE") {
    const auto auth = errc::update_unsupported_auth;
    refused(auth, stage::wrapper, [](parts& p) { p.unprotected = {0xa1, 4, 0x41, 1}; });
    refused(auth, stage::wrapper, [](parts& p) { p.payload = {0x40}; });
    refused(auth, stage::wrapper, [](parts& p) { p.header = {0xa2, 1, 0x32, 2, 0x81, 1}; });
    refused(errc::update_unsupported_algorithm, stage::signature,
            [](parts& p) { p.header = {0xa1, 1, 0x28}; });  // ESP256, with an Ed25519 anchor
}

TEST_CASE("update refusals: members and components") {
    refused(errc::update_unsupported_version, stage::manifest, [](parts& p) { p.version = {2}; });
    for (const auto member : raw{5, 6})
        refused(errc::update_unsupported_element, stage::manifest, [&](parts& p) {
            p.extra = {member, 0x40};
            p.members = 6;
        });
    refused(errc::update_non_canonical, stage::manifest, [](parts& p) { p.number = {0x18, 5}; });
    refused(errc::update_unknown_component, stage::components,
            [](parts& p) { p.components = raw{0x81, 0x81, 0x41, 9}; });
    refused(errc::update_too_many_components, stage::components,
            [](parts& p) { p.components = {0x80}; });
}

TEST_CASE("update refusals: commands") {
    const auto code = [](errc why, raw install) {
        refused(why, stage::commands, [&](parts& p) { p.install = install; });
    };
    for (const auto other : raw{5, 6, 14, 15, 18, 22})
        code(errc::update_unsupported_command, {0x82, other, 15});
    code(errc::update_unsupported_command, {0x82, 0x18, 31, 15});
    code(errc::update_unsupported_command, {0x82, 0x18, 32, 15});
    code(errc::update_unsupported_command, {0x82, 0x20, 15});
    code(errc::update_bad_component_index, {0x82, 12, 1});
    code(errc::update_bad_component_index, {0x82, 12, 0xf5});
    code(errc::update_bad_parameter, {0x82, 3, 16});
    code(errc::update_bad_order, {0x82, 3, 15});
    code(errc::update_missing_parameter, {0x82, 21, 15});
    code(errc::update_malformed_cbor, {0x81, 3});
    code(errc::update_truncated, {});
    code(errc::update_missing_image_match, raw{0x84, 20, 0xa1, 21} + tstr("#p") + raw{21, 15});
    code(errc::update_bad_uri, raw{0x84, 20, 0xa1, 21} + tstr("#q") + raw{21, 15});
    code(errc::update_bad_uri, raw{0x84, 20, 0xa1, 21} + tstr("http://a") + raw{21, 15});
    code(errc::update_bad_uri, raw{0x82, 20, 0xa1, 21} + tstr(std::string(97, 'a')));
    code(errc::update_bad_order,
         raw{0x86, 20, 0xa1, 21} + tstr("#p") + raw{21, 15, 21, 15});
    code(errc::update_bad_parameter,
         raw{0x86, 20, 0xa1, 21} + tstr("#p") + raw{21, 15, 20, 0xa1, 14, 16});
    code(errc::update_too_complex, head(4, 66) + raw(66, 3));
    refused(errc::update_missing_image_match, stage::commands, [](parts& p) {
        p.validate = {};
        p.members = 4;
    });
}

TEST_CASE("update refusals: identifiers and parameters") {
    const auto shared = [](errc why, raw commands) {
        refused(why, stage::commands, [&](parts& p) { p.shared = commands; });
    };
    const parts good;
    shared(errc::update_missing_id_check, raw{0x82, 20} + good.ids);
    shared(errc::update_missing_id_check, raw{0x84, 20} + good.ids + raw{1, 15});
    shared(errc::update_missing_parameter, {0x82, 1, 15});
    shared(errc::update_vendor_mismatch, raw{0x84, 20, 0xa1, 1} + bstr(first_hook) + raw{1, 15});
    shared(errc::update_class_mismatch, raw{0x84, 20, 0xa1, 2} + bstr(first_hook) + raw{2, 15});
    shared(errc::update_device_mismatch,
           raw{0x84, 20, 0xa1, 0x18, 24} + bstr(first_hook) + raw{0x18, 24, 15});
    shared(errc::update_bad_parameter, {0x82, 20, 0xa1, 1, 0x41, 1});
    shared(errc::update_bad_parameter, {0x82, 20, 0xa1, 1, 0xd8, 112, 0x41, 1});
    shared(errc::update_unsupported_algorithm,
           raw{0x82, 20, 0xa1, 3} + bstr(raw{0x82, 0x38, 42, 0x40}));
    shared(errc::update_image_too_large, {0x82, 20, 0xa1, 14, 0});
    shared(errc::update_unsupported_parameter, {0x82, 20, 0xa1, 13, 0xf5});
    refused(errc::update_size_mismatch, stage::commands, [](parts& p) {
        p.ids.back() = 15;
        p.shared = raw{0x86, 20} + p.ids + raw{1, 15, 2, 15};
    });
}
