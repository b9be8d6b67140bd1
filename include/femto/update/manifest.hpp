// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/envelope.hpp>

namespace femto::update {

/// The members of a SUIT manifest (draft-ietf-suit-manifest-37, section 8.4), its sequences not
/// looked at yet. A member that is absent has no data and offset 0.
struct manifest {
    std::uint64_t sequence_number = 0;
    std::size_t sequence_offset = 0;
    region components{};  ///< begins with the array of component identifiers
    region shared{};
    region install{};
    region validate{};
    region invoke{};
};

namespace detail {

/// The member of the envelope with this name, no data if there is none. No member of the manifest is
/// severed, so the envelope has no business carrying one.
constexpr bytes find_payload(const authenticated& envelope, bytes name, error& first) {
    bytes found;
    cbor_reader others{envelope.others, first};
    for (auto left = envelope.other_count; left > 0; --left) {
        bytes key;
        if (others.peek() == cbor_type::text) key = others.string(cbor_type::text).data;
        else if (others.small(cbor_type::uint) != 23) others.refuse(errc::update_severed_element);
        const auto value = others.byte_string().data;
        if (!key.empty() && same(key, name)) found = value;
    }
    return found;
}

constexpr void read_manifest(const authenticated& envelope, manifest& found, error& first) {
    constexpr auto wrong = errc::update_bad_envelope, unknown = errc::update_unsupported_element;
    cbor_reader reader{envelope.manifest, first, static_cast<std::uint32_t>(stage::manifest)};
    const auto count = reader.map();
    reader.expect(1, wrong);
    reader.expect(1, errc::update_unsupported_version);
    reader.expect(2, wrong);
    found.sequence_offset = reader.offset();
    found.sequence_number = reader.uint();

    reader.expect(3, wrong);
    auto common = reader.embedded();
    const auto parts = common.map();
    common.expect(2, unknown);
    found.components = common.rest();
    for (auto left = common.array(); left > 0; --left)
        for (auto ids = common.array(); ids > 0; --ids) common.byte_string();
    if (parts > 1) {
        common.expect(4, unknown);
        found.shared = common.byte_string();
        if (parts > 2) common.refuse(unknown);
    }
    common.end();

    cbor_map members{reader, count - 3};
    for (std::uint32_t key; (key = members.next()) != cbor_map::none;) {
        const auto type = reader.peek();
        if (type == cbor_type::array && (key == 20 || key == 23)) {
            // Of a text nobody misses more than the digest.
            if (key == 20) reader.refuse(errc::update_severed_element);
            read_digest(reader, wrong);
            continue;
        }
        if (key == 4) reader.string(cbor_type::text);
        else if (key == 7) found.validate = reader.byte_string();
        else if (key == 9) found.invoke = reader.byte_string();
        else if (key == 20) found.install = reader.byte_string();
        else if (key == 23) reader.byte_string();
        else reader.refuse(unknown);
    }
    reader.end();
    find_payload(envelope, {}, first);
}

}  // namespace detail

/// Takes an authenticated manifest apart. Errors: update_unsupported_version,
/// update_unsupported_element (with the member's offset), update_severed_element,
/// update_bad_envelope if version, sequence number or components are missing, and the reader's.
[[nodiscard]] constexpr result<manifest> read_manifest(const authenticated& envelope) {
    error first;
    manifest found;
    detail::read_manifest(envelope, found, first);
    if (first.code != errc::ok) return failure{first};
    return found;
}

}  // namespace femto::update
