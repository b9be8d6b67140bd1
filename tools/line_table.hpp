// SPDX-License-Identifier: Apache-2.0
// Source lines of a BPF object, from the .BTF and .BTF.ext sections that clang -g writes
// (docs.kernel.org/bpf/btf.html, section 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace femto_tool {

struct source_line {
    std::string_view file;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::string_view text;  ///< the line itself, as the compiler saw it
};

/// Views into the object, which must outlive it. Malformed tables give no lines, never an error: they
/// are a convenience.
class line_table {
public:
    line_table() = default;
    line_table(std::span<const std::byte> btf, std::span<const std::byte> btf_ext);

    /// The line of the instruction `offset` bytes into `section`.
    [[nodiscard]] std::optional<source_line> find(std::string_view section,
                                                  std::uint64_t offset) const;

private:
    struct entry {
        std::string_view section;
        std::uint32_t offset;
        source_line line;
    };
    std::vector<entry> entries_;  // by section, then offset, as in the file
};

}  // namespace femto_tool
