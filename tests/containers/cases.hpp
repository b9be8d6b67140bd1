// SPDX-License-Identifier: Apache-2.0
// The example containers, compiled natively, and what each of them is run on: for hosts and boards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

extern "C" {
std::uint64_t fletcher32(const std::uint8_t*, std::uint64_t);
std::uint64_t fletcher32_cpp(const std::uint8_t*, std::uint64_t);
std::uint64_t crc32(const std::uint8_t*, std::uint64_t);
std::uint64_t sort(std::int32_t*, std::uint64_t);
std::int64_t moving_average(const std::int32_t*, std::uint64_t);
struct reading;
std::int64_t format(reading*, std::uint64_t);
std::uint64_t state_machine(const std::uint8_t*, std::uint64_t);
}

namespace examples {

using bytes = std::vector<std::byte>;

/// Fixed numbers, the same in every run of the tests.
inline bytes noise(std::size_t size, std::uint32_t seed) {
    bytes made(size);
    for (auto& b : made) {
        seed = seed * 1664525 + 1013904223;
        b = static_cast<std::byte>(seed >> 24);
    }
    return made;
}
template <class T>
bytes bytes_of(const T& value) {
    bytes made(sizeof(T));
    std::memcpy(made.data(), &value, sizeof(T));
    return made;
}
inline bytes text(const char* s) {
    bytes made(std::strlen(s));
    std::memcpy(made.data(), s, made.size());
    return made;
}
inline bytes request(std::int32_t centidegrees, std::uint32_t sensor) {
    bytes made(64);
    std::memcpy(made.data(), &centidegrees, 4);
    std::memcpy(made.data() + 4, &sensor, 4);
    return made;
}

/// What the runs of one container get, in order; state carries over from one to the next.
inline std::vector<bytes> inputs_of(const std::string& function) {
    std::vector<bytes> inputs;
    if (function == "moving_average") {
        for (std::int32_t n = 0; n < 25; ++n) inputs.push_back(bytes_of((n * 7919) % 301 - 150));
        inputs.push_back(bytes_of(std::int32_t{-2147483647}));
        inputs.push_back(noise(3, 1));
    } else if (function == "state_machine") {
        for (const char* s = "427tx42xt9ttt427x4427ttttttt"; *s != 0; ++s) {
            inputs.push_back(bytes(1, static_cast<std::byte>(*s)));
        }
        inputs.emplace_back();
    } else if (function == "format") {
        inputs = {request(2150, 7), request(-5, 0), request(0, 4294967295u),
                  request(-2147483647 - 1, 42), request(2147483647, 1), noise(63, 1)};
    } else {
        inputs = {{}, noise(4, 9), noise(8, 2), noise(360, 3), noise(1500, 4), noise(2048, 5)};
        if (function != "sort") {
            inputs.push_back(noise(1, 6));
            inputs.push_back(noise(721, 7));
            inputs.push_back(bytes(1440, std::byte{0xff}));
            inputs.push_back(text("123456789"));
        }
    }
    return inputs;
}

struct answer {
    std::uint64_t value;
    bytes context;
};

inline std::uint64_t native(const std::string& function, bytes& context) {
    void* const at = context.data();
    const std::uint64_t n = context.size();
    const auto* const octets = static_cast<const std::uint8_t*>(at);
    if (function == "fletcher32" || function == "fletcher32_rust") return fletcher32(octets, n);
    if (function == "fletcher32_cpp") return fletcher32_cpp(octets, n);
    if (function == "crc32") return crc32(octets, n);
    if (function == "sort") return sort(static_cast<std::int32_t*>(at), n);
    if (function == "format") {
        return static_cast<std::uint64_t>(format(static_cast<reading*>(at), n));
    }
    if (function == "moving_average") {
        return static_cast<std::uint64_t>(moving_average(static_cast<std::int32_t*>(at), n));
    }
    return state_machine(octets, n);
}

/// What the native code answers to the inputs, which keeps state between runs as containers do: ask
/// once for each function.
inline std::vector<answer> answers_of(const std::string& function) {
    std::vector<answer> answers;
    for (bytes& context : inputs_of(function)) {
        const std::uint64_t value = native(function, context);
        answers.push_back({value, context});
    }
    return answers;
}

}  // namespace examples

