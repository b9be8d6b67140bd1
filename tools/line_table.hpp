// SPDX-License-Identifier: Apache-2.0
// Source lines of a BPF object: from the .BTF and .BTF.ext sections that LLVM writes
// (docs.kernel.org/bpf/btf.html, section 4), which carry the lines themselves, or else from DWARF.
#pragma once

#include <femto/elf_object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace femto_tool {

struct source_line {
    std::string file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string text;  ///< the line itself, if it is known
};

/// From `offset` bytes into `section` on, the code is that of `line`; line 0 is no line.
struct line_entry {
    std::string section;
    std::uint32_t offset = 0;
    source_line line;
};

/// Malformed tables give no lines, never an error: they are a convenience.
class line_table {
public:
    line_table() = default;
    /// The lines of `object`, whose bytes are `file`.
    line_table(const femto::elf_object& object, std::span<const std::byte> file);

    /// The line of the instruction `offset` bytes into `section`. What DWARF names by its file is read
    /// from there, if it is still there.
    [[nodiscard]] std::optional<source_line> find(std::string_view section,
                                                  std::uint64_t offset) const;

private:
    std::vector<line_entry> entries_;  // by section, then offset, as in the file
};

}  // namespace femto_tool
