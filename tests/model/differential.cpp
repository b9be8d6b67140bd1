// SPDX-License-Identifier: Apache-2.0
// Random programs on the model and on every machine: see machines.hpp for what must be the same.
// Every program follows from its seed:
//   femto_differential [--seed FIRST] [--count N]
#include "generator.hpp"
#include "machines.hpp"

#include <femto/describe.hpp>
#include <femto/disassembler.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace {

struct counts {
    std::uint64_t illegal = 0;
    std::map<model::end, std::uint64_t> ends;
};

bool check(std::uint64_t seed, counts& counted) {
    const model::scenario s = model::make_scenario(seed);
    bool good = true;
    model::verdict verdict;
    test::on_every_vm<model::compared>([&](auto c) {
        constexpr femto::config configured = decltype(c)::value;
        const std::string difference = model::compare<decltype(c)>(s, verdict);
        if (difference.empty()) return;
        good = false;
        std::printf("FAILED: --seed %llu --count 1, dispatch %d%s, address space %d: %s\n",
                    static_cast<unsigned long long>(seed), static_cast<int>(configured.dispatch), decltype(c)::prepares ? " prepared" : "",
                    static_cast<int>(configured.address_space), difference.c_str());
    });
    if (verdict.legal) {
        ++counted.ends[verdict.how];
    } else {
        ++counted.illegal;
    }
    if (!good) {
        std::vector<femto::instruction> text;
        for (const auto& i : s.text) text.push_back(model::convert(i));
        for (std::size_t pc = 0; pc < text.size();) {
            const auto d = femto::disassemble(text, pc);
            std::printf("%4zu: %s\n", pc, std::string{d.text()}.c_str());
            pc += d.slots;
        }
    }
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t first = 1, count = 10000;
    for (int n = 1; n < argc; n += 2) {
        std::uint64_t* const to = std::strcmp(argv[n], "--seed") == 0    ? &first
                                  : std::strcmp(argv[n], "--count") == 0 ? &count
                                                                         : nullptr;
        char* end = nullptr;
        if (to != nullptr && n + 1 < argc) *to = std::strtoull(argv[n + 1], &end, 10);
        if (end == nullptr || end == argv[n + 1] || *end != '\0') {
            std::fprintf(stderr, "usage: %s [--count N] [--seed N]; not understood: %s\n", argv[0], argv[n]);
            return 2;
        }
    }
    counts counted;
    for (std::uint64_t n = 0; n < count; ++n) {
        if (!check(first + n, counted)) return 1;
        if (n % 100000 == 99999) std::printf("%llu ...\n", static_cast<unsigned long long>(n + 1)), std::fflush(stdout);
    }
    std::printf("%llu programs agree on %u machines, %llu more are illegal on all\n",
                static_cast<unsigned long long>(count - counted.illegal), test::kinds,
                static_cast<unsigned long long>(counted.illegal));
    for (const auto& [how, n] : counted.ends) {
        std::printf("  %llu ended with %s\n", static_cast<unsigned long long>(n),
                    std::string{femto::describe(static_cast<femto::errc>(how)).name}.c_str());
    }
    return counted.illegal * 2 <= count ? 0 : 1;  // a generator of illegal programs tests nothing
}
