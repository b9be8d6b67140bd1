// SPDX-License-Identifier: Apache-2.0
// Keys in files: PEM with PKCS#8 (private) and SubjectPublicKeyInfo (public), as openssl writes and
// reads them. A private key may be sealed with a passphrase: then its PEM label is
// "FEMTO SEALED PRIVATE KEY", content salt (16) | nonce (24) | XSalsa20-Poly1305 of the PKCS#8, the
// key by Argon2id, all from libsodium.
#pragma once

#include "cbor_writer.hpp"

#include <femto/update/crypto.hpp>

#include <array>
#include <functional>
#include <string>

namespace femto_tool {

/// Starts PSA Crypto and libsodium. Throws user_error.
void start_crypto();

struct public_key {
    femto::update::key_type type{};
    octets key{};  ///< `key_size(type)` bytes
};

using signature = std::array<std::uint8_t, 64>;

/// Zeroes its bytes when it is gone; is never printed.
class private_key {
public:
    private_key(femto::update::key_type type, octets secret, octets public_part);
    private_key(const private_key&) = delete;
    private_key(private_key&& other) noexcept = default;
    ~private_key();
    [[nodiscard]] const public_key& public_part() const { return public_; }
    [[nodiscard]] signature sign(femto::update::bytes message) const;
    /// PKCS#8, DER. The caller wipes it.
    [[nodiscard]] octets pkcs8() const;

private:
    octets secret_;  ///< scalar or seed, 32 bytes
    public_key public_;
};

[[nodiscard]] private_key generate_key(femto::update::key_type type);

/// Asks for the passphrase of a key when it turns out to need one.
using passphrase_source = std::function<std::string()>;
/// The first line of `file`, or what is typed at the terminal (`twice` to make sure).
[[nodiscard]] passphrase_source passphrase_from(const std::string& file, bool twice);

/// All four throw user_error. A private key's file is made for its owner only (0600), and never
/// replaces one that is there.
[[nodiscard]] private_key read_private_key(const std::string& path, const passphrase_source& ask);
[[nodiscard]] public_key read_public_key(const std::string& path);
void write_private_key(const std::string& path, const private_key& key,
                       const std::string& passphrase);  ///< not sealed if it is empty
void write_public_key(const std::string& path, const public_key& key);

/// The first 8 bytes of the key's SHA-256 in hexadecimal: to tell keys apart in print.
[[nodiscard]] std::string fingerprint(const public_key& key);
[[nodiscard]] const char* name_of(femto::update::key_type type);

/// Runs a command that signs: it gets the message on standard input and the name of a file with it
/// as $1, and writes 64 bytes, or an ECDSA signature in DER, to standard output. So a key may stay in
/// a PKCS#11 token, a cloud's key store or another program. The result is checked with `key`.
[[nodiscard]] signature sign_by_command(const std::string& command, const public_key& key,
                                        femto::update::bytes message);

}  // namespace femto_tool
