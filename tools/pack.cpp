// SPDX-License-Identifier: Apache-2.0
#include "any_helper.hpp"
#include "commands.hpp"
#include "container.hpp"
#include "hooks.hpp"
#include "host_helpers.hpp"

#include <femto/image_writer.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <filesystem>

namespace femto_tool {
namespace {

/// Everything that is asked for, whoever said it: the command line, or the source.
struct wishes {
    std::vector<std::string> hooks, regions;
    std::optional<std::uint32_t> fuel, stack, stores;
    bool suspends = false;
};

std::uint32_t number(std::string_view text, const std::string& where) {
    std::uint32_t value = 0;
    const bool hex = text.starts_with("0x");
    const auto* end = text.data() + text.size();
    const auto r = std::from_chars(text.data() + (hex ? 2 : 0), end, value, hex ? 16 : 10);
    if (text.empty() || r.ec != std::errc{} || r.ptr != end) {
        throw user_error{where + ": `" + std::string{text} + "` is no number"};
    }
    return value;
}

/// The statements of FEMTO_HOOK and FEMTO_REQUEST, which end with a semicolon or a zero byte.
wishes of_source(const container& c) {
    wishes w;
    const auto bytes = c.object().find_section(".femto.request");
    const std::string_view all{reinterpret_cast<const char*>(bytes.data()), bytes.size()};
    const std::string where = c.path() + ": FEMTO_REQUEST";
    for (std::size_t at = 0; at < all.size();) {
        const auto end = std::min(all.find_first_of(std::string_view{";\0", 2}, at), all.size());
        std::vector<std::string> words;
        for (std::size_t n = at; n < end;) {
            while (n < end && all[n] == ' ') ++n;
            const auto stop = std::min(all.find(' ', n), end);
            if (stop > n) words.emplace_back(all.substr(n, stop - n));
            n = stop;
        }
        at = end + 1;
        if (words.empty()) continue;
        const std::string& what = words[0];
        if (what == "suspends" && words.size() == 1) w.suspends = true;
        else if (what == "fuel" && words.size() == 2) w.fuel = number(words[1], where);
        else if (what == "stack" && words.size() == 2) w.stack = number(words[1], where);
        else if (what == "stores" && words.size() == 2) w.stores = number(words[1], where);
        else if (what == "region" && words.size() == 3) w.regions.push_back(words[1] + ":" + words[2]);
        else if (what == "hook" && words.size() == 3) w.hooks.push_back(words[1] + "=" + words[2]);
        else
            throw user_error{where + ": `" + what +
                             "` is not understood; write fuel N, stack N, stores N, suspends, or "
                             "region N r|w|rw, with ; between them"};
    }
    return w;
}

std::vector<femto::image_contents::entry> entries(const container& c,
                                                  const std::vector<std::string>& hooks) {
    const auto& functions = c.program().functions;
    std::string names;
    for (const auto& f : functions) (names += ' ').append(f.name);
    if (hooks.empty()) {
        throw user_error{c.path() + ": for which hook? Say FEMTO_HOOK(function, \"uuid\") in the source, "
                         "or --hook; there are the functions:" + names};
    }
    std::vector<femto::image_contents::entry> list;
    for (const auto& text : hooks) {
        const auto equal = text.find('=');
        const std::string name = equal == text.npos ? "" : text.substr(0, equal);
        femto::image_contents::entry e;
        if (!hook_named(equal == text.npos ? text : text.substr(equal + 1), e.hook)) {
            throw user_error{"hook " + text + ": neither a UUID nor one of " + hook_names()};
        }
        if (name.empty() && functions.size() != 1) {
            throw user_error{"hook " + text + ": for which function? Write FUNCTION=" + text +
                             "; there are:" + names};
        }
        const auto found = name.empty() ? functions.begin()
                                        : std::find_if(functions.begin(), functions.end(),
                                                       [&](const auto& f) { return f.name == name; });
        if (found == functions.end()) {
            throw user_error{"hook " + text + ": no function `" + name + "`; there are:" + names};
        }
        e.pc = found->start;
        list.push_back(e);
    }
    return list;
}

std::vector<femto::image::region_request> regions(const std::vector<std::string>& texts) {
    std::vector<femto::image::region_request> list;
    for (const auto& text : texts) {
        const auto colon = std::min(text.find(':'), text.size());
        const std::string how = colon == text.size() ? "" : text.substr(colon + 1);
        const auto id = number(text.substr(0, colon), "region " + text);
        if (id > 0xffff || (how != "r" && how != "w" && how != "rw")) {
            throw user_error{"region " + text + ": write NUMBER:r, :w or :rw, a number up to 65535"};
        }
        list.push_back({static_cast<std::uint16_t>(id),
                        how == "r"   ? femto::permission::read
                        : how == "w" ? femto::permission::write
                                     : femto::permission::read_write});
    }
    return list;
}

std::uint16_t half(std::uint32_t value, const char* what) {
    if (value > 0xffff) throw user_error{std::string{what} + ": at most 65535"};
    return static_cast<std::uint16_t>(value);
}

void write(const std::string& path, std::span<const std::byte> bytes, const std::string& c_array) {
    std::FILE* const out = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
    if (out == nullptr) throw user_error{path + ": cannot be written"};
    if (c_array.empty()) {
        std::fwrite(bytes.data(), 1, bytes.size(), out);
    } else {
        // Aligned as an image must be, in C and C++.
        std::fprintf(out, "/* Written by femto pack. */\n#include <stddef.h>\n"
                          "static const unsigned char %s[] __attribute__((aligned(8))) = {",
                     c_array.c_str());
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            std::fprintf(out, "%s0x%02x,", n % 16 == 0 ? "\n    " : " ",
                         std::to_integer<unsigned>(bytes[n]));
        }
        std::fprintf(out, "\n};\nstatic const size_t %s_size = %zu;\n", c_array.c_str(), bytes.size());
    }
    const bool failed = std::ferror(out) != 0;
    if ((out != stdout && std::fclose(out) != 0) || failed) {
        throw user_error{path + ": cannot be written"};
    }
}

}  // namespace

std::optional<std::vector<std::byte>> image_of_object(const pack_options& o) {
    const container c{o.path, femto::address_space::segmented, host_helpers::prototypes};
    if (c.kind() != file_kind::object) {
        throw user_error{o.path + ": is an image already; give the object that the compiler wrote"};
    }
    std::vector<std::uint8_t> scratch(c.program().text.size());
    const auto verified = verify_any(c.program(), scratch);
    if (!verified) {
        print_diagnostic(c, verified.error(), refusal_note(verified.error()));
        return {};
    }
    const wishes said = of_source(c);
    const auto hooks = entries(c, o.hooks.empty() ? said.hooks : o.hooks);
    const auto areas = regions(o.regions.empty() ? said.regions : o.regions);
    auto ids = called_helpers(c.program());
    ids.insert(o.helpers.begin(), o.helpers.end());
    const std::vector<std::uint32_t> helpers{ids.begin(), ids.end()};
    const bool waits = ids.contains(0x61) || ids.contains(0x62) || ids.contains(0x63);

    // What is zero at the end of the data need not be in the image.
    auto data = std::span<const std::byte>{c.program().data};
    const std::size_t whole = data.size();
    while (!data.empty() && data.back() == std::byte{0}) data = data.first(data.size() - 1);
    const std::uint32_t stack = verified->stack_needed();
    const femto::image_contents contents{
        .text = c.program().text, .rodata = c.program().rodata, .data = data,
        .bss = static_cast<std::uint32_t>(whole - data.size()), .entries = hooks, .regions = areas,
        .helpers = helpers,
        .request = {o.fuel.value_or(said.fuel.value_or(femto::container_request{}.fuel)),
                    half(o.stack.value_or(said.stack.value_or(stack)), "stack"),
                    half(o.stores.value_or(said.stores.value_or(0)), "stores"),
                    o.suspends || said.suspends || waits}};
    std::vector<std::byte> image(femto::image_size(contents));
    const auto written = femto::write_image(contents, image);
    if (!written) {
        throw user_error{o.path + ": " + (written.error().code == femto::errc::image_bad_entry
                                              ? "two functions are for one hook"
                                              : "it does not fit an image")};
    }
    return image;
}

int pack(const pack_options& o) {
    if (!o.c_array.empty() &&
        !std::ranges::all_of(o.c_array, [](unsigned char ch) { return std::isalnum(ch) || ch == '_'; })) {
        throw user_error{"--c-array " + o.c_array + ": no name of C"};
    }
    const auto image = image_of_object(o);
    if (!image) return 1;
    std::string output = o.output;
    if (output.empty()) {
        output = o.path == "-" ? "-"
                               : std::filesystem::path{o.path}.replace_extension(
                                     o.c_array.empty() ? ".fmtc" : ".h").string();
    }
    write(output, *image, o.c_array);
    if (output != "-") std::printf("%s: %zu bytes\n", output.c_str(), image->size());
    return 0;
}

}  // namespace femto_tool
