// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/cose.hpp>
#include <femto/update/stage.hpp>
#include <femto/update/trust.hpp>

namespace femto::update {

/// What an update may cost. Everything beyond is refused.
struct limits {
    std::size_t envelope = 1024;  ///< bytes, with integrated payloads
    std::size_t components = 1;   ///< of one manifest; the processor keeps about 150 bytes for each
    std::size_t signatures = 2;   ///< authentication blocks, each costs a verification
    std::size_t uri = 96;         ///< bytes
    std::size_t commands = 32;    ///< of one sequence
    bool legacy_algorithms = false;  ///< also ES256 (-7) and EdDSA (-8)
};

/// An envelope whose manifest was signed by an anchor. Refers to the envelope's bytes, which must
/// not change as long as this is used.
struct authenticated {
    region manifest{};   ///< content of member 3, not looked at yet
    region others{};     ///< the members that follow it: severed members and payloads
    std::size_t other_count = 0;
    sha256_digest manifest_digest{};
    const trust_anchor* anchor = nullptr;
};

/// Authenticates a SUIT envelope (draft-ietf-suit-manifest-37, section 8.3): framing, digest of
/// the manifest, signature, in this order; of the manifest only the digest is computed. The other
/// members are walked by their heads.
/// Time: one SHA-256 of the manifest, and at most `bounds.signatures` times the anchors that fit
/// verifications. Errors: see `errc`, update_too_large to update_manifest_digest.
template <crypto Crypto>
[[nodiscard]] result<authenticated> authenticate(Crypto& backend,
                                                 std::span<const trust_anchor> anchors,
                                                 bytes envelope, const limits& bounds = {}) {
    const auto number = [](stage s) { return static_cast<std::uint32_t>(s); };
    if (envelope.size() > bounds.envelope)
        return fail(errc::update_too_large, number(stage::envelope), envelope.size());

    // The frame.
    error first;
    authenticated found;
    cbor_reader outer{{envelope, 0}, first, number(stage::envelope)};
    if (outer.peek() != cbor_type::tag || outer.tag() != 107)
        outer.refuse(errc::update_bad_envelope, 0);
    const auto members = outer.map();
    cbor_reader::key_order order;
    region wrapper, manifest_with_head;
    for (std::size_t n = 0; n < members && !outer.failed(); ++n) {
        const auto key_at = outer.offset();
        if (n == 2) {
            found.others = {envelope.subspan(key_at), key_at};
            found.other_count = members - 2;
        }
        const bool is_text = outer.peek() == cbor_type::text;
        const auto key = is_text ? (outer.text(), 0) : outer.uint();
        const bool expected = n == 0   ? key == 2
                              : n == 1 ? key == 3
                                       : is_text || key == 16 || key == 20 || key == 23;
        if (!expected) outer.refuse(errc::update_bad_envelope, key_at);
        order.done(outer, key_at);
        const auto value_at = outer.offset();
        const auto value = outer.byte_string();
        if (n == 0) wrapper = value;
        if (n == 1) {
            found.manifest = value;
            manifest_with_head = outer.since(value_at);
        }
    }
    if (members < 2) outer.refuse(errc::update_bad_envelope);
    outer.end();

    // The wrapper: the digest, then the signatures. All are read before any is verified.
    cbor_reader list{wrapper, first, number(stage::wrapper)};
    const auto blocks = list.array();
    if (blocks > bounds.signatures + 1) list.refuse(errc::update_too_complex, wrapper.offset);
    const auto payload = list.byte_string();
    cbor_reader named{payload, first, number(stage::wrapper)};
    if (named.array() != 2) named.refuse(errc::update_bad_envelope, payload.offset);
    if (named.integer() != -16) named.refuse(errc::update_unsupported_algorithm, payload.offset);
    const auto expected_digest = named.byte_string();
    named.end();
    if (expected_digest.data.size() != 32)
        named.refuse(errc::update_bad_envelope, payload.offset);
    if (blocks < 2) list.refuse(errc::update_unsigned, wrapper.offset);
    const auto first_block = list.offset();
    for (std::size_t n = 1; n < blocks && !list.failed(); ++n) {
        auto block = list.embedded();
        read_sign1(block);
        block.end();
    }
    list.end();
    if (list.failed()) return failure{first};

    typename Crypto::hash hash;
    if (!hash.update(manifest_with_head.data) || !hash.finish(found.manifest_digest))
        return fail(errc::update_crypto, number(stage::digest), manifest_with_head.offset);
    if (!same(found.manifest_digest, expected_digest.data))
        return fail(errc::update_manifest_digest, number(stage::digest), expected_digest.offset);

    // The first block that verifies decides; otherwise the first refusal is reported.
    cbor_reader again{{envelope.subspan(first_block, wrapper.offset + wrapper.data.size() -
                                                         first_block),
                       first_block},
                      first, number(stage::signature)};
    error refused;
    for (std::size_t n = 1; n < blocks; ++n) {
        auto block = again.embedded();
        const auto sign1 = read_sign1(block);
        const auto wanted = key_of(sign1.algorithm, bounds.legacy_algorithms);
        auto why = errc::update_unsupported_algorithm;
        for (const auto& anchor : anchors) {
            if (!wanted.known || anchor.type != wanted.type || !Crypto::supports(anchor.type) ||
                anchor.key.size() != key_size(anchor.type))
                continue;
            if (why == errc::update_unsupported_algorithm) why = errc::update_unknown_key;
            if (!sign1.key_id.empty() && !anchor.key_id.empty() &&
                !same(sign1.key_id, anchor.key_id))
                continue;
            why = errc::update_bad_signature;
            const signed_message message{sign1.protected_header, payload.data};
            if (backend.verify(anchor.type, anchor.key, message.get(),
                               signature_bytes{sign1.signed_by.data(), 64})) {
                found.anchor = &anchor;
                return found;
            }
        }
        if (refused == error{}) refused = {why, number(stage::signature), sign1.offset};
    }
    return failure{refused};
}

}  // namespace femto::update
