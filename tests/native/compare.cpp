// SPDX-License-Identifier: Apache-2.0
// femto_native OBJECT LIBRARY COUNT: calls the functions f0, f1, ... of a BPF object on every machine,
// and of a shared library of the same source, with the same bytes; results and bytes must agree.
#include "../model/random.hpp"
#include "../unit/every_vm.hpp"

#include <femto/elf.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using native_function = std::uint64_t (*)(void*);
constexpr std::size_t context_size = 256;

std::vector<std::byte> input(std::uint64_t seed) {
    model::random r{seed};
    std::vector<std::byte> bytes(context_size);
    for (std::size_t n = 0; n < bytes.size(); n += 4) {
        const auto value = static_cast<std::uint32_t>(r.one_in(4) ? r.next() : static_cast<std::uint64_t>(r.value()));
        std::memcpy(bytes.data() + n, &value, 4);
    }
    return bytes;
}

template <class Kind>
bool compare(const femto::elf_object& object, void* library, int count, std::uint64_t& runs) {
    using vm = typename Kind::template vm<>;
    const auto needs = object.requirements();
    std::vector<femto::instruction> text(needs.text);
    std::vector<std::byte> rodata(needs.rodata), data(needs.data);
    std::vector<femto::function> functions(needs.functions);
    const auto program = femto::load_elf(object, {text, rodata, data, functions},
                                         Kind::value.address_space, femto::helper_names<femto::helper_set<>>{});
    if (!program) return std::printf("does not load: %d\n", static_cast<int>(program.error().code)), false;
    std::vector<std::uint8_t> scratch(text.size());
    const auto verified = vm::verify(*program, scratch);
    if (!verified) {
        return std::printf("refused: %d at %u\n", static_cast<int>(verified.error().code), verified.error().pc), false;
    }
    vm m;
    for (int n = 0; n < count; ++n) {
        const std::string name = "f" + std::to_string(n);
        const auto entry = verified->entry(name);
        const auto native = reinterpret_cast<native_function>(dlsym(library, name.c_str()));
        if (!entry || native == nullptr) return std::printf("%s is missing\n", name.c_str()), false;
        for (std::uint64_t seed = 0; seed < 4; ++seed) {
            auto here = input(seed), there = input(seed);
            const std::uint64_t expected = native(here.data());
            const auto result = m.run(*verified, *entry, std::span{there}, 10'000'000);
            ++runs;
            if (!result || *result != expected || here != there) {
                return std::printf("%s with input %d: %llx instead of %llx, fault %d at %u\n", name.c_str(),
                                   static_cast<int>(seed), static_cast<unsigned long long>(result ? *result : 0),
                                   static_cast<unsigned long long>(expected),
                                   static_cast<int>(result ? femto::errc::ok : result.error().code),
                                   result ? 0 : result.error().pc), false;
            }
        }
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    std::ifstream file{argv[1], std::ios::binary};
    const std::string content{std::istreambuf_iterator<char>{file}, {}};
    std::vector<std::byte> bytes(content.size());
    std::memcpy(bytes.data(), content.data(), content.size());
    const auto object = femto::elf_object::open(bytes);
    void* library = dlopen(argv[2], RTLD_NOW);
    if (!object || library == nullptr) return std::printf("cannot open %s or %s\n", argv[1], argv[2]), 2;
    std::uint64_t runs = 0;
    bool good = true;
    test::on_every_vm<femto::config{.max_instructions = 1u << 15, .stack_size = 4096, .max_call_depth = 8}>(
        [&](auto c) { good = good && compare<decltype(c)>(*object, library, std::atoi(argv[3]), runs); });
    if (good) std::printf("%llu runs agree\n", static_cast<unsigned long long>(runs));
    return good ? 0 : 1;
}
