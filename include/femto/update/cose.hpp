// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/crypto.hpp>

namespace femto::update {

/// One COSE_Sign1 (RFC 9052 section 4.2) as SUIT uses it: tagged, its payload detached, its
/// unprotected header empty, protected header {1: algorithm, ?4: key id of up to 16 bytes}.
struct cose_sign1 {
    bytes protected_header{};  ///< as received, up to 23 bytes
    std::int32_t algorithm = 0;
    bytes key_id{};            ///< empty if there is none
    bytes signed_by{};         ///< 64 bytes; after an error none of this may be used
    std::size_t offset = 0;    ///< of the signature
};

/// Reads a COSE_Sign1. Errors besides the reader's: update_unsupported_auth for anything that is
/// not what `cose_sign1` says (other COSE structures, attached payloads, `crit`, ...),
/// update_bad_signature for a signature that has not 64 bytes.
constexpr cose_sign1 read_sign1(cbor_reader& reader) {
    constexpr auto wrong = errc::update_unsupported_auth;
    cose_sign1 message;
    reader.expect(0x84d2, wrong);  // tag 18, four elements
    const auto header = reader.byte_string();
    message.protected_header = header.data;
    if (header.data.size() > 23) reader.refuse(wrong);

    cbor_reader parameters{header, reader.first_error()};
    const auto count = parameters.map();
    parameters.expect(1, wrong);
    message.algorithm = parameters.small_integer();
    if (count > 1) {
        parameters.expect(4, wrong);
        message.key_id = parameters.byte_string().data;
        if (message.key_id.size() - 1 > 15 || count > 2) parameters.refuse(wrong);
    }
    parameters.end();

    reader.expect(0xf6a0, wrong);  // nothing unprotected, payload detached
    reader.expect(0x4058, errc::update_bad_signature);  // 64 bytes
    message.offset = reader.offset();
    message.signed_by = {reader.take(64), 64};
    return message;
}

/// What a COSE_Sign1 signs: ["Signature1", protected, h'', payload] (RFC 9052 section 4.4),
/// encoded. 80 bytes: enough for a protected header of 23 bytes and a payload of 36.
class signed_message {
public:
    static constexpr std::size_t capacity = 80;

    /// The header is at most 23 bytes, the payload 24 to 36.
    constexpr signed_message(bytes protected_header, bytes payload) {
        constexpr char context[]{"\x84\x6aSignature1"};
        end_ = std::copy_n(context, sizeof context - 1, data_.data());
        *end_++ = static_cast<std::uint8_t>(0x40 + protected_header.size());
        end_ = std::ranges::copy(protected_header, end_).out;
        *end_++ = 0x40;
        *end_++ = 0x58;
        *end_++ = static_cast<std::uint8_t>(payload.size());
        end_ = std::ranges::copy(payload, end_).out;
    }
    signed_message(const signed_message&) = delete;
    signed_message& operator=(const signed_message&) = delete;
    [[nodiscard]] constexpr bytes get() const { return {data_.data(), end_}; }

private:
    std::array<std::uint8_t, capacity> data_;
    std::uint8_t* end_;
};

/// Whether a COSE algorithm is that of a key: ESP256 (-9), Ed25519 (-19) of RFC 9864 and, if
/// `legacy`, ES256 (-7) and EdDSA (-8), which the examples of the draft still carry.
[[nodiscard]] constexpr bool is_algorithm_of(key_type type, std::int32_t algorithm, bool legacy) {
    const bool p256 = type == key_type::p256;
    return algorithm == (p256 ? -9 : -19) || (legacy && algorithm == (p256 ? -7 : -8));
}

}  // namespace femto::update
