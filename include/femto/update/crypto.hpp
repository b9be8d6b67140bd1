// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/sha256.hpp>

#include <concepts>

namespace femto::update {

/// What a public key is: it decides the algorithm, never the message.
enum class key_type : std::uint8_t {
    p256,     ///< ECDSA with SHA-256 on P-256: 65 bytes, 04 || x || y
    ed25519,  ///< Ed25519 (RFC 8032, pure): 32 bytes
};

/// The bytes of a public key of this type.
[[nodiscard]] constexpr std::size_t key_size(key_type type) {
    return type == key_type::p256 ? 65 : 32;
}

/// A signature of either type: r || s, or R || S.
using signature_bytes = std::span<const std::uint8_t, 64>;

/// SHA-256 in steps. A new object is a new hash; each function returns whether it worked.
template <class Hash>
concept streaming_hash = std::default_initializable<Hash> &&
    requires(Hash hash, bytes data, sha256_digest& out) {
        { hash.update(data) } -> std::same_as<bool>;
        { hash.finish(out) } -> std::same_as<bool>;
    };

/// What an update needs of cryptography. `verify` gets the whole message, which is short (at most
/// `signed_message::capacity` bytes), hashes it if its scheme wants that, and returns false on any
/// error. It is only called with keys and signatures of the right length.
template <class Crypto>
concept crypto = streaming_hash<typename Crypto::hash> &&
    requires(Crypto& backend, key_type type, bytes data, signature_bytes signed_by) {
        { Crypto::supports(type) } -> std::same_as<bool>;
        { backend.verify(type, data, data, signed_by) } -> std::same_as<bool>;
    };

/// Two backends as one: each key goes to the first that supports it; the first one hashes.
template <crypto First, crypto Second>
class either_crypto {
public:
    using hash = typename First::hash;
    constexpr either_crypto(First& first, Second& second) : first_{first}, second_{second} {}
    [[nodiscard]] static constexpr bool supports(key_type type) {
        return First::supports(type) || Second::supports(type);
    }
    [[nodiscard]] constexpr bool verify(key_type type, bytes key, bytes message,
                                        signature_bytes signed_by) {
        return First::supports(type) ? first_.verify(type, key, message, signed_by)
                                     : second_.verify(type, key, message, signed_by);
    }

private:
    First& first_;
    Second& second_;
};

}  // namespace femto::update
