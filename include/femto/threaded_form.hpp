// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/prepared.hpp>

#include <cstddef>
#include <cstdint>

namespace femto::detail {

/// eBPF as it is: what `threaded` runs when nobody gave memory for prepared code.
struct in_place_form {
    using slot = instruction;
    using operands_type = std::uint32_t;
    static constexpr bool prepared = false;
    static constexpr bool has_displacement = false;

    FEMTO_ALWAYS_INLINE static const void* fetch(const slot*& pc, operands_type& operands,
                                                 body_table bodies) {
        operands = instruction::guest(pc->fields);
        ++pc;
        return bodies[operands & 0xff];
    }
    FEMTO_ALWAYS_INLINE static std::uint64_t* dst(std::uint64_t* r, operands_type o) {
        return r + ((o >> 8) & 15);
    }
    FEMTO_ALWAYS_INLINE static std::uint64_t* src(std::uint64_t* r, operands_type o) {
        return r + ((o >> 12) & 15);
    }
    FEMTO_ALWAYS_INLINE static std::int32_t offset(operands_type o) {
        return static_cast<std::int32_t>(o) >> 16;
    }
    /// The offset of an access.
    FEMTO_ALWAYS_INLINE static std::int64_t displacement(operands_type o) { return offset(o); }
    FEMTO_ALWAYS_INLINE static std::int32_t immediate(const slot* pc, operands_type) {
        return pc[-1].imm();
    }
    FEMTO_ALWAYS_INLINE static std::int32_t short_immediate(const slot* pc, operands_type o) {
        return immediate(pc, o);
    }
};

/// Code that `preparation` made; see `prepared_instruction`.
template <class Prepared>
struct prepared_form {
    using slot = prepared_instruction;
    using operands_type = std::uint64_t;
    static constexpr bool prepared = true;
    static constexpr bool has_displacement = !slot::small;

    explicit prepared_form(const Prepared& p)
        : to_immediate_{reinterpret_cast<std::uintptr_t>(p.source().text.data()) -
                        reinterpret_cast<std::uintptr_t>(p.code()) - 4} {}

    FEMTO_ALWAYS_INLINE static const void* fetch(const slot*& pc, operands_type& operands,
                                                 body_table) {
        operands = pc->words_[0];
        std::uint64_t body;
        if constexpr (slot::small) {
            ++pc;
            asm("" : "+r"(operands));  // keeps the halves together: one load that steps `pc`, too
            body = operands >> 32;
        } else {
            body = pc->words_[1];
            ++pc;
        }
        return reinterpret_cast<const void*>(static_cast<std::uintptr_t>(body));
    }
    /// The operands of a slot alone.
    FEMTO_ALWAYS_INLINE static operands_type operands(const slot* pc) {
        return slot::small ? static_cast<std::uint32_t>(pc->words_[0]) : pc->words_[0];
    }
    FEMTO_ALWAYS_INLINE static std::uint64_t* dst(std::uint64_t* r, operands_type o) {
        return at(r, o & 0xff);
    }
    FEMTO_ALWAYS_INLINE static std::uint64_t* src(std::uint64_t* r, operands_type o) {
        return at(r, (o >> 8) & 0xff);
    }
    /// The second source of a fusion.
    FEMTO_ALWAYS_INLINE static std::uint64_t* third(std::uint64_t* r, operands_type o) {
        return at(r, (o >> 16) & 0xff);
    }
    FEMTO_ALWAYS_INLINE static std::int32_t offset(operands_type o) {
        return static_cast<std::int32_t>(static_cast<std::uint32_t>(o)) >> 16;
    }
    /// The offset of an access, or of a jump in bytes; on 64-bit cores in place of the immediate, which
    /// takes one shift.
    FEMTO_ALWAYS_INLINE static std::int64_t displacement(operands_type o) {
        return has_displacement ? static_cast<std::int64_t>(o) >> 32 : offset(o);
    }
    FEMTO_ALWAYS_INLINE std::int32_t immediate(const slot* pc, operands_type o) const {
        if constexpr (slot::small) {
            const auto place = reinterpret_cast<std::uintptr_t>(pc) + to_immediate_;
            const auto word = *reinterpret_cast<const std::uint32_t*>(place);
            return static_cast<std::int32_t>(instruction::guest(word));
        } else {
            return static_cast<std::int32_t>(static_cast<std::int64_t>(o) >> 32);
        }
    }
    FEMTO_ALWAYS_INLINE std::int32_t short_immediate(const slot* pc, operands_type o) const {
        return slot::small ? offset(o) : immediate(pc, o);
    }
    /// What the lddw in the slot before `pc` loads.
    FEMTO_ALWAYS_INLINE static std::uint64_t constant(const slot* pc) { return pc->words_[0]; }

private:
    FEMTO_ALWAYS_INLINE static std::uint64_t* at(std::uint64_t* r, std::uint64_t bytes) {
        return reinterpret_cast<std::uint64_t*>(reinterpret_cast<std::byte*>(r) + bytes);
    }

    /// From behind a slot of code to the immediate in the text: on 32-bit cores slots of both have
    /// the same size.
    std::uintptr_t to_immediate_;
};

}  // namespace femto::detail
