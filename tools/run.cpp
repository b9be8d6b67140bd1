// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"
#include "container.hpp"
#include "hooks.hpp"
#include "host_helpers.hpp"

#include <femto/describe.hpp>
#include <femto/disassembler.hpp>

#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <filesystem>

namespace femto_tool {
namespace {

using femto::address_space;
using femto::permission;

struct granted_region {
    std::string name;
    std::vector<std::byte> bytes;
    permission allowed = permission::read;
};

/// "file:ro", "file:rw", or a number of zero bytes instead of the file.
granted_region parse_region(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const std::string how = colon == text.npos ? "" : text.substr(colon + 1);
    if (how != "ro" && how != "rw") {
        throw user_error{"--region " + text + ": write FILE:ro, FILE:rw or SIZE:rw"};
    }
    granted_region r{text.substr(0, colon), {}, how == "rw" ? permission::read_write
                                                            : permission::read};
    const bool number = !r.name.empty() &&
                        r.name.find_first_not_of("0123456789") == std::string::npos;
    if (number && !std::filesystem::exists(r.name)) {
        if (r.name.size() > 8) throw user_error{"--region " + text + ": at most 99999999 bytes"};
        r.bytes.resize(std::stoul(r.name));
    } else {
        r.bytes = read_file(r.name);
    }
    return r;
}

/// Which region a guest address lies in or just missed, in words.
template <class Memory>
std::string region_note(const Memory& memory, std::uint64_t address,
                        const std::vector<granted_region>& granted) {
    constexpr std::uint64_t near = 1u << 20;
    std::uint32_t nearest = 0;
    std::int64_t offset = 0;
    for (std::uint32_t n = 1; n < host_config.max_regions; ++n) {
        const std::uint64_t base = memory.address_of(n);
        const std::uint32_t size = std::max(memory.readable(n), memory.writable(n));
        if (size == 0 && base >> 32 == 0) continue;  // flat, and not there
        // From its first byte, or, if it lies before, from there.
        const auto distance = static_cast<std::int64_t>(address - base);
        const auto misses = [&](std::int64_t d, std::uint32_t bytes) {
            return d < 0 ? static_cast<std::uint64_t>(-d)
                         : static_cast<std::uint64_t>(d) - std::min<std::uint64_t>(
                                                               static_cast<std::uint64_t>(d), bytes);
        };
        const bool own = Memory::space == address_space::segmented && address >> 32 == n;
        if (own || (Memory::space == address_space::flat && misses(distance, size) < near &&
                    (nearest == 0 ||
                     misses(distance, size) <
                         misses(offset, std::max(memory.readable(nearest),
                                                 memory.writable(nearest)))))) {
            nearest = n;
            offset = distance;
        }
    }
    char text[160];
    std::snprintf(text, sizeof text, "guest address 0x%" PRIx64 ": ", address);
    if (nearest == 0) return text + std::string{address < near ? "a null or small pointer" : "near no region"};
    constexpr const char* fixed[]{"", "the stack", "the context", "rodata", "data"};
    const std::size_t i = nearest - femto::region_number::first_free;
    const std::string name = nearest < std::size(fixed) ? fixed[nearest]
                             : i < granted.size()       ? "region " + granted[i].name
                                                        : "a region that was not granted";
    std::string note = text;
    note += offset < 0 ? std::to_string(-offset) + " bytes before " + name
                       : "offset " + std::to_string(offset) + " of " + name;
    return note + ", " + std::to_string(memory.readable(nearest)) + " bytes readable, " +
           std::to_string(memory.writable(nearest)) + " writable";
}

std::string json_string(std::string_view s) {
    std::string out = "\"";
    for (const char c : s) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            (out += '\\') += c;
        } else if (byte < 0x20 || byte >= 0x7f) {
            // Bytes, not characters: what a container prints need not be UTF-8.
            char escape[8];
            std::snprintf(escape, sizeof escape, "\\u%04x", byte);
            out += escape;
        } else {
            out += c;
        }
    }
    return out + '"';
}

/// The members of "error" that say what happened to the container and where.
std::string json_error(const container& c, const char* stage, const femto::error& e,
                       const std::string& note) {
    const auto d = femto::describe(e.code);
    const auto* f = c.function_at(e.pc);
    const auto line = c.line_at(e.pc);
    char text[64];
    std::snprintf(text, sizeof text, "\"0x%" PRIx64 "\"", e.address);
    std::string out = std::string{"{\"stage\": \""} + stage + "\", \"name\": " + json_string(d.name) +
                      ", \"code\": " + std::to_string(static_cast<int>(e.code)) +
                      ", \"message\": " + json_string(d.what) +
                      ", \"function\": " + json_string(f != nullptr ? f->name : "") +
                      ", \"instruction\": " + std::to_string(e.pc) + ", \"address\": " + text;
    if (line) {
        out += ", \"file\": " + json_string(line->file) + ", \"line\": " + std::to_string(line->line) +
               ", \"column\": " + std::to_string(line->column);
    }
    if (!note.empty()) out += ", \"note\": " + json_string(note);
    return out + "}";
}

long long nanoseconds(std::chrono::steady_clock::duration d) {
    return static_cast<long long>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(d).count());
}

template <femto::config Config>
int run_with(const run_options& o) {
    using machine = femto::vm<Config, host_helpers>;
    const container c{o.path, Config.address_space, host_helpers::prototypes};
    std::vector<std::uint8_t> scratch(c.program().text.size());

    const auto before = std::chrono::steady_clock::now();
    const auto verified = machine::verify(c.program(), scratch);
    const auto verify_time = nanoseconds(std::chrono::steady_clock::now() - before);
    if (!verified) {
        if (o.json) {
            std::printf("{\"result\": null, \"error\": %s, \"verify_ns\": %lld}\n",
                        json_error(c, "verify", verified.error(), "").c_str(), verify_time);
        }
        print_diagnostic(c, verified.error(), refusal_note(verified.error()));
        return 1;
    }
    auto entry = verified->entry();
    if (!o.function.empty()) {
        femto::uuid hook;
        const bool is_hook = c.kind() == file_kind::image && hook_named(o.function, hook);
        const auto named = verified->entry(is_hook ? hook_title(hook) : o.function);
        if (!named) {
            std::string message = o.path + ": no function `" + o.function + "`; there are:";
            for (const auto& f : c.program().functions) (message += ' ').append(f.name);
            throw user_error{message};
        }
        entry = *named;
    }

    machine m;
    host h;
    h.echo = !o.json;
    m.set_host(h);
    std::vector<std::byte> context;
    if (!o.context.empty()) {
        context = o.context == "-" || std::filesystem::exists(o.context)
                      ? read_file(o.context)
                      : parse_hex(o.context, "--context");
    }
    std::vector<granted_region> granted;
    for (const auto& text : o.regions) granted.push_back(parse_region(text));
    for (auto& r : granted) {
        if (!m.map(r.bytes, r.allowed)) throw user_error{"--region: too many regions, at most 11"};
    }

    const auto start = std::chrono::steady_clock::now();
    const auto result =
        o.trace ? m.trace(*verified, entry, std::span{context}, o.fuel,
                          [&](std::uint32_t pc, const std::array<std::uint64_t, 11>& r) {
                              const auto text = femto::disassemble(c.program().text, pc);
                              std::fprintf(stderr, "%5u: %-40s", pc,
                                           std::string{text.text()}.c_str());
                              for (unsigned n = 0; n < r.size(); ++n) {
                                  std::fprintf(stderr, " r%u=%" PRIx64, n, r[n]);
                              }
                              std::fputc('\n', stderr);
                          })
                : m.run(*verified, entry, std::span{context}, o.fuel);
    const auto run_time = nanoseconds(std::chrono::steady_clock::now() - start);

    using femto::errc;
    const bool memory = !result && (result.error().code == errc::illegal_memory ||
                                    result.error().code == errc::illegal_write);
    const std::string note =
        memory ? region_note(m.memory(), result.error().address, granted) : std::string{};
    if (o.json) {
        std::printf("{\"result\": ");
        if (result) {
            std::printf("\"0x%" PRIx64 "\"", *result);
        } else {
            std::printf("null, \"error\": %s", json_error(c, "run", result.error(), note).c_str());
        }
        std::printf(", \"instructions\": %u, \"verify_ns\": %lld, \"run_ns\": %lld, "
                    "\"printed\": %s}\n",
                    m.executed(), verify_time, run_time, json_string(h.printed).c_str());
    } else if (result) {
        std::printf("result        0x%" PRIx64 " (%" PRId64 ")\n", *result,
                    static_cast<std::int64_t>(*result));
    }
    if (!result) print_diagnostic(c, result.error(), note);
    if (!o.json) {
        std::printf("instructions  %u\nverified in   %.1f us\nran in        %.1f us\n",
                    m.executed(), static_cast<double>(verify_time) / 1000,
                    static_cast<double>(run_time) / 1000);
    }
    return result ? 0 : 1;
}

}  // namespace

int run(const run_options& o) {
    try {
        return with_config<host_config>(o.dispatch, o.address_space,
                                        [&](auto c) { return run_with<decltype(c)::value>(o); });
    } catch (const user_error& e) {
        if (o.json) {
            std::printf("{\"result\": null, \"error\": {\"stage\": \"load\", \"message\": %s}}\n",
                        json_string(e.message).c_str());
        }
        throw;
    }
}

}  // namespace femto_tool
