// SPDX-License-Identifier: Apache-2.0
// Needs an implementation of PSA Crypto, such as Mbed TLS 2.28 or 3 (libmbedtls-dev).
#pragma once

#include <femto/update/crypto.hpp>

#include <psa/crypto.h>

namespace femto::update {

/// ECDSA on P-256 and SHA-256 by PSA Crypto. Call `psa_crypto_init()` before. Each verification
/// imports the key as a volatile one and destroys it.
struct psa_crypto {
    /// SHA-256 in steps. Not copied: the backend may hold resources for it until it is destroyed.
    class hash {
    public:
        hash() : ok_{psa_hash_setup(&state_, PSA_ALG_SHA_256) == PSA_SUCCESS} {}
        hash(const hash&) = delete;
        hash& operator=(const hash&) = delete;
        ~hash() { psa_hash_abort(&state_); }
        bool update(bytes data) {
            return ok_ && psa_hash_update(&state_, data.data(), data.size()) == PSA_SUCCESS;
        }
        bool finish(sha256_digest& out) {
            std::size_t length = 0;
            return ok_ && psa_hash_finish(&state_, out.data(), out.size(), &length) ==
                              PSA_SUCCESS && length == out.size();
        }

    private:
        psa_hash_operation_t state_ = PSA_HASH_OPERATION_INIT;
        bool ok_;
    };

    [[nodiscard]] static constexpr bool supports(key_type type) { return type == key_type::p256; }
    [[nodiscard]] bool verify(key_type type, bytes key, bytes message, signature_bytes signed_by) const {
        if (!supports(type)) return false;
        psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
        psa_set_key_usage_flags(&attributes, PSA_KEY_USAGE_VERIFY_MESSAGE);
        psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
        psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_PUBLIC_KEY(PSA_ECC_FAMILY_SECP_R1));
        psa_set_key_bits(&attributes, 256);
        psa_key_id_t id{};
        if (psa_import_key(&attributes, key.data(), key.size(), &id) != PSA_SUCCESS) return false;
        const auto status =
            psa_verify_message(id, PSA_ALG_ECDSA(PSA_ALG_SHA_256), message.data(),
                               message.size(), signed_by.data(), signed_by.size());
        return psa_destroy_key(id) == PSA_SUCCESS && status == PSA_SUCCESS;
    }
};

}  // namespace femto::update
