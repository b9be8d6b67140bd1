// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/elf_object.hpp>
#include <femto/helper.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace femto {
namespace detail {

/// Puts an object into the caller's memory and resolves its references.
class elf_linker {
public:
    elf_linker(const elf_object& object, const elf_storage& to, address_space space)
        : object_{object}, to_{to}, space_{space} {}

    template <class IdOf>
    [[nodiscard]] result<program> link(IdOf&& id_of) {
        const error refused = place();
        if (refused.code != errc::ok) return failure{refused};
        for (std::uint32_t n = 1; n < object_.sections(); ++n) {
            const error unresolved = relocate(n, id_of);
            if (unresolved.code != errc::ok) return failure{unresolved};
        }
        return program_;
    }

private:
    using kind = elf_object::kind;

    [[nodiscard]] error place() {
        const elf_requirements needs = object_.requirements();
        const bool copy_text = !to_.text.empty() || !needs.text_in_place;
        const bool copy_rodata = !to_.rodata.empty() || !needs.rodata_in_place;
        if (copy_text && to_.text.size() < needs.text) return {errc::no_space, 0, needs.text};
        if (copy_rodata && to_.rodata.size() < needs.rodata) {
            return {errc::no_space, 0, needs.rodata};
        }
        if (to_.data.size() < needs.data) return {errc::no_space, 0, needs.data};
        if (to_.functions.size() < needs.functions) return {errc::no_space, 0, needs.functions};

        if (copy_text) {
            object_.copy(kind::text, std::as_writable_bytes(to_.text));
            program_.text = to_.text.first(needs.text);
        } else {
            const auto bytes = *object_.in_place(kind::text);
            program_.text = {reinterpret_cast<const instruction*>(bytes.data()),
                             bytes.size() / sizeof(instruction)};
        }
        if (copy_rodata) {
            object_.copy(kind::rodata, to_.rodata);
            program_.rodata = to_.rodata.first(needs.rodata);
        } else {
            program_.rodata = *object_.in_place(kind::rodata);
        }
        object_.copy(kind::data, to_.data);
        program_.data = to_.data.first(needs.data);
        program_.functions = to_.functions.first(object_.list_functions(to_.functions));
        return {};
    }

    /// What a relocation refers to: a byte of a segment.
    struct target {
        kind segment = kind::none;
        std::uint64_t offset = 0;

        [[nodiscard]] bool misaligned() const {
            return segment == kind::text && offset % sizeof(instruction) != 0;
        }
    };
    /// `in_place` is the value that the relocated field holds: an addend, to which old binutils have
    /// added the symbol's value already.
    [[nodiscard]] target resolve(std::uint32_t number, std::uint64_t in_place) const {
        const auto s = object_.symbol(number);
        if (s.section == elf::index_common) return {kind::data, object_.common(number) + in_place};
        if (s.section == elf::index_undefined || s.section >= object_.sections()) return {};
        const kind k = object_.kind_of(object_.section(s.section));
        const bool added = object_.value_in_place_ && s.type != elf::symbol_type::section;
        return {k, object_.base_of(s.section) + (added ? 0 : s.value) + in_place};
    }
    [[nodiscard]] std::uint64_t address(const target& t) const {
        if (t.segment == kind::text) {
            return code_address(static_cast<std::uint32_t>(t.offset / sizeof(instruction)));
        }
        const bool rodata = t.segment == kind::rodata;
        if (space_ == address_space::segmented) {
            return segmented_address(rodata ? region_number::rodata : region_number::data) +
                   t.offset;
        }
        const auto* base = rodata ? program_.rodata.data() : program_.data.data();
        return reinterpret_cast<std::uintptr_t>(base) + t.offset;
    }

    template <class IdOf>
    [[nodiscard]] error relocate(std::uint32_t number, IdOf&& id_of) {
        const auto table = object_.section(number);
        const bool rela = table.type == elf::section_type::rela;
        if (table.type != elf::section_type::rel && !rela) return {};
        if (table.info == 0 || table.info >= object_.sections()) {
            return {errc::elf_bad_section, number, table.info};
        }
        const auto place = object_.section(table.info);
        const kind k = object_.kind_of(place);
        if (k == kind::none || place.type == elf::section_type::nobits) return {};
        if (rela) return {errc::elf_bad_section, number, table.entry_size};
        const std::uint64_t base = object_.base_of(table.info);
        for (std::uint64_t at = 0; at + elf::file_view::relocation_size <= table.size;
             at += elf::file_view::relocation_size) {
            const auto r = object_.file_.relocation_at(table.offset + at);
            const std::uint64_t width = k == kind::text
                                            ? (r.type == elf::relocation_type::insn64 ? 16 : 8)
                                            : wide(r.type) ? 8
                                                           : 4;
            if (r.offset > place.size || place.size - r.offset < width ||
                (k == kind::text && r.offset % sizeof(instruction) != 0) ||
                r.symbol >= object_.symbols()) {
                return {errc::elf_bad_relocation, table.info, r.offset};
            }
            const error refused = k == kind::text ? relocate_text(r, table.info, base, id_of)
                                                  : relocate_data(r, table.info, k, base);
            if (refused.code != errc::ok) return refused;
        }
        return {};
    }
    /// From the slot behind `pc` to `to`; wraps around for what verification will refuse.
    [[nodiscard]] static std::int32_t distance(std::uint32_t pc, std::uint32_t to) {
        return static_cast<std::int32_t>(to - pc - 1);
    }
    [[nodiscard]] static bool wide(elf::relocation_type t) {
        return t == elf::relocation_type::abs64 || t == elf::relocation_type::old_data64;
    }

    template <class IdOf>
    [[nodiscard]] error relocate_text(const elf::relocation& r, std::uint32_t in,
                                      std::uint64_t base, IdOf&& id_of) {
        const auto pc = static_cast<std::uint32_t>((base + r.offset) / sizeof(instruction));
        const auto text = to_.text;
        instruction& i = text[pc];
        const auto s = object_.symbol(r.symbol);
        const auto addend = static_cast<std::uint64_t>(std::int64_t{i.imm()});
        if (r.type == elf::relocation_type::insn64) {
            if (i.opcode() != 0x18) return {errc::elf_bad_relocation, in, r.offset};
            const target t = resolve(r.symbol, addend);
            if (t.segment == kind::none) return {errc::elf_undefined_symbol, pc, r.symbol};
            if (t.misaligned()) return {errc::elf_bad_relocation, in, r.offset};
            const auto offset = static_cast<std::int32_t>(t.offset);
            if (t.segment == kind::text) {
                i = instruction::make(0x18, i.dst(), 4, 0,
                                      distance(pc, static_cast<std::uint32_t>(t.offset / 8)));
                text[pc + 1] = instruction::make(0);
            } else {
                const auto number = t.segment == kind::rodata ? section::rodata : section::data;
                i = instruction::make(0x18, i.dst(), 6, 0, static_cast<std::int32_t>(number));
                text[pc + 1] = instruction::make(0, 0, 0, 0, offset);
            }
            return {};
        }
        if (r.type != elf::relocation_type::insn32) {
            return {errc::elf_unsupported_relocation, in, static_cast<std::uint32_t>(r.type)};
        }
        if (i.opcode() != 0x85) return {errc::elf_bad_relocation, in, r.offset};
        if (s.section == elf::index_undefined) {
            const std::optional<std::uint32_t> id = id_of(object_.symbol_name(r.symbol));
            if (!id) return {errc::elf_unknown_helper, pc, r.symbol};
            i = instruction::make(0x85, 0, 0, 0, static_cast<std::int32_t>(*id));
            return {};
        }
        // With a section's symbol the immediate counts slots from its start, less one; with a
        // function's it is -1 (LLVM) or says nothing (binutils before 2.41).
        if (s.section >= object_.sections() ||
            object_.kind_of(object_.section(s.section)) != kind::text) {
            return {errc::elf_undefined_symbol, pc, r.symbol};
        }
        const std::uint64_t slots =
            s.type == elf::symbol_type::section ? addend + 1 : std::uint64_t{0};
        i = instruction::make(0x85, 0, 1, 0,
                              distance(pc, object_.slot_of(s, slots * 8)));
        return {};
    }

    [[nodiscard]] error relocate_data(const elf::relocation& r, std::uint32_t in, kind k,
                                      std::uint64_t base) {
        std::byte* const field = (k == kind::rodata ? to_.rodata : to_.data).data() + base + r.offset;
        using enum elf::relocation_type;
        if (r.type != abs64 && r.type != abs32 && r.type != nodyld32 && r.type != old_data64 &&
            r.type != old_data32) {
            return {errc::elf_unsupported_relocation, in, static_cast<std::uint32_t>(r.type)};
        }
        const std::uint64_t addend = wide(r.type) ? load_little<std::uint64_t>(field)
                                                  : load_little<std::uint32_t>(field);
        const target t = resolve(r.symbol, addend);
        if (t.segment == kind::none) {
            return {errc::elf_undefined_symbol, static_cast<std::uint32_t>(r.offset), r.symbol};
        }
        const std::uint64_t value = address(t);
        // In the segmented space a 32-bit field gets the offset; a host address must fit.
        const bool truncated = space_ == address_space::flat && !wide(r.type) && value >> 32 != 0;
        if (t.misaligned() || truncated) return {errc::elf_bad_relocation, in, r.offset};
        if (wide(r.type)) {
            store_little(field, value);
        } else {
            store_little(field, static_cast<std::uint32_t>(value));
        }
        return {};
    }

    const elf_object& object_;
    const elf_storage& to_;
    address_space space_;
    program program_{};
};

}  // namespace detail

/// Puts `object` into the caller's memory: copies what must be in RAM and resolves every reference.
/// `id_of` takes the name of an undefined function and returns the id of the helper to call, as
/// std::optional<std::uint32_t>. Pointers stored in data are guest addresses in `space`.
/// The first of the program's functions is the first global one outside .text, if there is one, or
/// else the first global one; local functions come last. Reentrant.
/// Errors: no_space, elf_bad_section, elf_bad_relocation, elf_unsupported_relocation,
/// elf_undefined_symbol, elf_unknown_helper.
template <class IdOf>
[[nodiscard]] result<program> load_elf(const elf_object& object, const elf_storage& to,
                                       address_space space, IdOf&& id_of) {
    return detail::elf_linker{object, to, space}.link(id_of);
}

/// Looks helpers up by their names in a helper_set.
template <class Helpers>
struct helper_names {
    [[nodiscard]] constexpr std::optional<std::uint32_t> operator()(std::string_view name) const {
        for (const auto& p : Helpers::prototypes) {
            if (p.name == name) return p.id;
        }
        return std::nullopt;
    }
};

/// Opens and loads in one step; helpers are found by their names in `Helpers`.
template <class Helpers>
[[nodiscard]] result<program> load_elf(std::span<const std::byte> file, const elf_storage& to,
                                       address_space space) {
    const auto object = elf_object::open(file);
    if (!object) return failure{object.error()};
    return load_elf(*object, to, space, helper_names<Helpers>{});
}

}  // namespace femto
