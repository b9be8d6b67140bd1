// SPDX-License-Identifier: Apache-2.0
// The example containers, as each compiler wrote them, on boards: loaded from their ELF objects, verified,
// run on every machine, and compared with the same source compiled for the board.
#include "../containers/cases.hpp"
#include "../unit/catch.hpp"
#include "../unit/every_vm.hpp"
#include "../unit/objects.hpp"

namespace {

using namespace femto;

/// Runs the container from `object` on all inputs, with its variables as they are at first.
template <config Config>
void run(const std::vector<std::byte>& file, const std::string& function,
         const std::vector<examples::answer>& answers) {
    using machine = vm<Config>;
    test::loaded_object object{file};
    const auto program = object.load(Config.address_space, helper_names<helper_set<>>{});
    REQUIRE(program.has_value());
    std::vector<std::uint8_t> scratch(program->text.size());
    const auto verified = machine::verify(*program, scratch);
    REQUIRE(verified.has_value());
    const auto entry = verified->entry(function);
    REQUIRE(entry.has_value());
    machine m;
    const auto inputs = examples::inputs_of(function);
    for (std::size_t n = 0; n < inputs.size(); ++n) {
        auto context = inputs[n];
        const auto r = m.run(*verified, *entry, context, 1'000'000);
        REQUIRE(r.has_value());
        CHECK(*r == answers[n].value);
        CHECK(context == answers[n].context);
    }
}

void check(const std::string& function) {
    const auto answers = examples::answers_of(function);
    const auto names = test::object_names();
    unsigned seen = 0;
    for (const char* compiler : {"_clang14_v3", "_clang", "_clang_v4", "_gcc", ""}) {
        const std::string name = function + compiler + ".o";
        if (std::find(names.begin(), names.end(), name) == names.end()) continue;
        const auto file = test::read_object(name);
        test::on_every_vm<config{}>(
            [&](auto c) { run<decltype(c)::value>(file, function, answers); });
        ++seen;
    }
    femto_check::print("  by compilers: ");
    femto_check::print_number(seen);
    femto_check::print("\n");
    CHECK(seen >= (function == "fletcher32_rust" ? 1u : 2u));
}

}  // namespace

TEST_CASE("containers: fletcher32") { check("fletcher32"); }
TEST_CASE("containers: fletcher32 in C++") { check("fletcher32_cpp"); }
TEST_CASE("containers: fletcher32 in Rust") { check("fletcher32_rust"); }
TEST_CASE("containers: crc32") { check("crc32"); }
TEST_CASE("containers: sort") { check("sort"); }
TEST_CASE("containers: moving_average") { check("moving_average"); }
TEST_CASE("containers: format") { check("format"); }
TEST_CASE("containers: state_machine") { check("state_machine"); }
