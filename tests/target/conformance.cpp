// SPDX-License-Identifier: Apache-2.0
// The instruction tests of tests/conformance on boards.
#include "check.hpp"

#include "../unit/every_vm.hpp"

#include <conformance_files.hpp>
#include <suite.hpp>

namespace {

void check_file(std::string_view name) {
    bool found = false;
    for (const auto& f : conformance::files) {
        if (f.name != name) continue;
        found = true;
        test::on_every_vm<femto::config{}>([&](auto c) {
            using machine = typename decltype(c)::template vm<conformance::suite_helpers>;
            const auto s = conformance::run_file_on<machine>(f.text);
            CHECK(s.failed == 0);
            CHECK(s.passed > 0);
            if (s.failed == 0) return;
            femto_check::print("  line ");
            femto_check::print_number(s.line);
            femto_check::print(": ");
            femto_check::print(s.why);
            femto_check::print("\n");
        });
    }
    CHECK(found);
}

}  // namespace

TEST_CASE("conformance: arithmetic") { check_file("arithmetic"); }
TEST_CASE("conformance: atomic") { check_file("atomic"); }
TEST_CASE("conformance: control") { check_file("control"); }
TEST_CASE("conformance: extend_and_swap") { check_file("extend_and_swap"); }
TEST_CASE("conformance: jump") { check_file("jump"); }
TEST_CASE("conformance: memory") { check_file("memory"); }
TEST_CASE("conformance: multiply_divide") { check_file("multiply_divide"); }
TEST_CASE("conformance: refused") { check_file("refused"); }
TEST_CASE("conformance: shift") { check_file("shift"); }

TEST_CASE("conformance: every file is a test on boards") { CHECK(conformance::files.size() == 10); }
