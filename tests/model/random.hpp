// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <iterator>

namespace model {

/// xorshift64*: the same numbers everywhere.
class random {
public:
    explicit random(std::uint64_t seed) : state_{seed * 2685821657736338717u + 88172645463325252u} {}
    std::uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 2685821657736338717u;
    }
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((next() >> 33) % n); }
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    /// Edges more often than chance would have them.
    std::int32_t value() {
        constexpr std::int32_t edges[]{0,  1,   -1,  2,      8,       16,         31,
                                       32, 63,  64,  0x7fff, -0x8000, 0x7fffffff, -0x7fffffff - 1,
                                       5,  255, 256, 65535};
        return one_in(2) ? edges[below(std::size(edges))] : static_cast<std::int32_t>(next());
    }

private:
    std::uint64_t state_;
};

}  // namespace model
