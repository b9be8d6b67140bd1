// SPDX-License-Identifier: Apache-2.0
// Vectors, keys and a device for the tests of updates.
#pragma once

#include <femto/update/processor.hpp>
#include <femto/update/psa_crypto.hpp>
#include <femto/update/sodium.hpp>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace test {

using namespace femto;
using namespace femto::update;
using raw = std::vector<std::uint8_t>;

inline raw from_hex(const std::string& text) {
    raw out;
    std::string digits;
    for (const char c : text)
        if (std::string{"0123456789abcdefABCDEF"}.find(c) != std::string::npos) digits += c;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        out.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    return out;
}

inline std::ifstream open_vector(const std::string& name) {
    std::ifstream file{std::string{FEMTO_UPDATE_VECTORS "/"} + name};
    if (!file) std::fprintf(stderr, "no vector %s\n", name.c_str()), std::abort();
    return file;
}

inline raw vector_of(const std::string& name) {
    std::stringstream text;
    text << open_vector(name + ".hex").rdbuf();
    return from_hex(text.str());
}

/// Both backends, initialised.
struct crypto_backends {
    sodium_crypto sodium;
    psa_crypto psa;
    either_crypto<psa_crypto, sodium_crypto> both{psa, sodium};
    crypto_backends() {
        if (sodium_init() < 0 || psa_crypto_init() != PSA_SUCCESS) std::abort();
    }
};

inline const raw p256_key = from_hex(
    "048496811aae0baaabd26157189eecda26beaa8bf11b6f3fe6e2b5659c85dbc0ad"
    "3b1f2a4b6c098131c0a36dacd1d78bd381dcdfb09c052db33991db7338b4a896");
inline const raw ed25519_seed =
    from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
inline const raw ed25519_key =
    from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
inline const raw draft_vendor = from_hex("fa6b4a53d5ad5fdfbe9de663e4d41ffe");
inline const raw draft_class = from_hex("1492af1425695e48bf429b2d51f2ab45");
inline const raw vendor = from_hex("cfbff0d193755685968c48ce8b15ae17");
inline const raw device_class = from_hex("165a5b96b9015f3a90b817ef18b9c03d");
inline const raw first_hook = from_hex("e4fee96266555157ab261a59561bb571");
inline const raw second_hook = from_hex("00112233445566778899aabbccddeeff");
inline const raw draft_component = {0}, draft_second = {1};

/// A device whose components, floors and URIs the test chooses.
struct device {
    std::vector<bytes> ids{};
    std::uint64_t slot_size = 65536;
    update_floor known{};
    bool floor_fails = false;
    std::string scheme = "coap://";

    std::optional<std::size_t> find(bytes id) const {
        for (std::size_t n = 0; n < ids.size(); ++n)
            if (same(ids[n], id)) return n;
        return std::nullopt;
    }
    std::uint64_t capacity(std::size_t) const { return slot_size; }
    result<update_floor> floor(std::size_t) const {
        if (floor_fails) return fail(errc::update_storage);
        return known;
    }
    bool fetches(bytes uri) const {
        return uri.size() > scheme.size() &&
               std::equal(scheme.begin(), scheme.end(), uri.begin());
    }
};

}  // namespace test
