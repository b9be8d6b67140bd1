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
/// `address` the offset of the item: while there is no error, `address` follows what is read, so
/// that a refusal costs no more code than its number. Each function costs O(1) but `text` and `skip`, which are
/// linear in what they read. Not shared between threads.
class cbor_reader {
public:
    /// Errors get the stage that `first` has in its `pc`.
    constexpr cbor_reader(region input, error& first)
        : at_{input.data.data()}, left_{static_cast<std::uint32_t>(input.data.size())},
          offset_{static_cast<std::uint32_t>(input.offset)}, error_{&first} {}
    constexpr cbor_reader(region input, error& first, std::uint32_t stage)
        : cbor_reader{input, first} {
        if (!failed()) first.pc = stage;
    }

    /// Records an error at the item that was read last, unless there is one already.
    constexpr void refuse(errc code) { record(static_cast<std::uint8_t>(code)); }
    constexpr void refuse(errc code, std::size_t offset) {
        if (!failed()) error_->address = offset;
        refuse(code);
    }
    /// Refusals are about the item that comes next.
    constexpr void mark() {
        if (!failed()) error_->address = offset_;
    }
    [[nodiscard]] constexpr bool failed() const { return error_->code != errc::ok; }
    [[nodiscard]] constexpr error& first_error() const { return *error_; }

    /// Offset of the next item in the outermost document.
    [[nodiscard]] constexpr std::size_t offset() const { return offset_; }
    [[nodiscard]] constexpr bool at_end() const { return failed() || left_ == 0; }
    /// Type of the next item; `simple` at the end.
    [[nodiscard]] constexpr cbor_type peek() const {
        return at_end() ? cbor_type::simple : static_cast<cbor_type>(*at_ >> 5);
    }
    /// What was read since `from`, an earlier `offset()`.
    [[nodiscard]] constexpr region since(std::size_t from) const {
        if (failed()) return {{}, from};
        return {{at_ - (offset_ - from), at_}, from};
    }
    /// What is still to be read.
    [[nodiscard]] constexpr region rest() const { return {{at_, left_}, offset_}; }

    /// Reads one to four bytes, the lowest first: deterministic encoding leaves one way to write an
    /// item. Anything else is refused with `otherwise`.
    constexpr void expect(std::uint32_t encoded, errc otherwise) {
        compare(encoded, static_cast<std::uint8_t>(otherwise));
    }
    /// The next bytes, whatever they are; null after an error.
    constexpr const std::uint8_t* take(std::uint32_t size) {
        const auto* const taken = at_;
        if (size > left_) refuse(errc::update_truncated);
        if (failed()) return nullptr;
        advance(size);
        return taken;
    }

    constexpr std::uint64_t uint() { return head(cbor_type::uint); }
    /// A head of this type whose argument is below 2^31; any larger one is the largest.
    constexpr std::uint32_t small(cbor_type type) {
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(head(type), INT32_MAX));
    }
    /// An integer of 32 bits of either sign; any other one is the largest or smallest.
    constexpr std::int32_t small_integer() {
        const bool negative = peek() == cbor_type::negative;
        const auto value = static_cast<std::int32_t>(small(negative ? cbor_type::negative
                                                                    : cbor_type::uint));
        return negative ? -1 - value : value;
    }
    /// An integer from -2^63 to 2^63 - 1 of either sign.
    constexpr std::int64_t integer() {
        const bool negative = peek() == cbor_type::negative;
        const auto value = head(negative ? cbor_type::negative : cbor_type::uint);
        if (value >> 63) return refuse(errc::update_malformed_cbor), 0;
        return negative ? -1 - static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
    }
    constexpr std::uint64_t tag() { return head(cbor_type::tag); }
    constexpr void null() {
        if (head(cbor_type::simple) != 22) refuse(errc::update_malformed_cbor);
    }

    /// A byte string and where its first byte is.
    constexpr region byte_string() { return string(cbor_type::octets); }
    /// A string of either kind; a text is not decoded.
    constexpr region string(cbor_type type) {
        const auto length = small(type);
        const auto at = offset_;
        if (const auto* const data = take(length)) return {{data, length}, at};
        return {{}, at};
    }
    constexpr region text() {
        const auto value = string(cbor_type::text);
        if (!utf8(value.data)) refuse(errc::update_malformed_cbor);
        return value;
    }
    /// A reader of the items in a byte string (`.cbor`).
    constexpr cbor_reader embedded() { return {byte_string(), *error_}; }

    /// Elements of an array, or pairs of a map. No more than there are bytes, so that a loop over them
    /// ends soon.
    constexpr std::uint32_t array() { return count(cbor_type::array); }
    constexpr std::uint32_t map() { return count(cbor_type::map); }

    /// Skips an item that is nested no deeper than `depth` arrays, maps and tags; deeper ones are
    /// refused with update_too_complex, which bounds the recursion.
    constexpr void skip(unsigned depth = 4);

    /// Refuses bytes that follow the last item.
    constexpr void end() {
        if (!at_end()) refuse(errc::update_malformed_cbor, offset_);
    }

private:
    /// Not sign-extended: two bytes of Thumb code less wherever something is refused.
    constexpr void record(std::uint8_t code) {
        if (!failed()) error_->code = static_cast<errc>(static_cast<std::int8_t>(code));
    }
    constexpr void compare(std::uint32_t encoded, std::uint8_t otherwise) {
        mark();
        do {
            if (at_end()) return refuse(errc::update_truncated);
            if (*at_ != (encoded & 0xff)) return record(otherwise);
            advance(1);
        } while ((encoded >>= 8) != 0);
    }
    constexpr void advance(std::uint32_t length) {
        at_ += length;
        left_ -= length;
        offset_ += length;
    }

    /// Argument of the next head, which must be of this type.
    constexpr std::uint64_t head(cbor_type type) {
        mark();
        auto why = errc::update_truncated;
        if (!at_end()) {
            // Of another type: above 31.
            const std::uint32_t info = *at_ - (static_cast<std::uint32_t>(type) << 5);
            if (info < 24) return advance(1), info;
            // Floating point, and simple values in two bytes, have no place in any format read here.
            if (info > 27 || type == cbor_type::simple) {
                why = info == 31 ? errc::update_non_canonical : errc::update_malformed_cbor;
            } else if (const std::uint32_t length = 1u << (info - 24); left_ > length) {
                std::uint32_t high = 0, low = 0;
                for (std::uint32_t n = 1; n <= length; ++n) {
                    high = high << 8 | low >> 24;
                    low = low << 8 | at_[n];
                }
                if (length == 8 ? high > 0 : low >= (length == 1 ? 24 : 1u << 4 * length)) {
                    advance(1 + length);
                    return std::uint64_t{high} << 32 | low;
                }
                why = errc::update_non_canonical;
            }
        }
        refuse(why);
        return 0;
    }

    constexpr std::uint32_t count(cbor_type type) {
        const auto number = small(type);
        if (number > left_ >> (static_cast<unsigned>(type) & 1)) {  // a map has pairs
            refuse(errc::update_truncated);
            return 0;
        }
        return number;
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

    const std::uint8_t* at_;
    std::uint32_t left_;
    std::uint32_t offset_;
    error* error_;
};

/// Walks the pairs of a map: `next`, read the value, `next`, ... Refuses keys that do not come in
/// bytewise order, each above the one before it (update_non_canonical).
class cbor_map {
public:
    /// What `next` returns after the last pair and after an error, and for a key that is a text.
    static constexpr std::uint32_t none = 0xffffffff, text = 0xfffffffe;

    constexpr explicit cbor_map(cbor_reader& in) : cbor_map{in, in.map()} {}
    /// The last `left` pairs of a map.
    constexpr cbor_map(cbor_reader& in, std::uint32_t left) : in_{in}, left_{left} {}

    /// Reads the next key, an unsigned number or text.
    constexpr std::uint32_t next() {
        if (!begin()) return none;
        const bool is_text = in_.peek() == cbor_type::text;
        const auto key = is_text ? (in_.string(cbor_type::text), text) : in_.small(cbor_type::uint);
        in_order();
        return in_.failed() ? none : key;
    }
    /// Begins a pair whose key the caller reads, followed by `in_order`; false after the last pair.
    constexpr bool begin() {
        key_at_ = in_.offset();
        return left_-- > 0 && !in_.failed();
    }
    constexpr void in_order() {
        const auto key = in_.since(key_at_).data;
        if (!std::ranges::lexicographical_compare(last_, key))
            in_.refuse(errc::update_non_canonical, key_at_);
        last_ = key;
    }

private:
    cbor_reader& in_;
    bytes last_{};
    std::size_t key_at_ = 0;
    std::uint32_t left_;
};

constexpr void cbor_reader::skip(unsigned depth) {
    const auto type = peek();
    switch (type) {
    case cbor_type::uint:
    case cbor_type::negative: head(type); return;
    case cbor_type::octets: byte_string(); return;
    case cbor_type::text: text(); return;
    case cbor_type::simple:
        if (const auto value = head(type); value < 20 || value > 23)
            refuse(errc::update_malformed_cbor);
        return;
    default: break;
    }
    if (depth == 0) return refuse(errc::update_too_complex, offset_);
    if (type == cbor_type::tag) {
        tag();
        skip(depth - 1);
    } else if (type == cbor_type::array) {
        for (auto left = array(); left > 0 && !failed(); --left) skip(depth - 1);
    } else {
        for (cbor_map pairs{*this}; pairs.begin();) {
            skip(depth - 1);
            pairs.in_order();
            skip(depth - 1);
        }
    }
}

}  // namespace femto::update
