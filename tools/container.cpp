// SPDX-License-Identifier: Apache-2.0
#include "container.hpp"

#include "hooks.hpp"

#include <femto/describe.hpp>
#include <femto/disassembler.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace femto_tool {
namespace {

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
    return text;
}

/// What pc and address of a loader's error mean, in words.
std::string place(const femto::elf_object* object, const femto::error& e) {
    using femto::errc;
    switch (e.code) {
        case errc::elf_unknown_helper:
        case errc::elf_undefined_symbol:
            return "symbol `" + std::string{object ? object->symbol_name(e.address) : ""} +
                   "`, used at instruction " + std::to_string(e.pc);
        case errc::elf_truncated: return "byte " + hex(e.address);
        case errc::elf_wrong_kind: return "header byte " + hex(e.address);
        case errc::elf_not_elf: return "";
        default: break;
    }
    std::string text = e.code == errc::elf_bad_symbol ? "symbol " : "section ";
    text += std::to_string(e.pc);
    if (object != nullptr && e.code != errc::elf_bad_symbol && e.pc < object->sections()) {
        text += " (" + std::string{object->name_of(object->section(e.pc))} + ")";
    }
    return text + ", value " + hex(e.address);
}

/// The same for an image.
std::string image_place(const femto::error& e) {
    using femto::errc;
    const auto value = std::to_string(e.address);
    switch (e.code) {
        case errc::image_truncated: return "it should have " + value + " bytes";
        case errc::image_bad_magic: return "it begins with " + hex(e.address);
        case errc::image_bad_version: return "version " + value;
        case errc::image_bad_header: return "byte " + value;
        case errc::image_bad_entry: return "entry " + std::to_string(e.pc) + ", value " + value;
        case errc::image_bad_load: return "instruction " + std::to_string(e.pc) + ", offset " + value;
        default: return {};
    }
}

user_error refusal(const std::string& path, const std::string& where, const femto::error& e) {
    const auto d = femto::describe(e.code);
    std::string message = path + ": " + std::string{d.what};
    if (!where.empty()) message += " (" + where + ")";
    if (!d.advice.empty()) message += "\n  " + std::string{d.advice};
    return {message};
}

}  // namespace

std::vector<std::byte> read_file(const std::string& path) {
    constexpr std::size_t most = std::size_t{64} << 20;  // no container, and no end to /dev/zero
    std::FILE* const in = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
    if (in == nullptr) throw user_error{path + ": cannot be read: " + std::strerror(errno)};
    std::vector<std::byte> bytes;
    std::byte buffer[4096];
    std::size_t size = 0;
    while (bytes.size() <= most && (size = std::fread(buffer, 1, sizeof buffer, in)) != 0) {
        bytes.insert(bytes.end(), buffer, buffer + size);
    }
    const int failed = std::ferror(in) != 0 ? errno : 0;
    if (in != stdin) std::fclose(in);
    if (failed != 0) throw user_error{path + ": cannot be read: " + std::strerror(failed)};
    if (bytes.size() > most) throw user_error{path + ": is longer than 64 MiB"};
    return bytes;
}

container::container(const std::string& path, femto::address_space space,
                     std::span<const femto::helper_prototype> names, unknown_helpers unknown)
    : path_{path}, file_{read_file(path)} {
    const bool image = file_.size() >= 4 && femto::load_little<std::uint32_t>(file_.data()) ==
                                                femto::image_format::magic;
    if (image) {
        load_image();
    } else if (femto::is_rbpf_image(file_)) {
        load_rbpf_image();
    } else {
        load_object(space, names, unknown);
    }
}

void container::load_image() {
    kind_ = file_kind::image;
    image_bytes_.resize(file_.size() / 8 + 1);
    std::memcpy(image_bytes_.data(), file_.data(), file_.size());
    const auto parsed =
        femto::parse_image(std::as_bytes(std::span{image_bytes_}).first(file_.size()));
    if (!parsed) throw refusal(path_, image_place(parsed.error()), parsed.error());
    image_ = *parsed;
    data_.resize(parsed->data_storage() / 8 + 1);
    functions_.resize(parsed->functions_needed());
    const auto loaded = femto::load(
        *parsed, {std::as_writable_bytes(std::span{data_}).first(parsed->data_storage()),
                  functions_, {}});
    if (!loaded) throw refusal(path_, image_place(loaded.error()), loaded.error());
    program_ = *loaded;
    for (std::uint32_t n = 0; n < parsed->entries(); ++n) {
        names_.push_back(hook_title(parsed->entry_hook(n)));
    }
    functions_.resize(parsed->entries());
    for (std::uint32_t n = 0; n < parsed->entries(); ++n) {
        functions_[n] = {names_[n], parsed->entry_pc(n)};
    }
    program_.functions = functions_;
}

void container::load_rbpf_image() {
    kind_ = file_kind::rbpf_image;
    // As much as its bytes could hold: load_rbpf says what does not fit.
    text_.resize(file_.size() / 8 + 1);
    data_.resize(file_.size() / 8 + 1);
    functions_.resize(file_.size() / femto::rbpf::function_size + 1);
    const auto loaded =
        femto::load_rbpf(file_, {std::as_writable_bytes(std::span{data_}), functions_, text_});
    if (!loaded) throw refusal(path_, image_place(loaded.error()), loaded.error());
    program_ = *loaded;
}

void container::load_object(femto::address_space space,
                            std::span<const femto::helper_prototype> names,
                            unknown_helpers unknown) {
    const auto opened = femto::elf_object::open(file_);
    if (!opened) throw refusal(path_, place(nullptr, opened.error()), opened.error());
    object_ = *opened;
    const auto needs = object_->requirements();
    text_.resize(needs.text);
    rodata_.resize(needs.rodata / 8 + 1);
    data_.resize(needs.data / 8 + 1);
    functions_.resize(needs.functions);
    const auto id_of = [&](std::string_view name) -> std::optional<std::uint32_t> {
        const auto found = std::find_if(names.begin(), names.end(),
                                        [&](const auto& p) { return p.name == name; });
        if (found != names.end()) return found->id;
        if (unknown == unknown_helpers::refuse) return std::nullopt;
        const auto known = std::find(unknown_.begin(), unknown_.end(), name);
        const auto number = static_cast<std::uint32_t>(known - unknown_.begin());
        if (known == unknown_.end()) unknown_.emplace_back(name);
        return first_unknown_helper + number;
    };
    const auto loaded = femto::load_elf(
        *object_,
        {text_, std::as_writable_bytes(std::span{rodata_}).first(needs.rodata),
         std::as_writable_bytes(std::span{data_}).first(needs.data), functions_},
        space, id_of);
    if (!loaded) throw refusal(path_, place(&*object_, loaded.error()), loaded.error());
    program_ = *loaded;
    lines_ = line_table{*object_, file_};
}

const femto::function* container::function_at(std::uint32_t pc) const {
    const femto::function* best = nullptr;
    for (const auto& f : program_.functions) {
        if (f.start <= pc && (best == nullptr || f.start > best->start)) best = &f;
    }
    return best;
}

std::optional<source_line> container::line_at(std::uint32_t pc) const {
    if (!object_) return std::nullopt;
    const auto at = object_->locate(pc);
    return lines_.find(at.section_name, at.offset);
}

std::string refusal_note(const femto::error& e) {
    using femto::errc;
    const auto value = std::to_string(e.address);
    switch (e.code) {
        case errc::illegal_instruction:
        case errc::unsupported_group: return "opcode " + hex(e.address);
        case errc::illegal_length: return value + " slots";
        case errc::illegal_register: return "register r" + value;
        case errc::illegal_call: return "helper or function " + value;
        case errc::illegal_jump:
        case errc::jump_into_load: return "to instruction " + value;
        case errc::recursion:
        case errc::call_too_deep: return "call of the function at instruction " + value;
        case errc::undefined_variant: return "value " + hex(e.address);
        case errc::illegal_stack_access:
            return "offset " + std::to_string(static_cast<std::int64_t>(e.address)) + " from r10";
        case errc::stack_too_small: return value + " bytes in all";
        default: return {};
    }
}

void print_diagnostic(const container& c, const femto::error& e, const std::string& note) {
    const auto d = femto::describe(e.code);
    const auto line = c.line_at(e.pc);
    std::string where = c.path();
    if (line) {
        where = line->file;
        where.append(":").append(std::to_string(line->line));
        if (line->column != 0) where.append(":").append(std::to_string(line->column));
    }
    std::fprintf(stderr, "%s: error: %s [%s]\n", where.c_str(), std::string{d.what}.c_str(),
                 std::string{d.name}.c_str());
    if (line && !line->text.empty()) {
        std::fprintf(stderr, "  %4u | %s\n", line->line, line->text.c_str());
    }
    if (e.pc < c.program().text.size()) {
        const auto* f = c.function_at(e.pc);
        const auto text = femto::disassemble(c.program().text, e.pc);
        std::fprintf(stderr, "  in function %s, instruction %u: %s\n",
                     f ? std::string{f->name}.c_str() : "?", e.pc,
                     std::string{text.text()}.c_str());
    }
    if (!note.empty()) std::fprintf(stderr, "  %s\n", note.c_str());
    if (!d.advice.empty()) std::fprintf(stderr, "  help: %s\n", std::string{d.advice}.c_str());
}

}  // namespace femto_tool
