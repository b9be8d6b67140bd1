// SPDX-License-Identifier: Apache-2.0
// The disassembler beside llvm-objdump, on all code that the compilers made of tests/objects and of the
// examples; and what it prints assembled again.
#include "catch.hpp"

#include <femto/assembler.hpp>
#include <femto/disassembler.hpp>
#include <femto/elf_object.hpp>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

using namespace femto;

namespace {

/// The code of each section, by slot, without the symbols that objdump adds.
std::map<std::string, std::map<std::size_t, std::string>> objdump(const std::string& path) {
    std::map<std::string, std::map<std::size_t, std::string>> sections;
    const std::string command = std::string{FEMTO_OBJDUMP} + " -d --no-show-raw-insn '" + path + "'";
    std::FILE* const out = ::popen(command.c_str(), "r");
    REQUIRE(out != nullptr);
    std::string section;
    char line[512];
    while (std::fgets(line, sizeof line, out) != nullptr) {
        std::string text{line};
        while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
        const std::string title = "Disassembly of section ";
        if (text.starts_with(title)) {
            section = text.substr(title.size(), text.size() - title.size() - 1);
            continue;
        }
        const std::size_t tab = text.find(":\t");
        if (section.empty() || tab == text.npos) continue;  // "FILE:\tfile format"
        const std::size_t symbol = text.rfind(" <");
        if (text.ends_with(">") && symbol != text.npos && !text.ends_with("<unknown>")) {
            text.resize(symbol);
        }
        sections[section][std::stoul(text)] = text.substr(tab + 2);
    }
    REQUIRE(::pclose(out) == 0);
    return sections;
}

std::vector<std::filesystem::path> objects() {
    std::vector<std::filesystem::path> paths;
    for (const char* folder : {FEMTO_TEST_OBJECTS, FEMTO_EXAMPLES, FEMTO_WORKLOADS}) {
        for (const auto& f : std::filesystem::directory_iterator{folder}) {
            if (f.path().extension() == ".o") paths.push_back(f.path());
        }
    }
    return paths;
}

}  // namespace

TEST_CASE("disassembler: the same as llvm-objdump on the objects of every compiler") {
    std::size_t compared = 0;
    for (const auto& path : objects()) {
        std::ifstream in{path, std::ios::binary};
        const std::vector<char> file{std::istreambuf_iterator<char>{in}, {}};
        const auto object = elf_object::open(std::as_bytes(std::span{file}));
        INFO(path);
        REQUIRE(object.has_value());
        for (const auto& [section, lines] : objdump(path)) {
            const auto bytes = object->find_section(section);
            std::vector<instruction> text(bytes.size() / 8);
            std::memcpy(text.data(), bytes.data(), text.size() * 8);
            INFO(section);
            for (std::size_t pc = 0; pc < text.size();) {
                const auto d = disassemble(text, pc);
                const std::string printed{d.text()};
                INFO("slot " << pc);
                const auto expected = lines.find(pc);
                REQUIRE(expected != lines.end());
                // clang up to 18 puts the register of callx where objdump 22 does not look for it.
                const bool old_callx = text[pc].opcode() == 0x8d && text[pc].imm() != 0;
                CHECK((printed == expected->second || old_callx));
                // Two things look alike in LLVM's text: a call of a helper and one of a function; callx of
                // clang up to 18 and of later ones.
                const bool alike = text[pc].opcode() == 0x8d ||
                                   (text[pc].opcode() == 0x85 && text[pc].src() != 0);
                if (!alike) {
                    std::array<instruction, 2> again{};
                    const auto size = assemble(printed, again);
                    REQUIRE(size.has_value());
                    CHECK(*size == d.slots);
                    CHECK(again[0] == text[pc]);
                    if (d.slots == 2) CHECK(again[1] == text[pc + 1]);
                }
                pc += d.slots;
                ++compared;
            }
        }
    }
    CHECK(compared > 1000);
}
