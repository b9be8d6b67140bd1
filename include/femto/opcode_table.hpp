// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
#include <femto/isa.hpp>
#include <femto/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace femto::detail {

/// The rows of opcodes.def that share an opcode, with what a set of groups makes of them; for constant
/// expressions. `refusal` is ok if one variant is allowed.
struct opcode_rows {
    errc refusal{};
    field_rules uses{};
    std::uint8_t variants = 0;
    std::array<std::uint8_t, 15> selectors{};
};

[[nodiscard]] constexpr std::array<opcode_rows, 256> rows_by_opcode(group allowed) {
    std::array<opcode_rows, 256> by_opcode{};
    // Not as the member's initialiser: GCC 12 forgets that from the second evaluation on.
    for (auto& rows : by_opcode) rows.refusal = errc::illegal_instruction;
    for (const auto& info : instruction_list) {
        auto& rows = by_opcode[info.opcode];
        if (info.group == group::packet) {
            rows.refusal = errc::unsupported_instruction;
        } else if (contains(allowed, info.group)) {
            rows.refusal = errc::ok;
            rows.uses = rules_of(info.format);
            rows.selectors[rows.variants++] = info.selector;
        } else if (rows.variants == 0) {
            rows.refusal = errc::unsupported_group;
        }
    }
    return by_opcode;
}

/// What the verifier knows of an opcode on the device, in 16 bits: what RFC 9669 wants of the fields,
/// and which slice of the table's selectors has the variants. Of a refused one, why.
struct opcode_shape {
    std::uint16_t bits = 0;

    /// Bits 0 to 7; fields without any of theirs hold a value.
    enum rule : std::uint8_t {
        no_destination = 0x01,
        no_source = 0x02,
        no_offset = 0x04,
        no_immediate = 0x08,
        writes_destination = 0x10,
        source_selects = 0x20,
        offset_selects = 0x40,
        immediate_selects = 0x80,
    };
    [[nodiscard]] constexpr bool has(rule r) const { return (bits & r) != 0; }
    /// Bits 8 to 11 and 12 to 15.
    [[nodiscard]] constexpr std::uint32_t variants() const { return bits >> 8 & 15u; }
    [[nodiscard]] constexpr std::uint32_t first_variant() const { return bits >> 12; }

    /// Bits 0 to 7 are the error, negated, if there is no variant.
    [[nodiscard]] constexpr bool is_refused() const { return bits < 0x100; }
    [[nodiscard]] constexpr errc refusal() const {
        return is_refused() ? static_cast<errc>(-bits) : errc::ok;
    }
    friend constexpr bool operator==(const opcode_shape&, const opcode_shape&) = default;
};

[[nodiscard]] constexpr bool holds(opcode_shape::rule rule, const field_rules& uses) {
    switch (rule) {
        case opcode_shape::no_destination: return uses.destination == use::none;
        case opcode_shape::no_source: return uses.source == use::none;
        case opcode_shape::no_offset: return uses.offset == use::none;
        case opcode_shape::no_immediate: return uses.immediate == use::none;
        case opcode_shape::writes_destination: return uses.destination == use::write;
        case opcode_shape::source_selects: return uses.source == use::selector;
        case opcode_shape::offset_selects: return uses.offset == use::selector;
        default: return uses.immediate == use::selector;
    }
}

/// The opcodes of a set of groups: 193 bytes for all of them. Opcodes share at most 16 shapes with bit
/// 3 (a register as operand, mostly) and 16 without, so that four bits are enough for each, and none
/// from 0xe0 on is defined.
template <std::size_t Shapes, std::size_t Selectors>
struct opcode_table {
    static constexpr std::uint32_t end = 0xe0;
    std::array<std::uint8_t, end / 2> shape_of{};   ///< even opcodes in the low half of a byte
    std::array<opcode_shape, Shapes> shapes{};      ///< two for each number: bit 3 clear, set
    std::array<std::uint8_t, Selectors> selectors{};

    [[nodiscard]] constexpr opcode_shape operator[](std::uint32_t opcode) const {
        if (opcode >= end) opcode = 0;  // undefined, too
        const std::uint32_t number = shape_of[opcode / 2] >> (opcode % 2 * 4) & 15u;
        return shapes[number * 2 + (opcode >> 3) % 2];
    }
    [[nodiscard]] constexpr bool has_variant(opcode_shape shape, std::uint32_t selector) const {
        const std::uint8_t* at = selectors.data() + shape.first_variant();
        std::uint32_t left = shape.variants();
        do {
            if (*at++ == selector) return true;
        } while (--left != 0);
        return false;
    }
};

/// Compresses opcodes.def. What does not fit is an index out of bounds, so a compile error.
class opcode_compressor {
public:
    constexpr explicit opcode_compressor(group allowed) {
        const auto by_opcode = rows_by_opcode(allowed);
        for (std::size_t size = 1; size <= 15; ++size) {  // the short lists first: more overlap
            for (const auto& rows : by_opcode) {
                if (rows.variants == size) place(rows);
            }
        }
        for (std::size_t opcode = 0; opcode < table_.end; ++opcode) {
            const opcode_shape shape = shape_of(by_opcode[opcode]);
            const std::size_t form = opcode >> 3 & 1u;
            std::size_t number = 0;
            while (number < used_[form] && table_.shapes[number * 2 + form] != shape) ++number;
            if (number == used_[form]) table_.shapes[used_[form]++ * 2 + form] = shape;
            table_.shape_of[opcode / 2] |= static_cast<std::uint8_t>(number << opcode % 2 * 4);
        }
    }
    [[nodiscard]] constexpr std::size_t shapes() const { return 2 * std::max(used_[0], used_[1]); }
    [[nodiscard]] constexpr std::size_t selectors() const { return pool_; }
    template <std::size_t Shapes, std::size_t Selectors>
    [[nodiscard]] constexpr opcode_table<Shapes, Selectors> table() const {
        opcode_table<Shapes, Selectors> small;
        small.shape_of = table_.shape_of;
        std::copy_n(table_.shapes.begin(), Shapes, small.shapes.begin());
        std::copy_n(table_.selectors.begin(), Selectors, small.selectors.begin());
        return small;
    }

private:
    /// Where the variants lie in the pool, which grows if they are not there yet.
    constexpr std::size_t place(const opcode_rows& rows) {
        const auto fits = [&](std::size_t at) {
            for (std::size_t n = 0; n < rows.variants && at + n < pool_; ++n) {
                if (table_.selectors[at + n] != rows.selectors[n]) return false;
            }
            return true;
        };
        std::size_t at = 0;
        while (!fits(at)) ++at;
        std::copy_n(rows.selectors.begin(), rows.variants, table_.selectors.begin() + at);
        pool_ = std::max(pool_, at + rows.variants);
        return at;
    }
    constexpr opcode_shape shape_of(const opcode_rows& rows) {
        if (rows.refusal != errc::ok) {
            return {static_cast<std::uint16_t>(-static_cast<int>(rows.refusal))};
        }
        std::size_t bits = place(rows) << 12 | std::size_t{rows.variants} << 8;
        for (std::uint32_t rule = 1; rule < 0x100; rule *= 2) {
            if (holds(static_cast<opcode_shape::rule>(rule), rows.uses)) bits |= rule;
        }
        return {static_cast<std::uint16_t>(bits)};
    }

    opcode_table<32, 32> table_{};
    std::array<std::size_t, 2> used_{};
    std::size_t pool_ = 0;
};

/// Tells most slots at once from those that need a closer look: in them, every field that the
/// instruction does not use and the one that selects its variant is zero, and no register is above
/// r9. 328 bytes, for those who are not short of them.
struct plain_slot_table {
    /// Which bits have to be zero.
    struct rule {
        std::uint32_t fields = 0;
        std::uint32_t immediate = 0;
        friend constexpr bool operator==(const rule&, const rule&) = default;
    };
    std::array<std::uint8_t, 256> rule_of{};  ///< by opcode; 0: it is never plain
    std::array<rule, 9> rules{};  // the first is of none

    constexpr explicit plain_slot_table(group allowed) {
        const auto by_opcode = rows_by_opcode(allowed);
        for (std::size_t opcode = 0; opcode < 256; ++opcode) {
            if (!can_be_plain(static_cast<std::uint8_t>(opcode), by_opcode[opcode])) continue;
            const auto zero = [](use u) { return u == use::none || u == use::selector; };
            const field_rules& uses = by_opcode[opcode].uses;
            const rule wanted{(zero(uses.destination) ? 0xf00u : 0) | (zero(uses.source) ? 0xf000u : 0) |
                                  (zero(uses.offset) ? 0xffff0000u : 0),
                              zero(uses.immediate) ? 0xffffffffu : 0};
            std::uint8_t n = 1;
            while (rules[n] != wanted && rules[n] != rule{}) ++n;
            rules[n] = wanted;
            rule_of[opcode] = n;
        }
    }
    /// The first slot of `text` from `pc` on that is not plain, or `size`.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::uint32_t end_of_plain(const instruction* text, std::uint32_t pc,
                                                       std::uint32_t size) const {
        const instruction* at = text + pc;
        const instruction* const end = text + size;
        for (; at != end; ++at) {
            const std::uint32_t word = instruction::guest(at->fields);
            const std::uint32_t n = rule_of[word & 0xff];
            if (n == 0) [[unlikely]] break;
            // A register above r9 carries out of its half of the byte.
            const std::uint32_t carries = ((word + 0x6600) ^ word) & 0x11000;
            const rule& zero = rules[n];
            if (((word & zero.fields) | (instruction::guest(at->immediate) & zero.immediate) |
                 carries) != 0) [[unlikely]] {
                break;
            }
        }
        return static_cast<std::uint32_t>(at - text);
    }

private:
    /// Whether nothing more is to be known of an opcode if its selector is 0. Loads of 64 bits and
    /// calls refer to other slots and to helpers.
    static constexpr bool can_be_plain(std::uint8_t opcode, const opcode_rows& rows) {
        const auto* last = rows.selectors.begin() + rows.variants;
        return rows.refusal == errc::ok && std::find(rows.selectors.begin(), last, 0) != last &&
               class_of(opcode) != instruction_class::ld && opcode != opcode::call_helper &&
               opcode != opcode::callx;
    }
};

template <group Allowed>
inline constexpr plain_slot_table plain_slots{Allowed};

template <group Allowed>
inline constexpr auto opcodes = [] {
    constexpr opcode_compressor all{Allowed};
    return all.table<all.shapes(), all.selectors()>();
}();

}  // namespace femto::detail
