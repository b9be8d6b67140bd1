// SPDX-License-Identifier: Apache-2.0
#include "key_file.hpp"

#include "../container.hpp"
#include "crypto.hpp"
#include "files.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <termios.h>
#include <unistd.h>

namespace femto_tool {
namespace {

using femto::update::key_type;

// What stands around the keys in DER is always the same, so that bytes are clearer than a parser.
struct der_frame {
    key_type type;
    octets before_secret, before_public;  ///< PKCS#8; `before_public` empty: it ends with the secret
    octets public_head;                   ///< SubjectPublicKeyInfo
};
const der_frame frames[]{
    {key_type::p256,
     {0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
      0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02,
      0x01, 0x01, 0x04, 0x20},
     {0xa1, 0x44, 0x03, 0x42, 0x00},
     {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
      0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00}},
    {key_type::ed25519,
     {0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20},
     {},
     {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}},
};
const der_frame& frame_of(key_type type) { return type == key_type::p256 ? frames[0] : frames[1]; }

constexpr const char* private_label = "PRIVATE KEY";
constexpr const char* sealed_label = "FEMTO SEALED PRIVATE KEY";
constexpr const char* public_label = "PUBLIC KEY";

struct pem {
    std::string label;
    octets content;
};

pem read_pem(const std::string& path) {
    std::ifstream file{path};
    if (!file) throw user_error{path + ": cannot be read; does the file exist?"};
    const std::string begin = "-----BEGIN ", tail = "-----";
    pem out;
    std::string body;
    bool whole = false;
    for (std::string line; !whole && std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r') line.pop_back();
        if (line.starts_with(begin) && line.ends_with(tail)) {
            out.label = line.substr(begin.size(), line.size() - begin.size() - tail.size());
            body.clear();
        } else if (line == "-----END " + out.label + tail) {
            whole = out.label != "EC PARAMETERS";  // openssl may write them in front
        } else if (!out.label.empty()) {
            body += line;
        }
    }
    out.content.resize(body.size());
    std::size_t length = 0;
    const char* end = nullptr;
    if (!whole ||
        sodium_base642bin(out.content.data(), out.content.size(), body.data(), body.size(), " \n",
                          &length, &end, sodium_base64_VARIANT_ORIGINAL) != 0 ||
        end != body.data() + body.size()) {
        throw user_error{path + ": not a key in PEM; make one with femto keygen"};
    }
    out.content.resize(length);
    sodium_memzero(body.data(), body.size());
    return out;
}

std::string write_pem(const std::string& label, const octets& content) {
    std::string base64(sodium_base64_encoded_len(content.size(), sodium_base64_VARIANT_ORIGINAL),
                       '\0');
    sodium_bin2base64(base64.data(), base64.size(), content.data(), content.size(),
                      sodium_base64_VARIANT_ORIGINAL);
    base64.pop_back();
    std::string text = "-----BEGIN " + label + "-----\n";
    for (std::size_t at = 0; at < base64.size(); at += 64) text += base64.substr(at, 64) + "\n";
    sodium_memzero(base64.data(), base64.size());
    return text + "-----END " + label + "-----\n";
}

bool starts_with(const octets& data, const octets& prefix) {
    return data.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), data.begin());
}
octets part(const octets& data, std::size_t from, std::size_t size) {
    const auto first = data.begin() + static_cast<std::ptrdiff_t>(from);
    return {first, first + static_cast<std::ptrdiff_t>(size)};
}

/// The public key of a secret: private keys in files need not carry it.
octets public_of(key_type type, const octets& secret) {
    octets out(femto::update::key_size(type));
    if (type == key_type::ed25519) {
        octets both(crypto_sign_SECRETKEYBYTES);
        crypto_sign_seed_keypair(out.data(), both.data(), secret.data());
        sodium_memzero(both.data(), both.size());
        return out;
    }
    const p256_pair pair{secret, PSA_KEY_USAGE_EXPORT};
    std::size_t length = 0;
    if (psa_export_public_key(pair.id(), out.data(), out.size(), &length) != PSA_SUCCESS)
        throw user_error{"the private key is no number that P-256 allows"};
    return out;
}

struct sealing_key {
    octets key = octets(crypto_secretbox_KEYBYTES);
    sealing_key(const std::string& passphrase, const std::uint8_t* salt) {
        if (crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(), salt,
                          crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_INTERACTIVE,
                          crypto_pwhash_ALG_ARGON2ID13) != 0) {
            throw user_error{"too little memory to use a passphrase (64 MiB are needed)"};
        }
    }
    ~sealing_key() { sodium_memzero(key.data(), key.size()); }
};
constexpr std::size_t salt_size = crypto_pwhash_SALTBYTES;
constexpr std::size_t seal_head = salt_size + crypto_secretbox_NONCEBYTES;

octets seal(const octets& content, const std::string& passphrase) {
    octets out(seal_head + crypto_secretbox_MACBYTES + content.size());
    randombytes_buf(out.data(), seal_head);
    const sealing_key with{passphrase, out.data()};
    crypto_secretbox_easy(out.data() + seal_head, content.data(), content.size(),
                          out.data() + salt_size, with.key.data());
    return out;
}

octets unseal(const octets& sealed, const std::string& passphrase, const std::string& path) {
    if (sealed.size() < seal_head + crypto_secretbox_MACBYTES)
        throw user_error{path + ": the sealed key is incomplete"};
    octets out(sealed.size() - seal_head - crypto_secretbox_MACBYTES);
    const sealing_key with{passphrase, sealed.data()};
    if (crypto_secretbox_open_easy(out.data(), sealed.data() + seal_head,
                                   sealed.size() - seal_head, sealed.data() + salt_size,
                                   with.key.data()) != 0) {
        throw user_error{path + ": wrong passphrase, or the file was changed"};
    }
    return out;
}

std::string type_passphrase(const char* prompt) {
    termios before{};
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        throw user_error{"a passphrase is needed, and standard input is no terminal\n"
                         "  give it in a file: --passphrase-file"};
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    std::cerr << prompt << std::flush;
    std::string text;
    std::getline(std::cin, text);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::cerr << '\n';
    return text;
}

}  // namespace

void start_crypto() {
    if (sodium_init() < 0 || psa_crypto_init() != PSA_SUCCESS)
        throw user_error{"libsodium or PSA Crypto does not start on this machine"};
}

private_key::private_key(key_type type, octets secret, octets public_part)
    : secret_{std::move(secret)}, public_{type, std::move(public_part)} {}
private_key::~private_key() { sodium_memzero(secret_.data(), secret_.size()); }

signature private_key::sign(femto::update::bytes message) const {
    signature out{};
    if (public_.type == key_type::ed25519) {
        octets both = secret_;
        both.insert(both.end(), public_.key.begin(), public_.key.end());
        crypto_sign_detached(out.data(), nullptr, message.data(), message.size(), both.data());
        sodium_memzero(both.data(), both.size());
        return out;
    }
    const p256_pair pair{secret_, PSA_KEY_USAGE_SIGN_MESSAGE};
    std::size_t length = 0;
    if (psa_sign_message(pair.id(), PSA_ALG_ECDSA(PSA_ALG_SHA_256), message.data(), message.size(),
                         out.data(), out.size(), &length) != PSA_SUCCESS ||
        length != out.size()) {
        throw user_error{"PSA Crypto could not sign with this key"};
    }
    return out;
}

octets private_key::pkcs8() const {
    const auto& frame = frame_of(public_.type);
    octets der = frame.before_secret;
    der.insert(der.end(), secret_.begin(), secret_.end());
    if (!frame.before_public.empty()) {
        der.insert(der.end(), frame.before_public.begin(), frame.before_public.end());
        der.insert(der.end(), public_.key.begin(), public_.key.end());
    }
    return der;
}

private_key generate_key(key_type type) {
    octets secret(32);
    if (type == key_type::ed25519) {
        randombytes_buf(secret.data(), secret.size());
    } else {
        const p256_pair pair{{}, PSA_KEY_USAGE_EXPORT};
        std::size_t length = 0;
        if (psa_export_key(pair.id(), secret.data(), secret.size(), &length) != PSA_SUCCESS)
            throw user_error{"PSA Crypto could not make a key"};
    }
    auto public_part = public_of(type, secret);
    return {type, std::move(secret), std::move(public_part)};
}

passphrase_source passphrase_from(const std::string& path, bool twice) {
    return [=] {
        std::string text;
        if (path.empty()) {
            text = type_passphrase("Passphrase: ");
            if (twice && type_passphrase("The same again: ") != text)
                throw user_error{"the two passphrases differ"};
        } else {
            std::ifstream file{path};
            if (!std::getline(file, text)) throw user_error{path + ": no passphrase in it"};
        }
        if (text.empty()) throw user_error{"the passphrase is empty"};
        return text;
    };
}

private_key read_private_key(const std::string& path, const passphrase_source& ask) {
    auto file = read_pem(path);
    if (file.label == sealed_label) {
        auto passphrase = ask();
        file.content = unseal(file.content, passphrase, path);
        sodium_memzero(passphrase.data(), passphrase.size());
    } else if (file.label != private_label) {
        throw user_error{path + ": holds \"" + file.label + "\", not a private key in PKCS#8\n" +
                         "  openssl makes one of others: openssl pkcs8 -topk8 -nocrypt"};
    }
    for (const auto& frame : frames) {
        if (!starts_with(file.content, frame.before_secret) ||
            file.content.size() < frame.before_secret.size() + 32) {
            continue;
        }
        octets secret = part(file.content, frame.before_secret.size(), 32);
        sodium_memzero(file.content.data(), file.content.size());
        auto public_part = public_of(frame.type, secret);
        return {frame.type, std::move(secret), std::move(public_part)};
    }
    throw user_error{path + ": neither a P-256 nor an Ed25519 key"};
}

public_key read_public_key(const std::string& path) {
    const auto file = read_pem(path);
    if (file.label.ends_with(private_label))
        throw user_error{path + ": this is a private key; give the public one (.pub)"};
    for (const auto& frame : frames) {
        const auto size = femto::update::key_size(frame.type);
        if (file.label == public_label && starts_with(file.content, frame.public_head) &&
            file.content.size() == frame.public_head.size() + size) {
            return {frame.type, part(file.content, frame.public_head.size(), size)};
        }
    }
    throw user_error{path + ": not a public key of P-256 or Ed25519"};
}

void write_private_key(const std::string& path, const private_key& key,
                       const std::string& passphrase) {
    auto der = key.pkcs8();
    auto text = passphrase.empty() ? write_pem(private_label, der)
                                   : write_pem(sealed_label, seal(der, passphrase));
    sodium_memzero(der.data(), der.size());
    write_new_file(path, text, 0600);
    sodium_memzero(text.data(), text.size());
}

void write_public_key(const std::string& path, const public_key& key) {
    octets der = frame_of(key.type).public_head;
    der.insert(der.end(), key.key.begin(), key.key.end());
    write_new_file(path, write_pem(public_label, der), 0644);
}

std::string fingerprint(const public_key& key) {
    femto::update::sha256 hash;
    femto::update::sha256_digest digest{};
    hash.update(key.key);
    hash.finish(digest);
    return hex(femto::update::bytes{digest}.first(8));
}

const char* name_of(key_type type) { return type == key_type::p256 ? "P-256" : "Ed25519"; }

}  // namespace femto_tool
