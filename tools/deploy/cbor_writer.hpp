// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace femto_tool {

using octets = std::vector<std::uint8_t>;

/// Writes CBOR with the shortest heads and definite lengths (RFC 8949, section 4.2.1). Whoever
/// writes a map gives its keys in order.
class cbor_writer {
public:
    cbor_writer& uint(std::uint64_t value) { return head(0, value); }
    cbor_writer& integer(std::int64_t value) {
        return value < 0 ? head(1, ~static_cast<std::uint64_t>(value))
                         : head(0, static_cast<std::uint64_t>(value));
    }
    cbor_writer& byte_string(std::span<const std::uint8_t> value) {
        head(2, value.size());
        return raw(value);
    }
    cbor_writer& text(std::string_view value) {
        head(3, value.size());
        out_.insert(out_.end(), value.begin(), value.end());
        return *this;
    }
    cbor_writer& array(std::size_t items) { return head(4, items); }
    cbor_writer& map(std::size_t pairs) { return head(5, pairs); }
    cbor_writer& tag(std::uint64_t number) { return head(6, number); }
    cbor_writer& boolean(bool value) { return head(7, value ? 21 : 20); }
    cbor_writer& null() { return head(7, 22); }
    /// What another one wrote, as the content of a byte string (`.cbor`).
    cbor_writer& embed(const cbor_writer& inner) { return byte_string(inner.out_); }
    /// Bytes that are CBOR already.
    cbor_writer& raw(std::span<const std::uint8_t> encoded) {
        out_.insert(out_.end(), encoded.begin(), encoded.end());
        return *this;
    }

    [[nodiscard]] const octets& bytes() const { return out_; }

private:
    cbor_writer& head(unsigned type, std::uint64_t value) {
        const unsigned length = value < 24 ? 0 : value < 1u << 8 ? 1 : value < 1u << 16 ? 2
                                : value >> 32 == 0               ? 4
                                                                 : 8;
        const unsigned info = length == 0   ? static_cast<unsigned>(value)
                              : length == 1 ? 24
                              : length == 2 ? 25
                              : length == 4 ? 26
                                            : 27;
        out_.push_back(static_cast<std::uint8_t>(type << 5 | info));
        for (unsigned n = length; n > 0; --n)
            out_.push_back(static_cast<std::uint8_t>(value >> (8 * (n - 1))));
        return *this;
    }

    octets out_;
};

}  // namespace femto_tool
