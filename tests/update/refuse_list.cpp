// SPDX-License-Identifier: Apache-2.0
// What the profile refuses of SUIT and COSE, item by item: the error, the stage and the offset.
#include "../unit/catch.hpp"
#include "author.hpp"

using namespace test;

namespace {

error verdict(const raw& envelope) {
    static crypto_backends backends;
    const std::vector<bytes> ids{first_hook, second_hook};
    device target{.ids = ids};
    const trust_anchor anchors[]{{key_type::ed25519, ed25519_key, {}, ids}};
    const auto plan = prepare_update(backends.both, anchors, {vendor, device_class, {}}, target,
                                     envelope);
    return plan.has_value() ? error{} : plan.error();
}

std::size_t offset_of(const raw& part, const raw& envelope) {
    const auto at = std::search(envelope.begin(), envelope.end(), part.begin(), part.end());
    REQUIRE(at != envelope.end());
    return static_cast<std::size_t>(at - envelope.begin());
}

/// The envelope is refused so, `skip` bytes after the beginning of `part`.
void refused(const raw& envelope, errc code, stage where, const raw& part, std::size_t skip = 0) {
    const auto why = verdict(envelope);
    CAPTURE(static_cast<int>(why.code), why.pc, why.address);
    CHECK(why == error{code, static_cast<std::uint32_t>(where), offset_of(part, envelope) + skip});
}

raw replaced(raw in, const raw& part, const raw& by) {
    const auto at = in.begin() + static_cast<long>(offset_of(part, in));
    return raw(in.begin(), at) + by + raw(at + static_cast<long>(part.size()), in.end());
}

template <class Change>
raw with(Change change) {
    parts made;
    change(made);
    return made.envelope();
}

const raw good = parts{}.envelope();
const auto frame = stage::envelope;
const auto bad = errc::update_bad_envelope;

}  // namespace

TEST_CASE("update refuse list: the frame") {
    REQUIRE(verdict(good) == error{});
    const raw untagged(good.begin() + 2, good.end());
    refused(untagged, bad, frame, untagged);
    refused(replaced(good, {0xd8, 107}, {0xd8, 108}), bad, frame, {0xd8, 108});
    refused(replaced(good, {0xd8, 107}, {0xd9, 0, 107}), bad, frame, {0xd9});
    refused(good + raw{0}, errc::update_malformed_cbor, frame, good, good.size());
    refused(replaced(good, {107, 0xa3}, {107, 0xb8, 3}), errc::update_non_canonical, frame, {0xb8, 3});
    refused(replaced(good, {107, 0xa3}, {107, 0xbf}) + raw{0xff}, errc::update_non_canonical, frame,
            {0xbf, 2});
    refused(replaced(good, {107, 0xa3, 2}, {107, 0xa3, 3}), bad, frame, {3, 0x58});
    refused(replaced(good, {107, 0xa3, 2}, {107, 0xa3, 1}), bad, frame, {1, 0x58});  // delegation
    refused(replaced(good, {107, 0xa3}, {107, 0xa1}), errc::update_truncated, frame,
            {0xd8, 107, 0xa1}, good.size());
    refused(raw{0xd8, 107, 0xa0}, errc::update_truncated, frame, {0xa0}, 1);
    const auto images = [](const raw& members, unsigned count) {
        return with([&](parts& p) { p.images = members, p.image_count = count; });
    };
    const auto image = bstr(program);
    refused(images(tstr("#p") + image + tstr("#p") + image, 2), errc::update_non_canonical, frame,
            image + tstr("#p"), image.size());
    refused(images(tstr("#q") + image + tstr("#p") + image, 2), errc::update_non_canonical, frame,
            tstr("#p") + image);
    refused(images(tstr("#a") + image + tstr("#") + image, 2), errc::update_non_canonical, frame,
            tstr("#") + image);
    refused(images(raw{4} + image, 1), bad, frame, raw{4} + image);
    refused(images(raw{0x20} + image, 1), errc::update_malformed_cbor, frame, raw{0x20} + image);
    refused(images(tstr("#p") + raw{0xf6}, 1), errc::update_malformed_cbor, frame,
            tstr("#p") + raw{0xf6}, 3);
    // A severed member is walked over here, and refused when its manifest is known.
    for (const auto key : raw{16, 20})
        refused(images(raw{key} + image, 1), errc::update_severed_element, stage::manifest,
                raw{key} + image);
    CHECK(verdict(images(raw{23} + image + tstr("#p") + image, 2)) == error{});
}

TEST_CASE("update refuse list: authentication") {
    const auto where = stage::wrapper;
    const auto auth = errc::update_unsupported_auth;
    // Sign, Mac, Mac0, Encrypt0, none at all
    for (const auto& tag : {raw{0xd8, 98}, raw{0xd8, 97}, raw{0xd1}, raw{0xd0}, raw{}})
        refused(with([&](parts& p) { p.tag = tag; }), auth, where, tag + raw{0x84, 0x43, 0xa1});
    refused(with([](parts& p) { p.payload = {0x41, 1}; }), auth, where, {0xa0, 0x41, 1});
    refused(with([](parts& p) { p.unprotected = {0xa1, 4, 0x41, 1}; }), auth, where, {0xa1, 4, 0x41});
    refused(with([](parts& p) { p.header = {0xa0}; }), errc::update_truncated, where, {0x84, 0x41, 0xa0}, 3);
    refused(with([](parts& p) { p.header = {0xa2, 1, 0x32, 2, 0x81, 1}; }), auth, where,
            {2, 0x81, 1});  // crit
    refused(with([](parts& p) { p.header = {0xa2, 1, 0x32, 4, 0x40}; }), auth, where, {0x40, 0xa0, 0xf6});
    refused(with([](parts& p) { p.header = raw{0xa2, 1, 0x32, 4} + bstr(raw(17, 7)); }), auth, where,
            bstr(raw(17, 7)));
    refused(with([](parts& p) { p.header = raw{0xa1, 1, 0x32} + raw(21, 0); }), auth, where,
            raw{0x58, 0x18, 0xa1});
    refused(with([](parts& p) { p.header = {0xa1, 1, 0x38, 6}; }), errc::update_non_canonical, where,
            {0x38, 6});
    const auto unsigned_one = raw{0xd8, 107, 0xa2, 2} + bstr(raw{0x81} + bstr(suit_digest({0xa0}))) +
                              raw{3} + bstr({0xa0});
    refused(unsigned_one, errc::update_unsigned, where, {0x82, 0x2f}, 2);
    refused(replaced(unsigned_one, {0x82, 0x2f}, {0x82, 0x31}), errc::update_unsupported_algorithm,
            where, {0x31});
    refused(replaced(unsigned_one, {0x82, 0x2f}, {0x81, 0x2f}), bad, where, {0x81, 0x2f});
}

TEST_CASE("update refuse list: members of the manifest") {
    const auto where = stage::manifest;
    const auto unknown = errc::update_unsupported_element;
    for (const auto key : raw{5, 6})
        refused(with([&](parts& p) { p.extra = {key, 0x41, 0xee}, p.members = 6; }), unknown, where,
                {key, 0x41, 0xee});
    for (const auto key : raw{8, 10, 16, 17, 19})  // load and payload-fetch among them
        refused(with([&](parts& p) { p.late = {key, 0x41, 0xee}, p.members = 6; }), unknown, where,
                {key, 0x41, 0xee});
    refused(with([](parts& p) { p.extra = {7, 0x41, 0xee}, p.members = 6; }),
            errc::update_non_canonical, where, raw{7} + bstr({0x82, 3, 15}));
    refused(with([](parts& p) { p.late = {7, 0x41, 0xee}, p.members = 6; }),
            errc::update_non_canonical, where, {7, 0x41, 0xee});
    const auto severed = raw{20} + suit_digest(program);
    refused(with([&](parts& p) { p.installs = false, p.late = severed; }),
            errc::update_severed_element, where, severed);
    refused(with([](parts& p) { p.version = {2}; }), errc::update_unsupported_version, where,
            {0xa5, 1, 2}, 2);
    refused(with([](parts& p) { p.number = {0x61, '5'}; }), errc::update_malformed_cbor, where,
            {2, 0x61, '5'}, 1);
    refused(with([](parts& p) { p.number = {0x3a, 0, 1, 0, 0}; }), errc::update_malformed_cbor, where,
            {0x3a, 0, 1});
    refused(with([](parts& p) { p.members = 6; }), errc::update_truncated, where, tstr("#p") + bstr(program));
    CHECK(verdict(with([](parts& p) {
              p.extra = raw{4} + tstr("https://example.com/m");
              p.members = 6;
          })) == error{});
}

TEST_CASE("update refuse list: commands, at the command or its argument") {
    const auto where = stage::commands;
    const auto in_install = [&](const raw& commands, errc code, std::size_t skip) {
        const auto all = head(4, 2) + commands;
        refused(with([&](parts& p) { p.install = all; }), code, where, raw{20} + bstr(all),
                2 + skip + (all.size() > 23 ? 1 : 0));
    };
    const auto unsupported = errc::update_unsupported_command;
    // component-slot, check-content, abort, try-each, write, copy, invoke, swap, run-sequence, wait, custom
    for (const auto& code : {raw{5}, raw{6}, raw{14}, raw{15}, raw{18}, raw{22}, raw{23}, raw{0x18, 31},
                             raw{0x18, 32}, raw{0x18, 29}, raw{0x39, 1, 0}})
        in_install(code + raw{15}, unsupported, 1);
    for (const auto& index : {raw{0xf5}, raw{0x81, 0}, raw{1}, raw{0x20}})
        in_install(raw{12} + index, errc::update_bad_component_index, 2);
    in_install({3, 16}, errc::update_bad_parameter, 2);
    in_install({3, 0xf5}, errc::update_malformed_cbor, 2);
    in_install({21, 15}, errc::update_missing_parameter, 2);
    for (const auto& key : {raw{5}, raw{12}, raw{13}, raw{18}, raw{22}, raw{23}, raw{0x18, 25}})
        in_install(raw{20, 0xa1} + key + raw{0xf5}, errc::update_unsupported_parameter, 3);
    in_install({20, 0xa1, 1, 0xd8, 112, 0x41, 1}, errc::update_bad_parameter, 4);  // PEN
    in_install({20, 0xa1, 14, 0x41, 1}, errc::update_bad_parameter, 3);
    in_install({20, 0xa2, 2, 0x41, 1, 1, 0x41, 1}, errc::update_bad_parameter, 4);
    in_install({20, 0xa1, 14, 0x1a, 0, 1, 0, 1}, errc::update_image_too_large, 4);
    in_install(raw{20, 0xa1, 21} + tstr("coap://\xc3\xa4"), errc::update_bad_uri, 4);
    for (const std::string uri : {"http://example.com/a", "https://example.com/a", "#q"}) {
        const auto all = raw{0x84, 20, 0xa1, 21} + tstr(uri) + raw{21, 15};
        refused(with([&](parts& p) { p.install = all; }), errc::update_bad_uri, where,
                all, all.size() - 1);
    }
    // Fetching belongs to install, identifiers to shared and validate.
    for (const auto code : raw{3, 21, 23})
        refused(with([&](parts& p) { p.shared = {0x82, code, 15}; }), unsupported, where,
                raw{0x43, 0x82, code, 15}, 2);
    for (const auto code : raw{20, 21, 23})
        refused(with([&](parts& p) { p.validate = {0x82, code, 15}; }), unsupported, where,
                raw{0x43, 0x82, code, 15}, 2);
}

TEST_CASE("update refuse list: every cut of each signed part, with the right signature") {
    // The same as cutting the envelope, but past the signature: the shorter part is signed.
    const parts whole;
    for (const auto part : {&parts::shared, &parts::install, &parts::validate, &parts::components})
        for (std::size_t size = 0; size < (whole.*part).size(); ++size)
            CHECK(verdict(with([&](parts& p) { (p.*part).resize(size); })).code != errc::ok);
}

TEST_CASE("update refuse list: every flipped bit of the signed parts is refused or harmless") {
    const parts whole;
    unsigned harmless = 0;
    for (const auto part : {&parts::shared, &parts::install, &parts::validate, &parts::components})
        for (std::size_t bit = 0; bit < 8 * (whole.*part).size(); ++bit) {
            const auto why = verdict(with([&](parts& p) {
                auto& byte = (p.*part)[bit / 8];
                byte = static_cast<std::uint8_t>(byte ^ 1u << bit % 8);
            }));
            harmless += why.code == errc::ok;
        }
    // What nobody looks at: the reporting policies, and the digest, which the image will not match.
    CHECK(harmless == 5 * 4 + 32 * 8);
}
