// SPDX-License-Identifier: Apache-2.0
// The instruction tests and a compiled container on a big-endian host. The guest stays little-endian.
#include "every_vm.hpp"
#include "suite.hpp"

#include <conformance_files.hpp>
#include <femto/elf.hpp>

#include <bit>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

static_assert(std::endian::native == std::endian::big);

namespace {

int instruction_tests() {
    int failures = 0;
    for (const auto& f : conformance::files) {
        test::on_every_vm<femto::config{}>([&](auto c) {
            using machine = typename decltype(c)::template vm<conformance::suite_helpers>;
            const auto s = conformance::run_file_on<machine>(f.text);
            if (s.failed == 0 && s.passed > 0) return;
            std::printf("FAILED %s.test:%u: %s\n", std::string{f.name}.c_str(), s.line,
                        std::string{s.why}.c_str());
            ++failures;
        });
    }
    std::printf("%zu files of instruction tests, %d failures\n", conformance::files.size(), failures);
    return failures;
}

int container(const char* path) {
    std::ifstream in{path, std::ios::binary};
    const std::vector<char> file{std::istreambuf_iterator<char>{in}, {}};
    const auto object = femto::elf_object::open(std::as_bytes(std::span{file}));
    if (!object) return 1;
    const auto needs = object->requirements();
    std::vector<femto::instruction> text(needs.text);
    std::vector<std::byte> rodata(needs.rodata), data(needs.data);
    std::vector<femto::function> functions(needs.functions);
    const auto program = femto::load_elf(*object, {text, rodata, data, functions},
                                         femto::address_space::segmented,
                                         femto::helper_names<femto::helper_set<>>{});
    if (!program) return 1;
    std::vector<std::uint8_t> scratch(needs.text);
    const auto verified = femto::vm<>::verify(*program, scratch);
    if (!verified) return 1;
    femto::vm<> m;
    const std::string digits = "123456789";
    const auto r = m.run(*verified, verified->entry(), std::as_bytes(std::span{digits}), 10000);
    std::printf("CRC-32 of \"%s\": 0x%llx\n", digits.c_str(),
                static_cast<unsigned long long>(r.value_or(0)));
    return r.value_or(0) == 0xcbf43926 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    return instruction_tests() + container(argv[1]) == 0 ? 0 : 1;
}
