// SPDX-License-Identifier: Apache-2.0
#include "line_table.hpp"

#include "dwarf_lines.hpp"

#include <femto/elf_format.hpp>

#include <filesystem>
#include <fstream>

namespace femto_tool {
namespace {

constexpr std::uint16_t btf_magic = 0xeb9f;

class string_table {
public:
    explicit string_table(std::span<const std::byte> btf) {
        const femto::elf::file_view view{btf};
        if (view.field<std::uint16_t>(0) != btf_magic) return;
        const auto header = view.field<std::uint32_t>(4);
        strings_ = view.part(std::uint64_t{header} + view.field<std::uint32_t>(16),
                             view.field<std::uint32_t>(20));
    }
    [[nodiscard]] std::string at(std::uint32_t offset) const {
        if (offset >= strings_.size()) return {};
        const std::string_view rest{reinterpret_cast<const char*>(strings_.data()) + offset,
                                    strings_.size() - offset};
        return std::string{rest.substr(0, rest.find('\0'))};
    }

private:
    std::span<const std::byte> strings_;
};

std::vector<line_entry> btf_lines(std::span<const std::byte> btf,
                                  std::span<const std::byte> btf_ext) {
    std::vector<line_entry> entries;
    const string_table strings{btf};
    const femto::elf::file_view view{btf_ext};
    if (view.field<std::uint16_t>(0) != btf_magic) return entries;
    const std::uint64_t lines =
        std::uint64_t{view.field<std::uint32_t>(4)} + view.field<std::uint32_t>(16);
    const auto info = femto::elf::file_view{view.part(lines, view.field<std::uint32_t>(20))};
    const auto size = info.field<std::uint32_t>(0);
    if (size < 16) return entries;
    for (std::uint64_t at = 4; info.has(at, 8);) {
        const auto section = strings.at(info.field<std::uint32_t>(at));
        const auto count = info.field<std::uint32_t>(at + 4);
        at += 8;
        for (std::uint32_t n = 0; n < count && info.has(at, size); ++n, at += size) {
            const auto position = info.field<std::uint32_t>(at + 12);
            entries.push_back({section, info.field<std::uint32_t>(at),
                               {strings.at(info.field<std::uint32_t>(at + 4)), position >> 10,
                                position & 0x3ff, strings.at(info.field<std::uint32_t>(at + 8))}});
        }
    }
    return entries;
}

/// Line `number` of a file, empty if there is none. The object names the file, so it may be anything.
std::string line_of(const std::string& file, std::uint32_t number) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) return {};
    std::ifstream in{file};
    std::string text;
    while (number > 0 && std::getline(in, text)) --number;
    return number == 0 ? text : std::string{};
}

}  // namespace

line_table::line_table(const femto::elf_object& object, std::span<const std::byte> file)
    : entries_{btf_lines(object.find_section(".BTF"), object.find_section(".BTF.ext"))} {
    if (entries_.empty()) entries_ = dwarf_lines(object, file);
}

std::optional<source_line> line_table::find(std::string_view section, std::uint64_t offset) const {
    const line_entry* best = nullptr;
    for (const auto& e : entries_) {
        if (e.section == section && e.offset <= offset && (!best || e.offset >= best->offset)) {
            best = &e;
        }
    }
    if (best == nullptr || best->line.line == 0) return std::nullopt;
    source_line line = best->line;
    if (line.text.empty()) line.text = line_of(line.file, line.line);
    return line;
}

}  // namespace femto_tool
