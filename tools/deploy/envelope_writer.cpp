// SPDX-License-Identifier: Apache-2.0
#include "envelope_writer.hpp"

#include "files.hpp"

#include <femto/update/cose.hpp>

namespace femto_tool {
namespace {

constexpr const char* integrated = "#image";
// Reporting policies as the draft's examples have them: conditions are reported always, directives
// on failure.
constexpr unsigned condition = 15, directive = 2;

/// A SUIT_Digest: [-16 (SHA-256), digest].
cbor_writer digest_item(std::span<const std::uint8_t> data) {
    cbor_writer out;
    out.array(2).integer(-16).byte_string(digest_of(data));
    return out;
}

cbor_writer manifest(const envelope_contents& c) {
    cbor_writer shared;
    shared.array(c.device ? 8 : 6).uint(20).map(c.device ? 5 : 4);
    shared.uint(1).byte_string(c.vendor.bytes).uint(2).byte_string(c.device_class.bytes);
    shared.uint(3).embed(digest_item(c.image)).uint(14).uint(c.image.size());
    if (c.device) shared.uint(24).byte_string(c.device->bytes);
    shared.uint(1).uint(condition).uint(2).uint(condition);
    if (c.device) shared.uint(24).uint(condition);

    cbor_writer common;
    common.map(2).uint(2).array(1).array(1).byte_string(c.hook.bytes).uint(4).embed(shared);
    cbor_writer validate, invoke, install;
    validate.array(2).uint(3).uint(condition);
    invoke.array(2).uint(23).uint(directive);
    install.array(6).uint(20).map(1).uint(21).text(c.uri.empty() ? integrated : c.uri);
    install.uint(21).uint(directive).uint(3).uint(condition);

    cbor_writer out;
    out.map(6).uint(1).uint(1).uint(2).uint(c.sequence).uint(3).embed(common);
    out.uint(7).embed(validate).uint(9).embed(invoke).uint(20).embed(install);
    return out;
}

}  // namespace

octets write_envelope(const envelope_contents& contents, femto::update::key_type type,
                      const std::function<signature(femto::update::bytes)>& sign) {
    cbor_writer member;  // the digest covers the byte string's head
    member.embed(manifest(contents));
    const auto named = digest_item(member.bytes());
    cbor_writer protected_header;
    protected_header.map(1).uint(1).integer(type == femto::update::key_type::p256 ? -9 : -19);
    const femto::update::signed_message message{protected_header.bytes(), named.bytes()};

    cbor_writer sign1;
    sign1.tag(18).array(4).embed(protected_header).map(0).null().byte_string(sign(message.get()));
    cbor_writer wrapper;
    wrapper.array(2).embed(named).embed(sign1);
    cbor_writer out;
    out.tag(107).map(contents.uri.empty() ? 3 : 2);
    out.uint(2).embed(wrapper).uint(3).raw(member.bytes());
    if (contents.uri.empty()) out.text(integrated).byte_string(contents.image);
    return out.bytes();
}

}  // namespace femto_tool
