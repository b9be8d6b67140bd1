// SPDX-License-Identifier: Apache-2.0
#include "commands.hpp"
#include "container.hpp"
#include "host_helpers.hpp"

#include <femto/describe.hpp>
#include <femto/disassembler.hpp>

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
    const bool number = !r.name.empty() && r.name.size() < 9 &&
                        r.name.find_first_not_of("0123456789") == std::string::npos;
    if (number && !std::filesystem::exists(r.name)) {
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
    char text[160];
    std::snprintf(text, sizeof text, "guest address 0x%" PRIx64, address);
    std::string note = text;
    const auto name_of = [&](std::uint32_t n) -> std::string {
        constexpr const char* fixed[]{"null", "stack", "context", "rodata", "data"};
        if (n < std::size(fixed)) return fixed[n];
        const std::size_t i = n - femto::region_number::first_free;
        return i < granted.size() ? "region " + granted[i].name : "no region";
    };
    if constexpr (Memory::space == address_space::segmented) {
        const auto n = static_cast<std::uint32_t>(address >> 32);
        const auto offset = static_cast<std::uint32_t>(address);
        if (n == 0) return note + ": a null or small pointer";
        if (n >= host_config.max_regions) return note + ": in no region";
        std::snprintf(text, sizeof text, ": offset %" PRIu32 " of %s, %" PRIu32
                      " bytes readable, %" PRIu32 " writable", offset, name_of(n).c_str(),
                      memory.readable(n), memory.writable(n));
        return note + text;
    } else {
        return note;
    }
}

template <femto::config Config>
int run_with(const run_options& o) {
    using machine = femto::vm<Config, host_helpers>;
    const container c{o.path, Config.address_space, host_helpers::prototypes};
    std::vector<std::uint8_t> scratch(c.program().text.size());

    const auto before = std::chrono::steady_clock::now();
    const auto verified = machine::verify(c.program(), scratch);
    const auto after = std::chrono::steady_clock::now();
    if (!verified) {
        print_diagnostic(c, verified.error(), "");
        return 1;
    }
    auto entry = verified->entry();
    if (!o.function.empty()) {
        const auto named = verified->entry(o.function);
        if (!named) {
            std::string message = o.path + ": no function `" + o.function + "`; there are:";
            for (const auto& f : c.program().functions) (message += ' ').append(f.name);
            throw user_error{message};
        }
        entry = *named;
    }

    machine m;
    host h;
    m.set_host(h);
    std::vector<std::byte> context;
    if (!o.context.empty()) {
        context = std::filesystem::exists(o.context) ? read_file(o.context)
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
                              for (unsigned n = 0; n < 6; ++n) {
                                  std::fprintf(stderr, " r%u=%" PRIx64, n, r[n]);
                              }
                              std::fputc('\n', stderr);
                          })
                : m.run(*verified, entry, std::span{context}, o.fuel);
    const auto end = std::chrono::steady_clock::now();
    const auto ns = [](auto d) {
        return static_cast<long long>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(d).count());
    };

    if (o.json) {
        std::printf("{\"result\": ");
        if (result) {
            std::printf("\"0x%" PRIx64 "\"", *result);
        } else {
            std::printf("null, \"error\": {\"name\": \"%s\", \"code\": %d, \"instruction\": %u, "
                        "\"address\": \"0x%" PRIx64 "\"}",
                        std::string{femto::describe(result.error().code).name}.c_str(),
                        static_cast<int>(result.error().code), result.error().pc,
                        result.error().address);
        }
        std::printf(", \"instructions\": %u, \"verify_ns\": %lld, \"run_ns\": %lld}\n",
                    m.executed(), ns(after - before), ns(end - start));
    } else if (result) {
        std::printf("result        0x%" PRIx64 " (%" PRId64 ")\n", *result,
                    static_cast<std::int64_t>(*result));
    }
    if (!result) {
        using femto::errc;
        const auto code = result.error().code;
        const bool memory = code == errc::illegal_memory || code == errc::illegal_write;
        print_diagnostic(c, result.error(),
                         memory ? region_note(m.memory(), result.error().address, granted) : "");
    }
    if (!o.json) {
        std::printf("instructions  %u\nverified in   %.1f us\nran in        %.1f us\n",
                    m.executed(), static_cast<double>(ns(after - before)) / 1000,
                    static_cast<double>(ns(end - start)) / 1000);
    }
    return result ? 0 : 1;
}

}  // namespace

int run(const run_options& o) {
    return with_config<host_config>(o.dispatch, o.address_space,
                                    [&](auto c) { return run_with<decltype(c)::value>(o); });
}

}  // namespace femto_tool
