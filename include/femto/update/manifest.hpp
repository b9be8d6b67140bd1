// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/envelope.hpp>

namespace femto::update {

/// The members of a SUIT manifest (draft-ietf-suit-manifest-37, section 8.4), its sequences not
/// looked at yet. A member that is absent has no data and offset 0.
struct manifest {
    std::uint64_t sequence_number = 0;
    std::size_t sequence_offset = 0;
    region components{};  ///< the array of component identifiers
    region shared{};
    region validate{};
    region install{};
    region invoke{};
};

/// Takes an authenticated manifest apart. Errors: update_unsupported_version,
/// update_unsupported_element (with the member's offset), update_severed_element,
/// update_bad_envelope if version, sequence number or components are missing, and the reader's.
[[nodiscard]] constexpr result<manifest> read_manifest(const authenticated& envelope) {
    error first;
    manifest found;
    cbor_reader reader{envelope.manifest, first, static_cast<std::uint32_t>(stage::manifest)};
    cbor_reader::key_order order;
    const auto members = reader.map();
    unsigned required = 0;
    for (std::size_t n = 0; n < members && !reader.failed(); ++n) {
        const auto key_at = reader.offset();
        const auto key = reader.uint();
        order.done(reader, key_at);
        const auto at = reader.offset();
        const bool digest_only = reader.peek() == cbor_type::array;
        if (n < 3 && key == n + 1) required |= 1u << n;
        switch (key) {
        case 1:
            if (reader.uint() != 1) reader.refuse(errc::update_unsupported_version, at);
            break;
        case 2:
            found.sequence_number = reader.uint();
            found.sequence_offset = at;
            break;
        case 3: {
            auto common = reader.embedded();
            cbor_reader::key_order inner;
            const auto parts = common.map();
            for (std::size_t part = 0; part < parts && !common.failed(); ++part) {
                const auto part_at = common.offset();
                const auto which = common.uint();
                inner.done(common, part_at);
                if (which == 2) {
                    const auto list_at = common.offset();
                    common.skip(2);
                    found.components = common.since(list_at);
                } else if (which == 4) {
                    found.shared = common.byte_string();
                } else {
                    common.refuse(errc::update_unsupported_element, part_at);
                }
            }
            common.end();
            break;
        }
        case 4: reader.text(); break;
        case 7: found.validate = reader.byte_string(); break;
        case 9: found.invoke = reader.byte_string(); break;
        case 20:
            if (digest_only) reader.refuse(errc::update_severed_element, key_at);
            found.install = reader.byte_string();
            break;
        case 23: reader.skip(1); break;
        default: reader.refuse(errc::update_unsupported_element, key_at); break;
        }
    }
    reader.end();
    if (required != 7 || found.components.data.empty())
        reader.refuse(errc::update_bad_envelope, envelope.manifest.offset);

    // No member is severed, so the envelope has no business carrying one.
    cbor_reader others{envelope.others, first, static_cast<std::uint32_t>(stage::manifest)};
    for (std::size_t n = 0; n < envelope.other_count && !others.failed(); ++n) {
        const auto at = others.offset();
        if (others.peek() == cbor_type::uint && others.uint() != 23)
            others.refuse(errc::update_severed_element, at);
        else if (others.peek() == cbor_type::text)
            others.text();
        others.byte_string();
    }
    if (reader.failed()) return failure{first};
    return found;
}

}  // namespace femto::update
