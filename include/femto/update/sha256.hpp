// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/cbor.hpp>

#include <array>
#include <bit>

namespace femto::update {

/// A SHA-256 digest, 32 bytes.
using sha256_digest = std::array<std::uint8_t, 32>;

namespace detail {

/// root^3 <= prime * 2^96, in limbs of 32 bits; root < 2^35.
constexpr bool cube_at_most(std::uint64_t root, std::uint64_t prime) {
    const std::uint64_t low = root & 0xffffffff, high = root >> 32;
    std::array<std::uint64_t, 4> product{low, high, 0, 0};
    for (int times = 0; times < 2; ++times) {
        std::array<std::uint64_t, 4> next{};
        std::uint64_t carry = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            const auto a = product[i] * low;
            const auto b = i == 0 ? 0 : product[i - 1] * high;
            const auto sum = (a & 0xffffffff) + (b & 0xffffffff) + (carry & 0xffffffff);
            next[i] = sum & 0xffffffff;
            carry = (sum >> 32) + (a >> 32) + (b >> 32) + (carry >> 32);
        }
        product = next;
    }
    return product[3] < prime ||
           (product[3] == prime && product[2] == 0 && product[1] == 0 && product[0] == 0);
}

// Fractional parts of the cube roots of the first 64 primes, computed so that no table of
// numbers has to be trusted: floor(cbrt(p) * 2^32) by bisection in integers.
constexpr std::array<std::uint32_t, 64> sha256_constants() {
    std::array<std::uint32_t, 64> k{};
    std::uint64_t prime = 1;
    for (auto& value : k) {
        for (bool composite = true; composite;) {
            composite = false;
            ++prime;
            for (std::uint64_t d = 2; d * d <= prime; ++d) composite |= prime % d == 0;
        }
        std::uint64_t root = 0;  // 35 bits: cbrt(311) < 7
        for (int bit = 34; bit >= 0; --bit) {
            const auto tried = root | std::uint64_t{1} << bit;
            if (cube_at_most(tried, prime)) root = tried;
        }
        value = static_cast<std::uint32_t>(root);
    }
    return k;
}

inline constexpr auto sha256_k = sha256_constants();

}  // namespace detail

/// SHA-256 (FIPS 180-4) in portable C++, for devices without an accelerator or a library.
/// 112 bytes of state, 256 of constants, 256 of stack while it runs. Streams; use once.
class sha256 {
public:
    constexpr bool update(bytes data) {
        for (const auto byte : data) {
            block_[static_cast<std::size_t>(length_++ % 64)] = byte;
            if (length_ % 64 == 0) compress();
        }
        return true;
    }

    constexpr bool finish(sha256_digest& out) {
        const auto bits = length_ * 8;
        constexpr std::uint8_t one[]{0x80}, zero[]{0};
        update(one);
        while (length_ % 64 != 56) update(zero);
        for (unsigned shift = 64; shift > 0; shift -= 8) {
            const std::uint8_t byte[]{static_cast<std::uint8_t>(bits >> (shift - 8))};
            update(byte);
        }
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = static_cast<std::uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
        return true;
    }

private:
    constexpr void compress() {
        const auto& k = detail::sha256_k;
        std::array<std::uint32_t, 64> w{};
        for (std::size_t i = 0; i < 16; ++i)
            for (std::size_t byte = 0; byte < 4; ++byte) w[i] = w[i] << 8 | block_[4 * i + byte];
        for (std::size_t i = 16; i < 64; ++i) {
            const auto a = w[i - 15], b = w[i - 2];
            w[i] = w[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ a >> 3) + w[i - 7] +
                   (std::rotr(b, 17) ^ std::rotr(b, 19) ^ b >> 10);
        }
        auto s = state_;
        for (std::size_t i = 0; i < 64; ++i) {
            const auto a = s[0], e = s[4];
            const auto first = s[7] + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                               ((e & s[5]) ^ (~e & s[6])) + k[i] + w[i];
            const auto second = (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) +
                                ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));
            s = {first + second, s[0], s[1], s[2], s[3] + first, s[4], s[5], s[6]};
        }
        for (std::size_t i = 0; i < 8; ++i) state_[i] += s[i];
    }

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> block_{};
    std::uint64_t length_ = 0;
};

}  // namespace femto::update
