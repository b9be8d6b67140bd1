// SPDX-License-Identifier: Apache-2.0
// The plugin protocol of Alan-Jowett/bpf_conformance: memory as hexadecimal bytes in the first
// argument, the program on standard input or after --program; prints r0 in hexadecimal.
#include "commands.hpp"
#include "container.hpp"

#include <femto/describe.hpp>

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace femto_tool {
namespace {

/// Helper 5 of that suite: ends the program when it returns 0.
std::int64_t unwind(femto::caller& c, std::int64_t value) {
    if (value == 0) c.finish();
    return value;
}
using plugin_helpers = femto::helper_set<femto::helper<5, "unwind", &unwind>>;

template <femto::config Config>
int plugin_with(std::vector<std::byte> memory, const std::vector<std::byte>& bytes,
                [[maybe_unused]] bool prepared) {
    using machine = femto::vm<Config, plugin_helpers>;
    std::vector<femto::instruction> text(bytes.size() / sizeof(femto::instruction));
    std::memcpy(text.data(), bytes.data(), text.size() * sizeof(femto::instruction));
    std::vector<std::uint8_t> scratch(text.size());
    const auto refuse = [](const char* stage, const femto::error& e) {
        const auto d = femto::describe(e.code);
        std::fprintf(stderr, "%s: %s at instruction %u, value 0x%" PRIx64 "\n", stage,
                     std::string{d.what}.c_str(), e.pc, e.address);
        return 1;
    };
    const auto verified = machine::verify({text, {}, {}, {}}, scratch);
    if (!verified) return refuse("refused", verified.error());
    machine m;
    const auto run = [&](const auto& p) {
        return m.run(p, p.entry(), std::span{memory}, femto::max_fuel);
    };
    const auto result = [&] {
        if constexpr (Config.dispatch == femto::dispatch::threaded) {
            std::vector<femto::prepared_instruction> code(text.size());
            if (prepared) return run(*machine::prepare(*verified, code));
        }
        return run(*verified);
    }();
    if (!result) return refuse("fault", result.error());
    std::printf("%" PRIx64 "\n", *result);
    return 0;
}

}  // namespace

int conformance_plugin(const plugin_options& o) {
    std::string hex = o.program;
    if (hex.empty()) {
        const auto input = read_file("-");
        hex.assign(reinterpret_cast<const char*>(input.data()), input.size());
    }
    const auto program = parse_hex(hex, "the program");
    if (program.size() % 8 != 0) throw user_error{"the program: not a whole number of instructions"};
    const auto memory = parse_hex(o.memory, "the memory");
    return with_config<femto::config{}>(o.dispatch, o.address_space, [&](auto c) {
        return plugin_with<decltype(c)::value>(memory, program, o.prepared);
    });
}

std::vector<std::byte> parse_hex(const std::string& text, const std::string& what) {
    std::vector<std::byte> bytes;
    int high = -1;
    for (std::size_t n = 0; n < text.size(); ++n) {
        const char c = text[n];
        if (std::strchr(" \t\r\n", c) != nullptr) {
            if (high >= 0) throw user_error{what + ": half a byte at character " + std::to_string(n)};
            continue;
        }
        if (c == '0' && high < 0 && n + 1 < text.size() && (text[n + 1] == 'x')) {
            ++n;
            continue;
        }
        const char* const digits = "0123456789abcdef";
        const char* found = c == '\0' ? nullptr : std::strchr(digits, c | 0x20);
        if (found == nullptr) {
            throw user_error{what + ": `" + text.substr(n, 20) +
                             "` is neither a file nor hexadecimal digits"};
        }
        const int value = static_cast<int>(found - digits);
        if (high < 0) {
            high = value;
        } else {
            bytes.push_back(static_cast<std::byte>(high * 16 + value));
            high = -1;
        }
    }
    if (high >= 0) throw user_error{what + ": an odd number of hexadecimal digits"};
    return bytes;
}

}  // namespace femto_tool
