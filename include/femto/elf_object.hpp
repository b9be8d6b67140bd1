// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/elf_format.hpp>
#include <femto/program.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace femto {

namespace detail {
class elf_linker;
}

/// What a loaded object needs of the caller's memory.
struct elf_requirements {
    std::size_t text = 0;       ///< instruction slots
    std::size_t rodata = 0;     ///< bytes
    std::size_t data = 0;       ///< bytes, initialised and zero
    std::size_t functions = 0;  ///< entries
    bool text_in_place = false;    ///< the text needs no change and may stay in the object
    bool rodata_in_place = false;  ///< so may the rodata
};

/// The caller's memory. `text` and `rodata` may be left empty where the object can be used in place;
/// it must then outlive the program. Names of functions always point into the object.
struct elf_storage {
    std::span<instruction> text;
    std::span<std::byte> rodata;  ///< aligned to 8
    std::span<std::byte> data;    ///< aligned to 8
    std::span<function> functions;
};

/// The place in the object that a slot of a loaded program came from.
struct elf_location {
    std::uint32_t section = 0;
    std::string_view section_name;
    std::uint64_t offset = 0;  ///< bytes from the start of the section
};

/// A relocatable object as clang 14 to 22 and gcc-bpf write them, opened for loading.
///
/// Executable sections become the text, one after the other; allocated sections that are not written
/// become the rodata; the others, zero-initialised ones last, the data. Calls between sections, calls
/// of undefined functions (helpers by name), addresses of data and of functions are resolved. Debug
/// information, .eh_frame, BTF and notes are passed over, their relocations, too.
///
/// Nothing is stored beside the view of the file: what a relocation needs is looked up in its tables.
/// A load takes time linear in relocations times sections (times symbols for those that are common);
/// `max_sections`, and one table of relocations for a section, bound what a hostile file can ask for.
/// Reentrant.
class elf_object {
public:
    static constexpr std::uint32_t max_sections = 512;
    /// Of a section, within its segment: a guest address is as aligned as the caller's memory.
    static constexpr std::uint64_t max_alignment = 4096;

    /// Checks headers, sections and symbols. Errors: elf_truncated, elf_not_elf, elf_wrong_kind,
    /// elf_bad_section, elf_bad_symbol, elf_unsupported_section, elf_too_complex.
    [[nodiscard]] static result<elf_object> open(std::span<const std::byte> file) {
        elf_object object;
        object.file_ = elf::file_view{file};
        const error refused = object.check();
        if (refused.code != errc::ok) return failure{refused};
        return object;
    }

    [[nodiscard]] elf_requirements requirements() const {
        elf_requirements r;
        r.text = size_of(kind::text) / sizeof(instruction);
        r.rodata = size_of(kind::rodata);
        r.data = size_of(kind::data);
        for (std::uint32_t n = 0; n < symbols(); ++n) {
            if (is_function(symbol(n))) ++r.functions;
        }
        r.text_in_place = in_place(kind::text).has_value();
        r.rodata_in_place = in_place(kind::rodata).has_value();
        return r;
    }

    /// Where slot `pc` of the loaded text came from.
    [[nodiscard]] elf_location locate(std::uint32_t pc) const {
        for (std::uint32_t n = 1; n < sections_; ++n) {
            const auto s = section(n);
            const std::uint64_t base = base_of(n);
            const std::uint64_t at = std::uint64_t{pc} * sizeof(instruction);
            if (kind_of(s) == kind::text && at >= base && at - base < s.size) {
                return {n, name_of(s), at - base};
            }
        }
        return {};
    }
    /// The bytes of the first section called `name`, empty if there is none.
    [[nodiscard]] std::span<const std::byte> find_section(std::string_view name) const {
        for (std::uint32_t n = 1; n < sections_; ++n) {
            const auto s = section(n);
            if (s.type == elf::section_type::progbits && name_of(s) == name) {
                return file_.part(s.offset, s.size);
            }
        }
        return {};
    }
    /// The name of symbol `number`; empty if there is no such symbol.
    [[nodiscard]] std::string_view symbol_name(std::uint64_t number) const {
        if (number >= symbols()) return {};
        return file_.string(section(strings_), symbol(static_cast<std::uint32_t>(number)).name);
    }
    [[nodiscard]] std::uint32_t sections() const { return sections_; }
    [[nodiscard]] elf::section_header section(std::uint32_t number) const {
        return file_.section(table_ + number * elf::file_view::section_size);
    }
    [[nodiscard]] std::string_view name_of(const elf::section_header& s) const {
        return file_.string(section(names_), s.name);
    }

private:
    friend class detail::elf_linker;
    enum class kind : std::uint8_t { none, text, rodata, data };

    [[nodiscard]] error check() {
        using elf::file_view;
        if (!file_.has(0, file_view::header_size)) {
            return {file_.field<std::uint32_t>(0) == 0x464c457f ? errc::elf_truncated
                                                                : errc::elf_not_elf,
                    0, file_view::header_size};
        }
        if (file_.field<std::uint32_t>(0) != 0x464c457f) return {errc::elf_not_elf, 0, 0};
        constexpr std::uint16_t class64_little = 0x0102;
        if (file_.field<std::uint16_t>(4) != class64_little) return {errc::elf_wrong_kind, 0, 4};
        if (file_.field<std::uint16_t>(16) != elf::type_relocatable) {
            return {errc::elf_wrong_kind, 0, 16};
        }
        if (file_.field<std::uint16_t>(18) != elf::machine_bpf) return {errc::elf_wrong_kind, 0, 18};
        if (file_.field<std::uint16_t>(58) != file_view::section_size) {
            return {errc::elf_wrong_kind, 0, 58};
        }
        table_ = file_.field<std::uint64_t>(40);
        sections_ = file_.field<std::uint16_t>(60);
        names_ = file_.field<std::uint16_t>(62);
        if (sections_ > max_sections) return {errc::elf_too_complex, 0, sections_};
        if (!file_.has(table_, sections_ * file_view::section_size)) {
            return {errc::elf_truncated, 0, table_ + sections_ * file_view::section_size};
        }
        if (names_ >= sections_) return {errc::elf_bad_section, names_, sections_};
        return check_sections();
    }

    [[nodiscard]] error check_sections() {
        constexpr std::uint64_t most = 0x10000000;  // so that no sum of sizes wraps around
        std::uint64_t total = 0;
        for (std::uint32_t n = 1; n < sections_; ++n) {
            const auto s = section(n);
            if (s.type == elf::section_type::null) continue;
            if (s.type != elf::section_type::nobits && !file_.has(s.offset, s.size)) {
                return {errc::elf_truncated, n, s.offset + s.size};
            }
            if (kind_of(s) != kind::none) {
                // LLVM 22 aligns arrays that it clears by wide stores to 32.
                const bool aligned =
                    s.alignment <= max_alignment && (s.alignment & (s.alignment - 1)) == 0;
                total += s.size;
                if (s.size > most || total > most) return {errc::elf_bad_section, n, s.size};
                if (!aligned) return {errc::elf_bad_section, n, s.alignment};
                if (kind_of(s) == kind::text && s.size % sizeof(instruction) != 0) {
                    return {errc::elf_bad_section, n, s.size};
                }
                const std::string_view name = name_of(s);
                if (name == ".maps" || name == "maps") return {errc::elf_unsupported_section, n, 0};
            }
            if (s.type == elf::section_type::symtab) {
                if (symbols_ != 0 || s.entry_size != elf::file_view::symbol_size ||
                    s.size % s.entry_size != 0 || s.link >= sections_) {
                    return {errc::elf_bad_section, n, s.entry_size};
                }
                symbols_ = n;
                strings_ = s.link;
            }
            if (s.type == elf::section_type::rel && s.entry_size != elf::file_view::relocation_size) {
                return {errc::elf_bad_section, n, s.entry_size};
            }
            // One table for a section, or a small file could ask for any amount of work.
            for (std::uint32_t m = 1; s.type == elf::section_type::rel && m < n; ++m) {
                const auto other = section(m);
                if (other.type == elf::section_type::rel && other.info == s.info) {
                    return {errc::elf_bad_section, n, s.info};
                }
            }
            if (name_of(s) == ".comment") {
                const auto bytes = file_.part(s.offset, s.size);
                const std::string_view text{reinterpret_cast<const char*>(bytes.data()),
                                            bytes.size()};
                value_in_place_ = text.find("GCC: ") != text.npos;
            }
        }
        for (std::uint32_t n = 1; n < symbols(); ++n) {
            const auto s = symbol(n);
            const bool placed = s.section != elf::index_undefined && s.section < 0xff00;
            if (placed && (s.section >= sections_ || s.value > section(s.section).size)) {
                return {errc::elf_bad_symbol, n, s.value};
            }
            if (is_function(s) && symbol_name(n).empty()) return {errc::elf_bad_symbol, n, s.name};
            if (is_function(s) && s.value % sizeof(instruction) != 0) {
                return {errc::elf_bad_symbol, n, s.value};
            }
            if (s.section == elf::index_common) {
                if (s.size > most) return {errc::elf_bad_symbol, n, s.size};
                total += s.size + 16;  // with its alignment
                if (total > most) return {errc::elf_bad_symbol, n, s.size};
            }
        }
        return {};
    }

    [[nodiscard]] kind kind_of(const elf::section_header& s) const {
        const bool bits = s.type == elf::section_type::progbits;
        const bool none = s.type == elf::section_type::nobits;
        if ((s.flags & elf::section_flag::alloc) == 0 || (!bits && !none)) return kind::none;
        if ((s.flags & elf::section_flag::execute) != 0) return bits ? kind::text : kind::none;
        if ((s.flags & elf::section_flag::write) != 0 || none) return kind::data;
        // Allocated, but for unwinding, which nothing does here: neither it nor its relocations.
        return name_of(s) == ".eh_frame" ? kind::none : kind::rodata;
    }

    [[nodiscard]] std::uint32_t symbols() const {
        if (symbols_ == 0) return 0;
        return static_cast<std::uint32_t>(section(symbols_).size / elf::file_view::symbol_size);
    }
    [[nodiscard]] elf::symbol symbol(std::uint32_t number) const {
        return file_.symbol_at(section(symbols_).offset + number * elf::file_view::symbol_size);
    }
    [[nodiscard]] bool is_function(const elf::symbol& s) const {
        return s.type == elf::symbol_type::function && s.section < sections_ &&
               s.section != elf::index_undefined && kind_of(section(s.section)) == kind::text &&
               s.value < section(s.section).size;
    }

    /// Calls `visit(number, header, base)` for each section of a kind, with its offset in the loaded
    /// segment; zero-initialised sections after the others. Returns the size of the segment.
    template <class Visit>
    std::uint64_t each(kind wanted, Visit&& visit) const {
        std::uint64_t at = 0;
        for (const bool zero : {false, true}) {
            for (std::uint32_t n = 1; n < sections_; ++n) {
                const auto s = section(n);
                if (kind_of(s) != wanted || (s.type == elf::section_type::nobits) != zero) continue;
                if (s.size != 0) at = aligned(at, s.alignment);
                visit(n, s, at);
                at += s.size;
            }
        }
        return at;
    }
    [[nodiscard]] static std::uint64_t aligned(std::uint64_t at, std::uint64_t alignment) {
        return alignment < 2 ? at : (at + alignment - 1) & ~(alignment - 1);
    }
    [[nodiscard]] std::uint64_t base_of(std::uint32_t number) const {
        std::uint64_t base = 0;
        each(kind_of(section(number)), [&](std::uint32_t n, const auto&, std::uint64_t at) {
            if (n == number) base = at;
        });
        return base;
    }
    /// Common symbols lie behind the data; the place of `number`, or the end of all.
    [[nodiscard]] std::uint64_t common(std::uint32_t number) const {
        std::uint64_t at = each(kind::data, [](auto, const auto&, auto) {});
        for (std::uint32_t n = 0; n < symbols(); ++n) {
            const auto s = symbol(n);
            if (s.section != elf::index_common) continue;
            at = aligned(at, std::min<std::uint64_t>(s.value, 16));
            if (n == number) return at;
            at += s.size;
        }
        return at;
    }
    [[nodiscard]] std::size_t size_of(kind k) const {
        const std::uint64_t size =
            k == kind::data ? common(~0u) : each(k, [](auto, const auto&, auto) {});
        return static_cast<std::size_t>(size);
    }

    /// The only section of a kind, if it is the whole segment, needs no relocation and is aligned.
    [[nodiscard]] std::optional<std::span<const std::byte>> in_place(kind k) const {
        std::uint32_t only = 0;
        unsigned count = 0;
        each(k, [&](std::uint32_t n, const auto& s, auto) {
            if (s.size == 0) return;
            only = n;
            ++count;
        });
        if (count == 0) return std::span<const std::byte>{};
        if (count > 1) return std::nullopt;
        for (std::uint32_t n = 1; n < sections_; ++n) {
            const auto s = section(n);
            if (s.type == elf::section_type::rel && s.info == only && s.size != 0) {
                return std::nullopt;
            }
        }
        const auto s = section(only);
        const auto bytes = file_.part(s.offset, s.size);
        const std::size_t wanted = k == kind::text ? alignof(instruction) : 8;
        if (reinterpret_cast<std::uintptr_t>(bytes.data()) % wanted != 0) return std::nullopt;
        return bytes;
    }

    void copy(kind k, std::span<std::byte> to) const {
        std::fill_n(to.begin(), size_of(k), std::byte{0});
        each(k, [&](auto, const auto& s, std::uint64_t base) {
            if (s.type == elf::section_type::nobits || s.size == 0) return;
            std::memcpy(to.data() + base, file_.part(s.offset, s.size).data(),
                        static_cast<std::size_t>(s.size));
        });
    }

    std::size_t list_functions(std::span<function> to) const {
        std::size_t count = 0;
        for (const int order : {0, 1, 2}) {
            for (std::uint32_t n = 0; n < symbols(); ++n) {
                const auto s = symbol(n);
                if (!is_function(s)) continue;
                const bool in_text = name_of(section(s.section)) == ".text";
                if ((s.global ? (in_text ? 1 : 0) : 2) != order) continue;
                to[count++] = {symbol_name(n), slot_of(s, 0)};
            }
        }
        return count;
    }
    [[nodiscard]] std::uint32_t slot_of(const elf::symbol& s, std::uint64_t addend) const {
        return static_cast<std::uint32_t>((base_of(s.section) + s.value + addend) /
                                          sizeof(instruction));
    }

    elf::file_view file_;
    std::uint64_t table_ = 0;       ///< file offset of the section headers
    std::uint32_t sections_ = 0;
    std::uint32_t names_ = 0;       ///< section with the names of sections
    std::uint32_t symbols_ = 0;     ///< section of the symbols, 0 if there is none
    std::uint32_t strings_ = 0;     ///< section with the names of symbols
    bool value_in_place_ = false;   ///< written by binutils before 2.41
};

}  // namespace femto
