// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/memory.hpp>
#include <femto/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

/// The parts of the ELF64 format (System V gABI, chapter 4) that BPF objects use. Every structure is
/// read field by field at any alignment, and every position is checked against the file first.
namespace femto::elf {

inline constexpr std::uint16_t machine_bpf = 247;
inline constexpr std::uint16_t type_relocatable = 1;

enum class section_type : std::uint32_t {
    null = 0, progbits = 1, symtab = 2, strtab = 3, rela = 4, note = 7, nobits = 8, rel = 9,
};
namespace section_flag {
inline constexpr std::uint64_t write = 1;
inline constexpr std::uint64_t alloc = 2;
inline constexpr std::uint64_t execute = 4;
}  // namespace section_flag

inline constexpr std::uint16_t index_undefined = 0;
inline constexpr std::uint16_t index_common = 0xfff2;

enum class symbol_type : std::uint8_t { none, object, function, section, file };

/// LLVM's numbers (docs.kernel.org/bpf/llvm_reloc.html); the last two are those of binutils
/// before 2.41 for the same things.
enum class relocation_type : std::uint32_t {
    insn64 = 1,     ///< R_BPF_64_64: the two immediates of lddw
    abs64 = 2,      ///< R_BPF_64_ABS64
    abs32 = 3,      ///< R_BPF_64_ABS32
    nodyld32 = 4,   ///< R_BPF_64_NODYLD32
    insn32 = 10,    ///< R_BPF_64_32: the immediate of a call
    old_data32 = 11,
    old_data64 = 12,
};

struct section_header {
    std::uint32_t name;
    section_type type;
    std::uint64_t flags;
    std::uint64_t offset;
    std::uint64_t size;
    std::uint32_t link;
    std::uint32_t info;
    std::uint64_t alignment;
    std::uint64_t entry_size;
};

struct symbol {
    std::uint32_t name;
    symbol_type type;
    bool global;
    std::uint16_t section;
    std::uint64_t value;
    std::uint64_t size;
};

struct relocation {
    std::uint64_t offset;
    relocation_type type;
    std::uint32_t symbol;
};

/// A file whose bounds are checked at each access.
class file_view {
public:
    constexpr file_view() = default;
    constexpr explicit file_view(std::span<const std::byte> bytes) : bytes_{bytes} {}

    /// Whether `size` bytes lie at `offset`.
    [[nodiscard]] constexpr bool has(std::uint64_t offset, std::uint64_t size) const {
        return offset <= bytes_.size() && size <= bytes_.size() - offset;
    }
    /// A field; 0 outside the file, so that callers must have asked `has` for the whole structure.
    template <class T>
    [[nodiscard]] constexpr T field(std::uint64_t offset) const {
        if (!has(offset, sizeof(T))) return 0;
        return load_little<T>(bytes_.data() + static_cast<std::size_t>(offset));
    }
    [[nodiscard]] constexpr std::span<const std::byte> part(std::uint64_t offset,
                                                            std::uint64_t size) const {
        if (!has(offset, size)) return {};
        return bytes_.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
    }
    /// The zero-terminated string at `offset` of the string table `table`; empty if it does not end
    /// inside the table.
    [[nodiscard]] std::string_view string(const section_header& table, std::uint32_t offset) const {
        const auto bytes = part(table.offset, table.size);
        if (table.type != section_type::strtab || offset >= bytes.size()) return {};
        const char* first = reinterpret_cast<const char*>(bytes.data()) + offset;
        const std::string_view rest{first, bytes.size() - offset};
        const std::size_t end = rest.find('\0');
        return end == rest.npos ? std::string_view{} : rest.substr(0, end);
    }

    [[nodiscard]] constexpr section_header section(std::uint64_t at) const {
        return {field<std::uint32_t>(at),
                static_cast<section_type>(field<std::uint32_t>(at + 4)),
                field<std::uint64_t>(at + 8),
                field<std::uint64_t>(at + 24),
                field<std::uint64_t>(at + 32),
                field<std::uint32_t>(at + 40),
                field<std::uint32_t>(at + 44),
                field<std::uint64_t>(at + 48),
                field<std::uint64_t>(at + 56)};
    }
    [[nodiscard]] constexpr symbol symbol_at(std::uint64_t at) const {
        const auto info = field<std::uint8_t>(at + 4);
        return {field<std::uint32_t>(at),       static_cast<symbol_type>(info & 15),
                (info >> 4) != 0,               field<std::uint16_t>(at + 6),
                field<std::uint64_t>(at + 8),   field<std::uint64_t>(at + 16)};
    }
    [[nodiscard]] constexpr relocation relocation_at(std::uint64_t at) const {
        return {field<std::uint64_t>(at),
                static_cast<relocation_type>(field<std::uint32_t>(at + 8)),
                field<std::uint32_t>(at + 12)};
    }

    static constexpr std::uint64_t header_size = 64;
    static constexpr std::uint64_t section_size = 64;
    static constexpr std::uint64_t symbol_size = 24;
    static constexpr std::uint64_t relocation_size = 16;

private:
    std::span<const std::byte> bytes_;
};

}  // namespace femto::elf
