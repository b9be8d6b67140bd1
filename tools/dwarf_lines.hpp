// SPDX-License-Identifier: Apache-2.0
// The line table of a BPF object's .debug_line section (DWARF 2 to 5, section 6.2 of DWARF 5): what
// gcc-bpf -g writes, which knows no .BTF.ext.
#pragma once

#include "line_table.hpp"

#include <femto/elf_object.hpp>

#include <vector>

namespace femto_tool {

/// The rows of every line program in `object`, whose bytes are `file`, in the order of the file.
/// The place of a row is where its relocation points to: sections of an object have no addresses yet.
/// Malformed tables give no further rows, never an error.
std::vector<line_entry> dwarf_lines(const femto::elf_object& object,
                                    std::span<const std::byte> file);

}  // namespace femto_tool
