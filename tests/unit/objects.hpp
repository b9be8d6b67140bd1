// SPDX-License-Identifier: Apache-2.0
// The objects that BPF compilers made of tests/objects and of the examples, by name: files on a host,
// linked into the firmware on a board (tests/target/embed.cmake writes `embedded.cpp`).
#pragma once

#include "catch.hpp"

#include <femto/elf.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#if !defined(FEMTO_TARGET_TEST)
#include <filesystem>
#include <fstream>
#include <iterator>
#endif

namespace test {

#if defined(FEMTO_TARGET_TEST)
struct embedded_object {
    const char* name;
    const std::byte* begin;
    const std::byte* end;
};
std::span<const embedded_object> embedded_objects();

inline std::vector<std::byte> read_object(std::string_view name) {
    for (const auto& o : embedded_objects()) {
        if (name == o.name) return {o.begin, o.end};
    }
    FAIL("no such object");
}
inline std::vector<std::string> object_names() {
    std::vector<std::string> names;
    for (const auto& o : embedded_objects()) names.emplace_back(o.name);
    return names;
}
#else
inline std::vector<std::byte> read_object(const std::string& name) {
    std::ifstream in{std::string{FEMTO_TEST_OBJECTS} + "/" + name, std::ios::binary};
    REQUIRE(in.good());
    const std::vector<char> raw{std::istreambuf_iterator<char>{in}, {}};
    const auto view = std::as_bytes(std::span{raw});
    return {view.begin(), view.end()};
}
inline std::vector<std::string> object_names() {
    std::vector<std::string> names;
    for (const auto& f : std::filesystem::directory_iterator{FEMTO_TEST_OBJECTS}) {
        names.push_back(f.path().filename().string());
    }
    return names;
}
#endif

/// An object with storage of exactly the size that it asks for.
class loaded_object {
public:
    explicit loaded_object(std::span<const std::byte> file) : object_{open(file)} {
        const auto r = object_.requirements();
        text.resize(r.text);
        rodata.resize(r.rodata);
        data.resize(r.data);
        functions.resize(r.functions);
    }
    template <class IdOf>
    femto::result<femto::program> load(femto::address_space space, IdOf&& id_of) {
        return femto::load_elf(object_, view(), space, id_of);
    }
    [[nodiscard]] femto::elf_storage view() { return {text, rodata, data, functions}; }

    std::vector<femto::instruction> text;
    std::vector<std::byte> rodata, data;
    std::vector<femto::function> functions;

private:
    static femto::elf_object open(std::span<const std::byte> file) {
        const auto object = femto::elf_object::open(file);
        REQUIRE(object.has_value());
        return *object;
    }
    femto::elf_object object_;
};

}  // namespace test
