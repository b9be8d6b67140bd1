// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/result.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace femto::update {

/// Bytes that somebody else owns.
using bytes = std::span<const std::uint8_t>;

[[nodiscard]] constexpr bool same(bytes a, bytes b) { return std::ranges::equal(a, b); }

/// Bytes and where they begin in the outermost document, so that errors can say where they are.
struct region {
    bytes data{};
    std::size_t offset = 0;
};

/// The major types of RFC 8949 section 3.1.
enum class cbor_type : std::uint8_t { uint, negative, octets, text, array, map, tag, simple };

/// Reads deterministically encoded CBOR (RFC 8949 section 4.2.1) from memory, without allocation.
///
/// Refused: heads that are not the shortest, indefinite lengths, floating point, unassigned simple
/// values, map keys that are unsorted or twice, text that is not UTF-8.
///
/// The first error is kept in the `error` given to the constructor, which readers of nested items
/// share; after it every function returns an empty value and reads nothing. So a caller may read a
/// whole structure and look at the error once, as long as it does nothing irrevocable before.
/// Errors: update_truncated, update_malformed_cbor, update_non_canonical, with `pc` the stage and
/// `address` the offset of the item. Each function costs O(1) but `text` and `skip`, which are
/// linear in what they read. Not shared between threads.
class cbor_reader {
public:
    constexpr cbor_reader(region input, error& first, std::uint32_t stage = 0)
        : input_{input}, error_{&first}, stage_{stage} {}

    /// Records an error at an offset, unless there is one already.
    constexpr void refuse(errc code, std::size_t offset) {
        if (!failed()) *error_ = {code, stage_, offset};
    }
    constexpr void refuse(errc code) { refuse(code, offset()); }
    [[nodiscard]] constexpr bool failed() const { return error_->code != errc::ok; }
    [[nodiscard]] constexpr error& first_error() const { return *error_; }
    [[nodiscard]] constexpr std::uint32_t stage() const { return stage_; }

    /// Offset of the next item in the outermost document.
    [[nodiscard]] constexpr std::size_t offset() const { return input_.offset + at_; }
    [[nodiscard]] constexpr bool at_end() const { return failed() || at_ == input_.data.size(); }
    /// Type of the next item; `simple` at the end.
    [[nodiscard]] constexpr cbor_type peek() const {
        return at_end() ? cbor_type::simple : static_cast<cbor_type>(input_.data[at_] >> 5);
    }
    /// What was read since `from`, an earlier `offset()`.
    [[nodiscard]] constexpr region since(std::size_t from) const {
        if (failed()) return {{}, from};
        return {input_.data.subspan(from - input_.offset, offset() - from), from};
    }

    constexpr std::uint64_t uint() { return head(cbor_type::uint); }
    /// An integer from -2^63 to 2^63 - 1 of either sign.
    constexpr std::int64_t integer() {
        const auto start = offset();
        const bool negative = peek() == cbor_type::negative;
        const auto value = head(negative ? cbor_type::negative : cbor_type::uint);
        if (value >> 63) return refuse(errc::update_malformed_cbor, start), 0;
        return negative ? -1 - static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
    }
    constexpr std::uint64_t tag() { return head(cbor_type::tag); }
    constexpr void null() {
        const auto start = offset();
        if (head(cbor_type::simple) != 22) refuse(errc::update_malformed_cbor, start);
    }

    /// A byte string and where its first byte is.
    constexpr region byte_string() { return string(cbor_type::octets); }
    constexpr region text() {
        const auto start = offset();
        const auto value = string(cbor_type::text);
        if (!utf8(value.data)) refuse(errc::update_malformed_cbor, start);
        return value;
    }
    /// A reader of the items in a byte string (`.cbor`).
    constexpr cbor_reader embedded() { return {byte_string(), *error_, stage_}; }

    /// Elements of an array. No more than there are bytes, so that a loop over them ends soon.
    constexpr std::size_t array() { return count(cbor_type::array, 1); }
    /// Pairs of a map; call `key_done` after each key.
    constexpr std::size_t map() { return count(cbor_type::map, 2); }

    /// Order of the keys of one map: bytewise, each above the one before it.
    class key_order {
    public:
        /// The key from offset `from` to here was read.
        constexpr void done(cbor_reader& reader, std::size_t from) {
            const auto key = reader.since(from).data;
            if (!std::ranges::lexicographical_compare(last_, key))
                reader.refuse(errc::update_non_canonical, from);
            last_ = key;
        }

    private:
        bytes last_{};
    };

    /// Skips an item that is nested no deeper than `depth` arrays, maps and tags; deeper ones are
    /// refused with update_too_complex, which bounds the recursion.
    constexpr void skip(unsigned depth = 4) {
        const auto start = offset();
        switch (peek()) {
        case cbor_type::uint:
        case cbor_type::negative: integer_of_any_size(); return;
        case cbor_type::octets: byte_string(); return;
        case cbor_type::text: text(); return;
        case cbor_type::simple:
            if (const auto value = head(cbor_type::simple); value < 20 || value > 23)
                refuse(errc::update_malformed_cbor, start);
            return;
        default: break;
        }
        if (depth == 0) return refuse(errc::update_too_complex, start);
        if (peek() == cbor_type::tag) {
            tag();
            return skip(depth - 1);
        }
        if (peek() == cbor_type::array) {
            for (auto left = array(); left > 0 && !failed(); --left) skip(depth - 1);
            return;
        }
        key_order order;
        for (auto left = map(); left > 0 && !failed(); --left) {
            const auto key = offset();
            skip(depth - 1);
            order.done(*this, key);
            skip(depth - 1);
        }
    }

    /// Refuses bytes that follow the last item.
    constexpr void end() {
        if (!at_end()) refuse(errc::update_malformed_cbor);
    }

private:
    constexpr void integer_of_any_size() { head(peek()); }

    /// Argument of the next head, which must be of this type.
    constexpr std::uint64_t head(cbor_type type) {
        if (failed()) return 0;
        if (at_ == input_.data.size()) return refuse(errc::update_truncated), 0;
        const auto start = offset();
        const auto initial = input_.data[at_];
        if (static_cast<cbor_type>(initial >> 5) != type)
            return refuse(errc::update_malformed_cbor), 0;
        const unsigned info = initial & 31u;
        if (info == 31) return refuse(errc::update_non_canonical), 0;
        // Floating point, and simple values in two bytes, have no place in any format read here.
        if (info > 27 || (type == cbor_type::simple && info > 23))
            return refuse(errc::update_malformed_cbor), 0;
        ++at_;
        if (info < 24) return info;
        const std::size_t length = std::size_t{1} << (info - 24);
        if (input_.data.size() - at_ < length) return refuse(errc::update_truncated, start), 0;
        std::uint64_t value = 0;
        for (const auto byte : input_.data.subspan(at_, length)) value = value << 8 | byte;
        at_ += length;
        if (length == 1 ? value < 24 : value >> (4 * length) == 0)
            return refuse(errc::update_non_canonical, start), 0;
        return value;
    }

    constexpr region string(cbor_type type) {
        const auto start = offset();
        const auto length = head(type);
        if (failed()) return {};
        if (length > input_.data.size() - at_) return refuse(errc::update_truncated, start), region{};
        const region value{input_.data.subspan(at_, static_cast<std::size_t>(length)), offset()};
        at_ += value.data.size();
        return value;
    }

    constexpr std::size_t count(cbor_type type, std::size_t items) {
        const auto start = offset();
        const auto number = head(type);
        if (number > (input_.data.size() - at_) / items)
            return refuse(errc::update_truncated, start), 0;
        return static_cast<std::size_t>(number);
    }

    /// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
    static constexpr bool utf8(bytes text) {
        for (std::size_t i = 0; i < text.size();) {
            const std::uint32_t first = text[i++];
            if (first < 0x80) continue;
            const unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
            if (first < 0xc2 || first > 0xf4 || text.size() - i < more) return false;
            std::uint32_t point = first & (0x3fu >> more);
            for (unsigned n = 0; n < more; ++n, ++i) {
                if ((text[i] & 0xc0u) != 0x80u) return false;
                point = point << 6 | (text[i] & 0x3fu);
            }
            if (more == 2 && (point < 0x800 || (point >= 0xd800 && point < 0xe000))) return false;
            if (more == 3 && (point < 0x10000 || point > 0x10ffff)) return false;
        }
        return true;
    }

    region input_;
    std::size_t at_ = 0;
    error* error_;
    std::uint32_t stage_;
};

}  // namespace femto::update
