// SPDX-License-Identifier: Apache-2.0
#include "catch.hpp"
#include "every_vm.hpp"
#include "suite.hpp"

#include <conformance_files.hpp>

#include <string>

namespace {

void check_file(std::string_view name) {
    bool found = false;
    for (const auto& f : conformance::files) {
        if (f.name != name) continue;
        found = true;
        test::on_every_vm<femto::config{}>([&](auto c) {
            using machine = typename decltype(c)::template vm<conformance::suite_helpers>;
            const auto s = conformance::run_file_on<machine>(f.text);
            INFO(name << ".test:" << s.line << ": " << s.why);
            CHECK(s.failed == 0);
            CHECK(s.passed > 0);
        });
    }
    CHECK(found);
}

}  // namespace

TEST_CASE("conformance: arithmetic") { check_file("arithmetic"); }
TEST_CASE("conformance: atomic") { check_file("atomic"); }
TEST_CASE("conformance: control") { check_file("control"); }
TEST_CASE("conformance: encoding") { check_file("encoding"); }
TEST_CASE("conformance: extend_and_swap") { check_file("extend_and_swap"); }
TEST_CASE("conformance: jump") { check_file("jump"); }
TEST_CASE("conformance: memory") { check_file("memory"); }
TEST_CASE("conformance: multiply_divide") { check_file("multiply_divide"); }
TEST_CASE("conformance: refused") { check_file("refused"); }
TEST_CASE("conformance: shift") { check_file("shift"); }

TEST_CASE("conformance: every file is a test above") { CHECK(conformance::files.size() == 10); }

TEST_CASE("conformance: every instruction of opcodes.def occurs") {
    std::array<bool, femto::instruction_list.size()> seen{};
    for (const auto& f : conformance::files) {
        const auto s = conformance::run_file<femto::config{}>(f.text);
        for (std::size_t n = 0; n < seen.size(); ++n) seen[n] = seen[n] || s.seen[n];
    }
    for (std::size_t n = 0; n < seen.size(); ++n) {
        INFO(femto::instruction_list[n].name);
        CHECK(seen[n]);
    }
}

TEST_CASE("conformance: the suite notices what is wrong") {
    static constexpr femto::config c{};
    const auto why = [](std::string_view source) {
        const auto s = conformance::run_file<c>(source);
        return std::to_string(s.line) + ": " + std::string{s.why};
    };
    CHECK(why("alu add 1 2 = 3\n\nalu add 1 2 = 4\n") == "3: r0");
    CHECK(why("jump jeq 1 2 yes") == "1: r0");
    CHECK(why("unary neg 1 = 1") == "1: r0");
    CHECK(why("unary nag 1 = 1") == "1: no such mnemonic");
    CHECK(why("program\n mov r0, 1\n exit\nend r0 1 count 3\n") == "4: instructions executed");
    CHECK(why("program\n mov r0, 1\nend r0 1 count 3\n") == "3: no_return");
    CHECK(why("program\n exit\nend fault illegal_memory at 0\n") == "3: which error");
    CHECK(why("program\n ldxb r0, [r1]\n exit\nend fault illegal_memory at 1\n") == "4: where");
    CHECK(why("program\n ldxb r0, [r1]\n exit\nend refused illegal_memory at 0\n") ==
          "4: refused or faulted");
    CHECK(why("program\n ldxb r0, [r1]\n exit\nend fault illegal_memory at 0 address 1\n") ==
          "4: address");
    CHECK(why("memory 01\nprogram\n exit\nend r0 0 count 1\nafter 02\n") == "5: memory afterwards");
    CHECK(why("slots\n 95 00\nend r0 0 count 1\n") == "1: not a slot");
    CHECK(why("slots\n 95 00 00 00 00 00 00 00\nend r0 1 count 1\n") == "3: r0");
    CHECK(why("program\n bad\nend r0 0 count 1\n") == "1: does not assemble");
}
