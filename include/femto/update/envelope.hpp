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
    std::uint32_t other_count = 0;
    sha256_digest manifest_digest{};
    const trust_anchor* anchor = nullptr;
};

/// A SUIT_Digest: [-16, 32 bytes], SHA-256. `otherwise` is the error for another shape; another
/// algorithm is update_unsupported_algorithm. The 32 bytes, null after an error.
constexpr const std::uint8_t* read_digest(cbor_reader& reader, errc otherwise) {
    reader.expect(0x82, otherwise);
    reader.expect(0x2f, errc::update_unsupported_algorithm);
    reader.expect(0x2058, otherwise);
    return reader.take(32);
}

namespace detail {

/// The stages before the manifest is read. `first` gets the error.
template <class Crypto>
struct authentication {
    const limits& bounds;
    error first{};
    authenticated out{};
    region wrapper{}, blocks{};
    bytes payload{}, signed_bytes{};
    std::uint32_t block_count = 0;

    constexpr void run(Crypto& backend, std::span<const trust_anchor> anchors, bytes envelope) {
        read_frame(envelope);
        enter(stage::wrapper);
        read_wrapper();
        if (!failed()) signature(backend, anchors);
    }
    [[nodiscard]] constexpr bool failed() const { return first.code != errc::ok; }
    constexpr void enter(stage s) {
        if (!failed()) first.pc = static_cast<std::uint32_t>(s);
    }

    /// Members and their heads; nothing in them is read.
    constexpr void read_frame(bytes envelope) {
        constexpr auto wrong = errc::update_bad_envelope;
        enter(stage::envelope);
        cbor_reader outer{{envelope, 0}, first};
        if (envelope.size() > bounds.envelope) outer.refuse(errc::update_too_large, envelope.size());
        outer.expect(0x6bd8, wrong);  // tag 107
        const auto count = outer.map();
        outer.expect(2, wrong);
        wrapper = outer.byte_string();
        outer.expect(3, wrong);
        const auto at = outer.offset();
        out.manifest = outer.byte_string();
        signed_bytes = outer.since(at).data;
        out.others = outer.rest();
        out.other_count = count - 2;
        cbor_map others{outer, out.other_count};
        for (std::uint32_t key; (key = others.next()) != cbor_map::none;) {
            if (key != cbor_map::text && key != 16 && key != 20 && key != 23) outer.refuse(wrong);
            outer.byte_string();
        }
        outer.end();
    }

    /// The digest, then the signatures, which are read before any is verified.
    constexpr void read_wrapper() {
        cbor_reader list{wrapper, first};
        const auto count = list.array();
        if (count > bounds.signatures + 1) list.refuse(errc::update_too_complex);
        const auto named = list.byte_string();
        payload = named.data;
        cbor_reader inner{named, first};
        const auto* const digest = read_digest(inner, errc::update_bad_envelope);
        inner.end();
        if (count < 2) list.refuse(errc::update_unsigned);
        blocks = list.rest();
        for (; block_count + 1 < count; ++block_count) {
            auto block = list.embedded();
            read_sign1(block);
            block.end();
        }
        list.end();
        if (failed()) return;
        enter(stage::digest);
        first.address = named.offset;
        typename Crypto::hash hash;
        if (!hash.update(signed_bytes) || !hash.finish(out.manifest_digest))
            list.refuse(errc::update_crypto);
        else if (!same({digest, 32}, out.manifest_digest))
            list.refuse(errc::update_manifest_digest);
    }

    /// The first block that verifies decides; otherwise the first refusal is reported.
    constexpr void signature(Crypto& backend, std::span<const trust_anchor> anchors) {
        cbor_reader list{blocks, first};
        enter(stage::signature);
        error refused;
        for (; block_count > 0; --block_count) {
            auto block = list.embedded();
            const auto sign1 = read_sign1(block);
            auto why = errc::update_unsupported_algorithm;
            for (const auto& anchor : anchors) {
                if (!fits(anchor, sign1.algorithm)) continue;
                if (!sign1.key_id.empty() && !anchor.key_id.empty() &&
                    !same(sign1.key_id, anchor.key_id)) {
                    if (why == errc::update_unsupported_algorithm) why = errc::update_unknown_key;
                    continue;
                }
                const signed_message message{sign1.protected_header, payload};
                why = errc::update_bad_signature;
                if (backend.verify(anchor.type, anchor.key, message.get(),
                                   signature_bytes{sign1.signed_by.data(), 64})) {
                    out.anchor = &anchor;
                    return;
                }
            }
            if (refused.code == errc::ok) refused = {why, first.pc, sign1.offset};
        }
        first = refused;
    }
    constexpr bool fits(const trust_anchor& anchor, std::int32_t algorithm) const {
        return Crypto::supports(anchor.type) && anchor.key.size() == key_size(anchor.type) &&
               is_algorithm_of(anchor.type, algorithm, bounds.legacy_algorithms);
    }
};

}  // namespace detail

/// Authenticates a SUIT envelope (draft-ietf-suit-manifest-37, section 8.3): framing, digest of
/// the manifest, signature, in this order; of the manifest only the digest is computed. The other
/// members are walked by their heads.
/// Time: one SHA-256 of the manifest, and at most `bounds.signatures` times the anchors that fit
/// verifications. Errors: see `errc`, update_too_large to update_manifest_digest.
template <crypto Crypto>
[[nodiscard]] result<authenticated> authenticate(Crypto& backend,
                                                 std::span<const trust_anchor> anchors,
                                                 bytes envelope, const limits& bounds = {}) {
    detail::authentication<Crypto> steps{bounds};
    steps.run(backend, anchors, envelope);
    if (steps.failed()) return failure{steps.first};
    return steps.out;
}

}  // namespace femto::update
