// SPDX-License-Identifier: Apache-2.0
// Needs libsodium (libsodium-dev).
#pragma once

#include <femto/update/crypto.hpp>

#include <sodium.h>

namespace femto::update {

/// Ed25519 and SHA-256 by libsodium. Call `sodium_init()` before.
struct sodium_crypto {
    /// SHA-256 in steps; 104 bytes.
    class hash {
    public:
        hash() { crypto_hash_sha256_init(&state_); }
        bool update(bytes data) {
            return crypto_hash_sha256_update(&state_, data.data(), data.size()) == 0;
        }
        bool finish(sha256_digest& out) { return crypto_hash_sha256_final(&state_, out.data()) == 0; }

    private:
        crypto_hash_sha256_state state_;
    };

    [[nodiscard]] static constexpr bool supports(key_type type) {
        return type == key_type::ed25519;
    }
    [[nodiscard]] bool verify(key_type type, bytes key, bytes message, signature_bytes signed_by) const {
        return supports(type) && key.size() == crypto_sign_PUBLICKEYBYTES &&
               crypto_sign_verify_detached(signed_by.data(), message.data(), message.size(),
                                           key.data()) == 0;
    }
};

}  // namespace femto::update
