// SPDX-License-Identifier: Apache-2.0
// The examples of FIPS 180-4 (csrc.nist.gov), whole and in pieces.
#include "catch.hpp"

#include <femto/update/crypto.hpp>

#include <string>

using namespace femto::update;

static_assert(streaming_hash<sha256>);

namespace {

std::string hex_of(const std::string& text, std::size_t piece) {
    sha256 hash;
    for (std::size_t i = 0; i < text.size(); i += piece) {
        const auto part = text.substr(i, piece);
        hash.update({reinterpret_cast<const std::uint8_t*>(part.data()), part.size()});
    }
    sha256_digest out{};
    hash.finish(out);
    std::string hex;
    for (const auto byte : out) {
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
    }
    return hex;
}

}  // namespace

TEST_CASE("update sha256: the digests of FIPS 180-4") {
    for (const std::size_t piece : {1u, 7u, 64u, 100000u}) {
        CHECK(hex_of("", piece) ==
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        CHECK(hex_of("abc", piece) ==
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        CHECK(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", piece) ==
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        CHECK(hex_of(std::string(1000000, 'a'), piece) ==
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    }
}
