// SPDX-License-Identifier: Apache-2.0
// Writes signed envelopes, right ones and wrong ones: a test changes one part.
#pragma once

#include "support.hpp"

namespace test {

inline raw operator+(raw a, const raw& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
inline raw head(unsigned major, std::size_t n) {
    const auto type = major << 5;
    if (n < 24) return {static_cast<std::uint8_t>(type | n)};
    if (n < 256) return {static_cast<std::uint8_t>(type | 24), static_cast<std::uint8_t>(n)};
    return {static_cast<std::uint8_t>(type | 25), static_cast<std::uint8_t>(n >> 8),
            static_cast<std::uint8_t>(n)};
}
inline raw bstr(const raw& data) { return head(2, data.size()) + data; }
inline raw tstr(const std::string& s) { return head(3, s.size()) + raw(s.begin(), s.end()); }

inline const raw program = from_hex("b700000001000000" "9500000000000000");

inline raw sha(const raw& data) {
    sodium_crypto::hash hash;
    sha256_digest out{};
    hash.update(data);
    hash.finish(out);
    return raw(out.begin(), out.end());
}
inline raw suit_digest(const raw& data) { return raw{0x82, 0x2f} + bstr(sha(data)); }

/// The parts of an envelope, each CBOR; a test changes one.
struct parts {
    raw version{1}, number{5}, components = raw{0x81, 0x81} + bstr(first_hook);
    raw ids = raw{0xa4, 1} + bstr(vendor) + raw{2} + bstr(device_class) + raw{3} +
              bstr(suit_digest(program)) + raw{14, 16};
    raw shared = raw{0x86, 20} + ids + raw{1, 15, 2, 15};
    raw validate{0x82, 3, 15};
    raw install = raw{0x86, 20, 0xa1, 21} + tstr("#p") + raw{21, 15, 3, 15};
    bool installs = true;
    raw extra{}, late{};  // between members 3 and 7, and 7 and 20
    std::uint8_t members = 5;
    raw tag{0xd2}, header{0xa1, 1, 0x32}, unprotected{0xa0}, payload{0xf6};
    raw images = tstr("#p") + bstr(program);  // the members after the manifest
    unsigned image_count = 1;

    raw envelope() const {
        const auto manifest =
            bstr(raw{static_cast<std::uint8_t>(0xa0 | members), 1} + version + raw{2} + number +
                 raw{3} + bstr(raw{0xa2, 2} + components + raw{4} + bstr(shared)) + extra +
                 (validate.empty() ? raw{} : raw{7} + bstr(validate)) + late +
                 (installs ? raw{20} + bstr(install) : raw{}));
        const auto named = suit_digest(manifest);
        const auto message = raw{0x84} + tstr("Signature1") + bstr(header) + raw{0x40} + bstr(named);
        raw public_key(32), secret(64), made(64);
        crypto_sign_seed_keypair(public_key.data(), secret.data(), ed25519_seed.data());
        crypto_sign_detached(made.data(), nullptr, message.data(), message.size(), secret.data());
        const auto sign1 = tag + raw{0x84} + bstr(header) + unprotected + payload + bstr(made);
        return raw{0xd8, 107} + head(5, 2 + image_count) + raw{2} +
               bstr(raw{0x82} + bstr(named) + bstr(sign1)) + raw{3} + manifest + images;
    }
};

/// One component of `envelope_for`: its image is in the envelope unless the URI says otherwise.
struct shipment {
    raw component, image;
    std::string uri = "";
};

inline raw envelope_for(unsigned sequence, const std::vector<shipment>& all) {
    parts made;
    made.number = head(0, sequence);
    made.components = head(4, all.size());
    made.validate = made.install = made.shared = made.images = {};
    made.image_count = 0;
    for (std::size_t n = 0; n < all.size(); ++n) {
        const auto& [component, image, uri] = all[n];
        const raw select{12, static_cast<std::uint8_t>(n)};
        const auto name = uri.empty() ? "#" + std::to_string(n) : uri;
        made.components = made.components + raw{0x81} + bstr(component);
        made.shared = made.shared + select + raw{20, 0xa4, 1} + bstr(vendor) + raw{2} +
                      bstr(device_class) + raw{3} + bstr(suit_digest(image)) + raw{14} +
                      head(0, image.size()) + raw{1, 15, 2, 15};
        made.install = made.install + select + raw{20, 0xa1, 21} + tstr(name) + raw{21, 15, 3, 15};
        made.validate = made.validate + select + raw{3, 15};
        if (uri.empty()) {
            made.images = made.images + tstr(name) + bstr(image);
            ++made.image_count;
        }
    }
    made.shared = head(4, 8 * all.size()) + made.shared;
    made.install = head(4, 8 * all.size()) + made.install;
    made.validate = head(4, 4 * all.size()) + made.validate;
    return made.envelope();
}

}  // namespace test
