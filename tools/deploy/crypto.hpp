// SPDX-License-Identifier: Apache-2.0
// The cryptography of the host: PSA Crypto for P-256, libsodium for Ed25519.
#pragma once

#include "../container.hpp"
#include "cbor_writer.hpp"

#include <femto/update/psa_crypto.hpp>
#include <femto/update/sodium.hpp>

namespace femto_tool {

/// Both backends as one.
struct host_crypto {
    femto::update::sodium_crypto sodium;
    femto::update::psa_crypto psa;
    femto::update::either_crypto<femto::update::sodium_crypto, femto::update::psa_crypto> both{
        sodium, psa};
    using hash = femto::update::sodium_crypto::hash;
};

/// A P-256 key pair inside PSA Crypto, destroyed with this: the one with this secret, or a fresh one
/// if it is empty. Throws user_error.
class p256_pair {
public:
    p256_pair(const octets& secret, psa_key_usage_t usage) {
        psa_key_attributes_t attributes = PSA_KEY_ATTRIBUTES_INIT;
        psa_set_key_usage_flags(&attributes, usage);
        psa_set_key_algorithm(&attributes, PSA_ALG_ECDSA(PSA_ALG_SHA_256));
        psa_set_key_type(&attributes, PSA_KEY_TYPE_ECC_KEY_PAIR(PSA_ECC_FAMILY_SECP_R1));
        psa_set_key_bits(&attributes, 256);
        if ((secret.empty() ? psa_generate_key(&attributes, &id_)
                            : psa_import_key(&attributes, secret.data(), secret.size(), &id_)) !=
            PSA_SUCCESS) {
            throw user_error{"PSA Crypto refuses this P-256 key"};
        }
    }
    p256_pair(const p256_pair&) = delete;
    ~p256_pair() { psa_destroy_key(id_); }
    [[nodiscard]] psa_key_id_t id() const { return id_; }

private:
    psa_key_id_t id_{};
};

}  // namespace femto_tool
