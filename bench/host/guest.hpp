// SPDX-License-Identifier: Apache-2.0
// A container loaded from its object, for the benchmarks.
#pragma once

#include <femto/elf.hpp>
#include <femto/vm.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

namespace bench {

inline std::vector<std::byte> read(const std::string& name) {
    std::ifstream in{std::string{FEMTO_CONTAINERS} + "/bench_" + name + ".o", std::ios::binary};
    const std::vector<char> raw{std::istreambuf_iterator<char>{in}, {}};
    const auto view = std::as_bytes(std::span{raw});
    return {view.begin(), view.end()};
}

template <femto::config Config>
class guest {
public:
    using machine = femto::vm<Config>;

    explicit guest(const std::string& name) : file_{read(name)} {
        const auto object = femto::elf_object::open(file_);
        if (!object) fail(name);
        const auto needs = object->requirements();
        text_.resize(needs.text);
        rodata_.resize(needs.rodata);
        data_.resize(needs.data);
        functions_.resize(needs.functions);
        load();
        scratch_.resize(text_.size());
        if (!verify()) fail(name);
    }
    /// Loads the object anew; what a device does when a container arrives.
    void load() {
        const auto object = femto::elf_object::open(file_);
        const auto p = femto::load_elf(*object, {text_, rodata_, data_, functions_},
                                       Config.address_space,
                                       femto::helper_names<femto::helper_set<>>{});
        if (!p) fail("load");
        program_ = *p;
    }
    [[nodiscard]] auto verify() { return machine::verify(program_, scratch_); }
    std::uint64_t run(std::span<std::byte> context) {
        const auto verified = verify();
        return run(*verified, context);
    }
    std::uint64_t run(const typename machine::verified& v, std::span<std::byte> context) {
        const auto r = machine_.run(v, v.entry(), context, femto::max_fuel);
        if (!r) fail("run");
        return *r;
    }
    [[nodiscard]] std::uint32_t executed() const { return machine_.executed(); }
    [[nodiscard]] std::size_t slots() const { return text_.size(); }

private:
    [[noreturn]] static void fail(const std::string& what) {
        std::fprintf(stderr, "bench: %s failed\n", what.c_str());
        std::exit(1);
    }
    std::vector<std::byte> file_;
    std::vector<femto::instruction> text_;
    std::vector<std::byte> rodata_, data_;
    std::vector<femto::function> functions_;
    std::vector<std::uint8_t> scratch_;
    femto::program program_{};
    machine machine_;
};

}  // namespace bench
