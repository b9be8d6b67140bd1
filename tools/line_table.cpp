// SPDX-License-Identifier: Apache-2.0
#include "line_table.hpp"

#include <femto/elf_format.hpp>

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
    [[nodiscard]] std::string_view at(std::uint32_t offset) const {
        if (offset >= strings_.size()) return {};
        const std::string_view rest{reinterpret_cast<const char*>(strings_.data()) + offset,
                                    strings_.size() - offset};
        return rest.substr(0, rest.find('\0'));
    }

private:
    std::span<const std::byte> strings_;
};

}  // namespace

line_table::line_table(std::span<const std::byte> btf, std::span<const std::byte> btf_ext) {
    const string_table strings{btf};
    const femto::elf::file_view view{btf_ext};
    if (view.field<std::uint16_t>(0) != btf_magic) return;
    const std::uint64_t lines =
        std::uint64_t{view.field<std::uint32_t>(4)} + view.field<std::uint32_t>(16);
    const auto info = femto::elf::file_view{view.part(lines, view.field<std::uint32_t>(20))};
    const auto size = info.field<std::uint32_t>(0);
    if (size < 16) return;
    for (std::uint64_t at = 4; info.has(at, 8);) {
        const auto section = strings.at(info.field<std::uint32_t>(at));
        const auto count = info.field<std::uint32_t>(at + 4);
        at += 8;
        for (std::uint32_t n = 0; n < count && info.has(at, size); ++n, at += size) {
            const auto position = info.field<std::uint32_t>(at + 12);
            entries_.push_back({section, info.field<std::uint32_t>(at),
                                {strings.at(info.field<std::uint32_t>(at + 4)), position >> 10,
                                 position & 0x3ff, strings.at(info.field<std::uint32_t>(at + 8))}});
        }
    }
}

std::optional<source_line> line_table::find(std::string_view section, std::uint64_t offset) const {
    const entry* best = nullptr;
    for (const auto& e : entries_) {
        if (e.section == section && e.offset <= offset && (!best || e.offset >= best->offset)) {
            best = &e;
        }
    }
    if (best == nullptr || best->line.line == 0) return std::nullopt;
    return best->line;
}

}  // namespace femto_tool
