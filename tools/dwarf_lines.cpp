// SPDX-License-Identifier: Apache-2.0
#include "dwarf_lines.hpp"

#include <femto/elf_format.hpp>

#include <map>

namespace femto_tool {
namespace {

namespace elf = femto::elf;

/// Reads one value after the other; 0 behind the end.
struct reader {
    elf::file_view view;
    std::uint64_t at = 0;
    std::uint64_t end = 0;

    [[nodiscard]] bool more() const { return at < end; }
    template <class T>
    T take() {
        const T value = end - at >= sizeof(T) && more() ? view.field<T>(at) : T{0};
        at += sizeof(T);
        return value;
    }
    std::uint8_t u8() { return take<std::uint8_t>(); }
    std::uint16_t u16() { return take<std::uint16_t>(); }
    std::uint32_t u32() { return take<std::uint32_t>(); }
    std::uint64_t uleb() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; more(); shift += 7) {
            const std::uint8_t byte = u8();
            if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
            if ((byte & 0x80) == 0) break;
        }
        return value;
    }
    std::int64_t sleb() {
        std::uint64_t value = 0;
        unsigned shift = 0;
        std::uint8_t byte = 0x80;
        while ((byte & 0x80) != 0 && more()) {
            byte = u8();
            if (shift < 64) value |= std::uint64_t{byte & 0x7fu} << shift;
            shift += 7;
        }
        if ((byte & 0x40) != 0 && shift < 64) value |= ~std::uint64_t{0} << shift;
        return static_cast<std::int64_t>(value);
    }
    std::string string() {
        std::string s;
        while (more()) {
            const char c = static_cast<char>(u8());
            if (c == '\0') break;
            s += c;
        }
        return s;
    }
};

class line_programs {
public:
    line_programs(const femto::elf_object& object, std::span<const std::byte> file)
        : object_{object}, file_{file}, lines_{object.find_section(".debug_line")},
          line_strings_{object.find_section(".debug_line_str")},
          strings_{object.find_section(".debug_str")} {
        find_sections();
    }

    std::vector<line_entry> all() {
        reader in{elf::file_view{lines_}, 0, lines_.size()};
        while (in.more()) {
            const std::uint64_t length = in.u32();
            if (length >= 0xfffffff0 || length > in.end - in.at) break;  // 64-bit DWARF, or damaged
            const std::uint64_t next = in.at + length;
            unit({in.view, in.at, next});
            in.at = next;
        }
        return std::move(entries_);
    }

private:
    /// Which section the address at each place of .debug_line is in.
    void find_sections() {
        for (std::uint32_t n = 1; n < object_.sections(); ++n) {
            const auto s = object_.section(n);
            if (s.type != elf::section_type::rel || s.info >= object_.sections() ||
                s.link >= object_.sections() ||
                object_.name_of(object_.section(s.info)) != ".debug_line") {
                continue;
            }
            for (std::uint64_t at = 0; at + elf::file_view::relocation_size <= s.size;
                 at += elf::file_view::relocation_size) {
                const auto r = file_.relocation_at(s.offset + at);
                const auto symbol = file_.symbol_at(object_.section(s.link).offset +
                                                    r.symbol * elf::file_view::symbol_size);
                if (symbol.section < object_.sections()) section_at_[r.offset] = symbol.section;
            }
        }
    }

    struct form {
        std::uint64_t content, code;
    };
    /// A name, a number or nothing of a version 5 entry.
    struct field {
        std::string text;
        std::uint64_t number = 0;
    };
    static std::string string_of(std::span<const std::byte> table, std::uint64_t offset) {
        reader in{elf::file_view{table}, offset, table.size()};
        return in.string();
    }
    field take(reader& in, std::uint64_t code) const {
        switch (code) {
            case 0x08: return {in.string()};                        // string
            case 0x1f: return {string_of(line_strings_, in.u32())};  // line_strp
            case 0x0e: return {string_of(strings_, in.u32())};       // strp
            case 0x0f: return {{}, in.uleb()};                      // udata
            case 0x0b: return {{}, in.u8()};
            case 0x05: return {{}, in.u16()};
            case 0x06: return {{}, in.u32()};
            case 0x07: in.at += 8; return {};
            case 0x1e: in.at += 16; return {};  // data16: an MD5 digest
            default: in.at = in.end; return {};
        }
    }
    struct file_name {
        std::string name;
        std::uint64_t directory = 0;
    };
    std::vector<file_name> table(reader& in) const {
        std::vector<form> forms(in.u8());
        for (auto& f : forms) f = {in.uleb(), in.uleb()};
        std::vector<file_name> names;
        for (std::uint64_t n = in.uleb(); n > 0 && in.more() && !forms.empty(); --n) {
            file_name name;
            for (const auto& f : forms) {
                field value = take(in, f.code);
                if (f.content == 1) name.name = std::move(value.text);
                if (f.content == 2) name.directory = value.number;
            }
            names.push_back(std::move(name));
        }
        return names;
    }
    static std::string joined(const std::string& directory, const std::string& name) {
        return directory.empty() || name.starts_with("/") ? name : directory + "/" + name;
    }

    void unit(reader in) {
        const auto version = in.u16();
        if (version < 2 || version > 5) return;
        if (version == 5 && in.u16() != 0x0008) return;  // 8-byte addresses, no segments
        const std::uint64_t program = in.u32() + in.at;
        const std::uint8_t step = in.u8();
        if (version >= 4) in.u8();  // operations of a VLIW instruction
        in.u8();                    // is_stmt
        const auto line_base = static_cast<std::int8_t>(in.u8());
        const std::uint8_t line_range = in.u8();
        const std::uint8_t opcode_base = in.u8();
        if (line_range == 0 || opcode_base < 10) return;
        std::vector<std::uint8_t> operands(opcode_base);
        for (unsigned n = 1; n < opcode_base; ++n) operands[n] = in.u8();

        // Paths by file number; directory 0 is where the compiler ran, and only version 5 tells.
        std::vector<std::string> files;
        if (version == 5) {
            const auto directories = table(in);
            for (const auto& f : table(in)) {
                const bool known = f.directory < directories.size();
                files.push_back(joined(known ? directories[f.directory].name : "", f.name));
            }
        } else {
            std::vector<std::string> directories{""};
            while (in.more()) {
                directories.push_back(in.string());
                if (directories.back().empty()) break;
            }
            files.emplace_back();
            while (in.more()) {
                const std::string name = in.string();
                if (name.empty()) break;
                const std::uint64_t directory = in.uleb();
                in.uleb();
                in.uleb();
                files.push_back(joined(directory < directories.size() ? directories[directory] : "",
                                       name));
            }
        }
        if (program < in.end) {
            in.at = program;
            rows(in, files, operands, {step, line_base, line_range, opcode_base});
        }
    }

    struct parameters {
        std::uint8_t step;
        std::int8_t line_base;
        std::uint8_t line_range, opcode_base;
    };
    void rows(reader in, const std::vector<std::string>& files,
              const std::vector<std::uint8_t>& operands, parameters p) {
        std::uint64_t address = 0, file = 1, column = 0;
        std::uint32_t section = 0, line = 1;
        const auto add = [&](std::uint64_t n) { line += static_cast<std::uint32_t>(n); };
        const auto advance = [&](std::uint64_t n) { address += n * p.step; };
        const auto row = [&](bool ends) {
            if (section == 0) return;
            source_line at;
            if (!ends && file < files.size()) {
                at = {files[file], line, static_cast<std::uint32_t>(column), {}};
            }
            entries_.push_back({std::string{object_.name_of(object_.section(section))},
                                static_cast<std::uint32_t>(address), std::move(at)});
        };
        while (in.more()) {
            const std::uint8_t opcode = in.u8();
            if (opcode >= p.opcode_base) {
                const unsigned special = opcode - unsigned{p.opcode_base};
                advance(special / p.line_range);
                add(static_cast<std::uint64_t>(p.line_base + std::int64_t{special % p.line_range}));
                row(false);
                continue;
            }
            switch (opcode) {
                case 0: {  // extended
                    const std::uint64_t size = in.uleb();
                    if (size == 0 || size > in.end - in.at) return;
                    const std::uint64_t next = in.at + size;
                    const std::uint8_t kind = in.u8();
                    if (kind == 1) {  // end_sequence
                        row(true);
                        address = column = section = 0;
                        file = line = 1;
                    } else if (kind == 2) {  // set_address
                        const auto known = section_at_.find(in.at);
                        section = known == section_at_.end() ? 0 : known->second;
                        address = in.take<std::uint64_t>();
                    }
                    in.at = next;
                    break;
                }
                case 1: row(false); break;
                case 2: advance(in.uleb()); break;
                case 3: add(static_cast<std::uint64_t>(in.sleb())); break;
                case 4: file = in.uleb(); break;
                case 5: column = in.uleb(); break;
                case 8: advance((255u - p.opcode_base) / p.line_range); break;
                case 9: address += in.u16(); break;
                default:
                    for (unsigned n = 0; n < operands[opcode]; ++n) in.uleb();
                    break;
            }
        }
    }

    const femto::elf_object& object_;
    elf::file_view file_;
    std::span<const std::byte> lines_, line_strings_, strings_;
    std::map<std::uint64_t, std::uint32_t> section_at_;
    std::vector<line_entry> entries_;
};

}  // namespace

std::vector<line_entry> dwarf_lines(const femto::elf_object& object,
                                    std::span<const std::byte> file) {
    return line_programs{object, file}.all();
}

}  // namespace femto_tool
