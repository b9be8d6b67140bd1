// SPDX-License-Identifier: Apache-2.0
// What every fuzz target needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace fuzz {

/// Ends the process, so that libFuzzer keeps the input.
inline void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "FAILED: %s\n", what);
    std::abort();
}
inline void require_empty(const std::string& why) { require(why.empty(), why.c_str()); }

/// The input in memory of its own, aligned as loaders want it: ASan sees every byte beyond.
inline std::vector<std::byte> copy(const std::uint8_t* data, std::size_t size) {
    const auto* first = reinterpret_cast<const std::byte*>(data);
    return {first, first + size};
}

/// Takes values off the front of the input; 0 when it is used up.
class reader {
public:
    reader(const std::uint8_t* data, std::size_t size) : data_{data}, left_{size} {}
    std::uint8_t byte() { return left_ == 0 ? std::uint8_t{0} : (--left_, *data_++); }
    template <class T>
    T value() {
        std::uint64_t v = 0;
        for (std::size_t n = 0; n < sizeof(T); ++n) v |= std::uint64_t{byte()} << (8 * n);
        return static_cast<T>(v);
    }
    [[nodiscard]] std::span<const std::uint8_t> rest() const { return {data_, left_}; }

private:
    const std::uint8_t* data_;
    std::size_t left_;
};

}  // namespace fuzz
