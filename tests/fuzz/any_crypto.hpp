// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/crypto.hpp>

namespace fuzz {

/// Cryptography that lets everything through, so that what follows a signature is reached: a
/// manifest has the digest that `look` found in the input, and every signature is right.
struct any_crypto {
    static inline femto::update::sha256_digest named{};
    struct hash {
        bool update(femto::update::bytes) { return true; }
        bool finish(femto::update::sha256_digest& out) { return out = named, true; }
    };
    static constexpr bool supports(femto::update::key_type) { return true; }
    bool verify(femto::update::key_type, femto::update::bytes, femto::update::bytes,
                femto::update::signature_bytes) {
        return true;
    }
    /// Remembers the first SUIT_Digest in these bytes.
    static void look(femto::update::bytes input) {
        static constexpr std::uint8_t head[]{0x82, 0x2f, 0x58, 0x20};
        const auto at = std::search(input.begin(), input.end(), std::begin(head), std::end(head));
        if (input.end() - at >= 36) std::copy_n(at + 4, 32, named.begin());
    }
};

}  // namespace fuzz
