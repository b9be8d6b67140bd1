// SPDX-License-Identifier: Apache-2.0
#include "any_helper.hpp"
#include "commands.hpp"
#include "container.hpp"
#include "hooks.hpp"
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

const char* permission_name(femto::permission p) {
    constexpr const char* names[]{"none", "read", "write", "read and write"};
    return names[static_cast<unsigned>(p)];
}

void print_image(const femto::image& i) {
    std::printf("image of %zu bytes, version %u\n  text %u slots, rodata %u bytes, data %u bytes, bss %u "
                "bytes\n",
                i.bytes().size(), femto::image_format::version, i.text_size() / 8, i.rodata_size(),
                i.data_size(), i.bss_size());
    std::printf("in memory\n  data and bss %u bytes, a mark for each slot %u bytes%s\n", i.data_storage(),
                i.text_size() / 8, "; text and rodata stay in flash");
    const auto r = i.request();
    std::printf("request\n  fuel %u instructions a run\n  stack %u bytes\n  stores %u entries\n", r.fuel,
                r.stack, r.store_entries);
    if (r.suspends) std::printf("  suspends\n");
    for (std::uint32_t n = 0; n < i.regions(); ++n) {
        std::printf("  region %u: %s, at guest address 0x%u00000000\n", i.region(n).id,
                    permission_name(i.region(n).wanted), n + femto::region_number::first_free);
    }
    std::printf("entries\n");
    for (std::uint32_t n = 0; n < i.entries(); ++n) {
        const auto id = i.entry_hook(n);
        const auto text = to_string(id);
        const auto title = hook_title(id);
        std::printf("  hook %s%s%s%s at %u\n", text.c_str(), title == text ? "" : " (",
                    title == text ? "" : title.c_str(), title == text ? "" : ")", i.entry_pc(n));
    }
}

void print_helpers(const container& c) {
    const auto ids = c.kind() == file_kind::image ? requested_helpers(c.image()) : called_helpers(c.program());
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
    if (c.kind() == file_kind::image) {
        print_image(c.image());
    } else {
        if (c.kind() == file_kind::object) {
            print_sections(c);
        } else {
            std::printf("image of Femto-Containers, %zu bytes\n  text %zu slots, rodata %zu bytes, data "
                        "%zu bytes\n",
                        c.file_size(), c.program().text.size(), c.program().rodata.size(),
                        c.program().data.size());
        }
        std::printf("functions\n");
        for (const auto& f : c.program().functions) {
            std::printf("  %-24s at %u\n", string(f.name).c_str(), f.start);
        }
    }
    print_helpers(c);
    std::vector<std::uint8_t> scratch(c.program().text.size());
    const auto verified = verify_any(c.program(), scratch);
    if (verified) {
        const unsigned calls = verified->call_depth();
        std::printf("stack\n  %u bytes: %u frame%s of %u", verified->stack_needed(), calls + 1,
                    calls == 0 ? "" : "s", verified->frame_size());
        if (calls != 0) std::printf(", and %u saved by each call", femto::saved_frame_size);
        std::printf("\n");
    } else {
        std::printf("stack\n  unknown: verification refuses the program, see femto verify\n");
    }
    if (disassembly) print_text(c);
    return 0;
}

int verify(const std::string& path) {
    const container c{path, femto::address_space::segmented, host_helpers::prototypes};
    std::vector<std::uint8_t> scratch(c.program().text.size());
    // An object is for the helpers that are here, an image for those that it asks for.
    const auto say = [&](const auto& verified) {
        if (!verified) {
            print_diagnostic(c, verified.error(), refusal_note(verified.error()));
            return 1;
        }
        std::printf("%s: verified; %zu slots, %u bytes of stack, %u nested calls\n", path.c_str(),
                    c.program().text.size(), verified->stack_needed(), verified->call_depth());
        return 0;
    };
    switch (c.kind()) {
        case file_kind::image: return say(verify_image(c.image(), c.program(), scratch));
        case file_kind::rbpf_image: return say(verify_any(c.program(), scratch));
        default: return say(machine::verify(c.program(), scratch));
    }
}

}  // namespace femto_tool
