// SPDX-License-Identifier: Apache-2.0
// Instructions a second for each class, from loops that consist of the class as far as possible.
#include <femto/assembler.hpp>
#include <femto/vm.hpp>

#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

namespace {

std::uint64_t nothing(std::uint64_t a) { return a; }
std::uint64_t five(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                   std::uint64_t e) {
    return a + b + c + d + e;
}
std::uint32_t bytes(femto::guest_span<const std::uint8_t> s) { return s.size(); }
std::uint32_t text(femto::guest_string s) { return static_cast<std::uint32_t>(s.text.size()); }
void suspend(femto::caller& c) { c.suspend(); }
using helpers = femto::helper_set<femto::helper<1, "nothing", &nothing>,
                                  femto::helper<2, "five", &five>, femto::helper<3, "bytes", &bytes>,
                                  femto::helper<4, "text", &text>,
                                  femto::helper<5, "suspend", &suspend>>;

/// r9 counts down from 1000 around eight times `body`, after `setup`.
std::vector<femto::instruction> loop(const std::string& setup, const std::string& body,
                                     const std::string& functions = "") {
    std::string source = setup + "\nmov r9, 1000\nagain:\n";
    for (int n = 0; n < 8; ++n) source += body + "\n";
    source += "sub r9, 1\njne r9, 0, again\nexit\n" + functions;
    std::vector<femto::instruction> slots(256);
    const auto size = femto::assemble(source, slots);
    slots.resize(*size);
    return slots;
}

template <femto::config Config>
void instructions(benchmark::State& state, const char* setup, const char* body,
                  const char* functions) {
    using machine = femto::vm<Config, helpers>;
    const auto program = loop(setup, body, functions);
    std::vector<std::uint8_t> scratch(program.size());
    const auto v = machine::verify({program, {}, {}, {}}, scratch);
    machine m;
    std::array<std::byte, 64> context{};
    std::uint64_t executed = 0;
    for (auto _ : state) {
        auto r = m.run(*v, v->entry(), context, femto::max_fuel);
        executed += m.executed();
        while (!r && r.error().code == femto::errc::suspended) {
            r = m.resume(*v, femto::max_fuel);
            executed += m.executed();
        }
        if (!r) state.SkipWithError("fault");
    }
    state.counters["instructions"] =
        benchmark::Counter(static_cast<double>(executed), benchmark::Counter::kIsRate);
}

constexpr femto::config threaded{};
constexpr femto::config compact{.dispatch = femto::dispatch::compact};
constexpr femto::config flat{.address_space = femto::address_space::flat};
constexpr femto::config flat_16{.address_space = femto::address_space::flat, .max_regions = 16};

/// A class of instructions on both dispatchers.
void each(const std::string& name, const char* setup, const char* body,
          const char* functions = "") {
    benchmark::RegisterBenchmark(("instructions/" + name).c_str(), instructions<threaded>, setup,
                                 body, functions);
    benchmark::RegisterBenchmark(("instructions/" + name + "/compact").c_str(),
                                 instructions<compact>, setup, body, functions);
}

[[maybe_unused]] const bool registered = [] {
    each("alu64", "mov r0, 1\nmov r1, 3", "add r0, r1");
    each("alu32", "mov r0, 1\nmov r1, 3", "xor32 r0, r1");
    each("multiply", "mov r0, 1\nmov r1, 3", "mul r0, r1");
    each("divide", "mov r0, 1\nmov r1, 3", "div r0, r1");
    each("jump_taken", "mov r0, 1", "jeq r0, 1, +0");
    each("jump_not_taken", "mov r0, 1", "jeq r0, 2, +0");
    each("load_immediate", "", "lddw r0, 0x1122334455667788");
    each("load", "", "ldxw r0, [r1+8]");
    each("store", "", "stxdw [r1+8], r0");
    each("atomic", "mov r0, 1", "lock add [r1+8], r0");
    each("local_call", "", "call local f", "f:\nexit\n");
    each("helper_1_integer", "", "call 1");
    each("helper_5_integers", "", "call 2");
    each("helper_span", "mov r6, r1", "mov r1, r6\nmov r2, 16\ncall 3");
    each("helper_string", "mov r6, r1", "mov r1, r6\ncall 4");
    each("suspend_resume", "", "call 5");
    const auto in_flat = [](const char* name, auto* f, const char* body) {
        benchmark::RegisterBenchmark(name, f, "", body, "");
    };
    in_flat("instructions/load/flat_8_regions", &instructions<flat>, "ldxw r0, [r1+8]");
    in_flat("instructions/load/flat_16_regions", &instructions<flat_16>, "ldxw r0, [r1+8]");
    in_flat("instructions/store/flat_8_regions", &instructions<flat>, "stxdw [r1+8], r0");
    return true;
}();

}  // namespace
