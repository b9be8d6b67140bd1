// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/crypto.hpp>

namespace femto::update {

/// One COSE_Sign1 (RFC 9052 section 4.2) as SUIT uses it: tagged, its payload detached, its
/// unprotected header empty, protected header {1: algorithm, ?4: key id of up to 16 bytes}.
struct cose_sign1 {
    bytes protected_header{};  ///< as received, up to 23 bytes
    std::int64_t algorithm = 0;
    bytes key_id{};            ///< empty if there is none
    bytes signed_by{};         ///< 64 bytes
    std::size_t offset = 0;    ///< of the signature
};

/// Reads a COSE_Sign1. Errors besides the reader's: update_unsupported_auth for anything that is
/// not what `cose_sign1` says (other COSE structures, attached payloads, `crit`, ...),
/// update_bad_signature for a signature that has not 64 bytes.
constexpr cose_sign1 read_sign1(cbor_reader& reader) {
    constexpr std::uint64_t sign1_tag = 18;
    constexpr std::size_t max_protected = 23, max_key_id = 16;
    cose_sign1 message;
    const auto start = reader.offset();
    if (reader.peek() != cbor_type::tag || reader.tag() != sign1_tag || reader.array() != 4)
        reader.refuse(errc::update_unsupported_auth, start);

    const auto header = reader.byte_string();
    message.protected_header = header.data;
    if (header.data.size() > max_protected)
        reader.refuse(errc::update_unsupported_auth, header.offset);
    cbor_reader inner{header, reader.first_error(), reader.stage()};
    const auto keys = inner.map();
    for (std::size_t n = 0; n < keys && !inner.failed(); ++n) {
        // Key 1 then key 4: the order of the profile is the order of deterministic encoding.
        const auto at = inner.offset();
        const auto key = inner.integer();
        if (n == 0 && key == 1) {
            message.algorithm = inner.integer();
        } else if (n == 1 && key == 4) {
            message.key_id = inner.byte_string().data;
            if (message.key_id.empty() || message.key_id.size() > max_key_id)
                inner.refuse(errc::update_unsupported_auth, at);
        } else {
            inner.refuse(errc::update_unsupported_auth, at);
        }
    }
    if (keys == 0) inner.refuse(errc::update_unsupported_auth, header.offset);
    inner.end();

    const auto unprotected = reader.offset();
    if (reader.map() != 0) reader.refuse(errc::update_unsupported_auth, unprotected);
    if (reader.peek() != cbor_type::simple) reader.refuse(errc::update_unsupported_auth);
    reader.null();
    const auto value = reader.byte_string();
    message.signed_by = value.data;
    message.offset = value.offset;
    if (value.data.size() != 64) reader.refuse(errc::update_bad_signature, value.offset);
    return message;
}

/// What a COSE_Sign1 signs: ["Signature1", protected, h'', payload] (RFC 9052 section 4.4),
/// encoded. 80 bytes: enough for a protected header of 23 bytes and a payload of 36.
class signed_message {
public:
    static constexpr std::size_t capacity = 80;

    /// The header is at most 23 bytes, the payload 24 to 36.
    constexpr signed_message(bytes protected_header, bytes payload) {
        for (const char c : {'\x84', '\x6a', 'S', 'i', 'g', 'n', 'a', 't', 'u', 'r', 'e', '1'})
            put(static_cast<std::uint8_t>(c));
        put(static_cast<std::uint8_t>(0x40 + protected_header.size()));
        for (const auto byte : protected_header) put(byte);
        put(0x40);
        put(0x58);
        put(static_cast<std::uint8_t>(payload.size()));
        for (const auto byte : payload) put(byte);
    }
    [[nodiscard]] constexpr bytes get() const { return {data_.data(), size_}; }

private:
    constexpr void put(std::uint8_t byte) { data_[size_++] = byte; }
    std::array<std::uint8_t, capacity> data_{};
    std::size_t size_ = 0;
};

/// The key type that a COSE algorithm needs: ESP256 (-9), Ed25519 (-19) of RFC 9864 and, if
/// `legacy`, ES256 (-7) and EdDSA (-8), which the examples of the draft still carry.
struct algorithm_key {
    bool known = false;
    key_type type = key_type::p256;
};
[[nodiscard]] constexpr algorithm_key key_of(std::int64_t algorithm, bool legacy) {
    if (algorithm == -9 || (legacy && algorithm == -7)) return {true, key_type::p256};
    if (algorithm == -19 || (legacy && algorithm == -8)) return {true, key_type::ed25519};
    return {};
}

}  // namespace femto::update
