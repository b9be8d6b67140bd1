// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"
#include "container.hpp"
#include "host_helpers.hpp"

#include <femto/disassembler.hpp>

#include <algorithm>
#include <cstdio>
#include <set>

namespace femto_tool {
namespace {

using machine = femto::vm<host_config, host_helpers>;

std::string string(std::string_view s) { return std::string{s}; }

void print_sections(const container& c) {
    const auto& object = c.object();
    std::printf("sections\n");
    for (std::uint32_t n = 1; n < object.sections(); ++n) {
        const auto s = object.section(n);
        if ((s.flags & femto::elf::section_flag::alloc) == 0) continue;
        std::printf("  %-24s %6llu bytes  %s\n", string(object.name_of(s)).c_str(),
                    static_cast<unsigned long long>(s.size),
                    (s.flags & femto::elf::section_flag::execute) != 0 ? "text"
                    : (s.flags & femto::elf::section_flag::write) != 0 ? "data"
                                                                       : "rodata");
    }
    const auto needs = object.requirements();
    std::printf("in memory\n  text %zu slots%s, rodata %zu bytes%s, data %zu bytes\n", needs.text,
                needs.text_in_place ? " (may stay in flash)" : "", needs.rodata,
                needs.rodata_in_place && needs.rodata != 0 ? " (may stay in flash)" : "",
                needs.data);
}

void print_helpers(const container& c) {
    std::set<std::uint32_t> ids;
    const auto text = c.program().text;
    for (std::size_t pc = 0; pc < text.size(); pc += femto::disassemble(text, pc).slots) {
        if (text[pc].opcode() == 0x85 && text[pc].src() == 0) {
            ids.insert(static_cast<std::uint32_t>(text[pc].imm()));
        }
    }
    std::printf("helpers%s\n", ids.empty() ? "\n  none" : "");
    for (const auto id : ids) {
        if (id >= first_unknown_helper) {
            std::printf("  by name %s (not one of femto run)\n",
                        c.unknown()[id - first_unknown_helper].c_str());
            continue;
        }
        const auto& known = host_helpers::prototypes;
        const auto found =
            std::find_if(known.begin(), known.end(), [&](const auto& p) { return p.id == id; });
        std::printf("  0x%02x %s\n", id,
                    found == known.end() ? "(not one of femto run)" : string(found->name).c_str());
    }
}

/// Lets every helper be called, since the stack depends on none.
struct any_helper {
    static constexpr std::uint64_t bit_of(std::uint32_t) { return 1; }
};

void print_text(const container& c) {
    const auto text = c.program().text;
    std::uint32_t last_line = 0;
    for (std::uint32_t pc = 0; pc < text.size();) {
        for (const auto& f : c.program().functions) {
            if (f.start == pc) std::printf("\n%s:\n", string(f.name).c_str());
        }
        const auto line = c.line_at(pc);
        if (line && line->line != last_line) {
            std::printf("; %s:%u: %s\n", line->file.c_str(), line->line, line->text.c_str());
            last_line = line->line;
        }
        const auto i = femto::disassemble(text, pc);
        std::printf("%6u:  %s\n", pc, string(i.text()).c_str());
        pc += i.slots;
    }
}

}  // namespace

int inspect(const std::string& path, bool disassembly) {
    const container c{path, femto::address_space::segmented, host_helpers::prototypes,
                      unknown_helpers::number};
    print_sections(c);
    std::printf("functions\n");
    for (const auto& f : c.program().functions) {
        std::printf("  %-24s at %u\n", string(f.name).c_str(), f.start);
    }
    print_helpers(c);
    std::vector<std::uint8_t> scratch(c.program().text.size());
    const auto verified =
        femto::verify<femto::rules_of(host_config), any_helper>(c.program(), scratch);
    if (verified) {
        const unsigned frames = verified->call_depth() + 1u;
        std::printf("stack\n  %u bytes: %u frame%s of %u\n", frames * verified->frame_size(), frames,
                    frames == 1 ? "" : "s", verified->frame_size());
    } else {
        std::printf("stack\n  unknown: verification refuses the program, see femto verify\n");
    }
    if (disassembly) print_text(c);
    return 0;
}

int verify(const std::string& path) {
    const container c{path, femto::address_space::segmented, host_helpers::prototypes};
    std::vector<std::uint8_t> scratch(c.program().text.size());
    const auto verified = machine::verify(c.program(), scratch);
    if (!verified) {
        print_diagnostic(c, verified.error(), refusal_note(verified.error()));
        return 1;
    }
    std::printf("%s: verified; %zu slots, %u bytes of stack, %u nested calls\n", path.c_str(),
                c.program().text.size(), (verified->call_depth() + 1u) * verified->frame_size(),
                verified->call_depth());
    return 0;
}

}  // namespace femto_tool
