// SPDX-License-Identifier: Apache-2.0
// What is paid once or at a boundary: start-up in its parts and as a whole, helper calls by argument,
// local calls, suspend and resume.
#include "loop.hpp"

#include <support/packed.hpp>

namespace {

using bench::add;
using bench::op;

void verify(benchmark::State& state, const std::string& name, const bench::engine_kind& kind) {
    bench::object object{std::string{FEMTO_WORKLOADS} + "/" + name + ".o"};
    const auto engine = kind.make();
    const auto program = object.program(engine->space());
    for (auto _ : state) {
        if (!engine->load(program, "workload_" + name).has_value()) {
            state.SkipWithError("refused by the verifier");
            break;
        }
    }
    const auto slots = program.text.size();
    state.counters["slots"] = static_cast<double>(slots);
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) *
                            static_cast<std::int64_t>(slots));
}

/// RAM that programs are loaded into.
struct storage {
    std::vector<std::uint64_t> data = std::vector<std::uint64_t>(512);
    std::vector<femto::function> functions = std::vector<femto::function>(1);
    [[nodiscard]] femto::result<femto::program> load(const std::vector<std::uint64_t>& flash) {
        const auto image = femto::parse_image(std::as_bytes(std::span{flash}));
        if (!image) return femto::failure{image.error()};
        return femto::load(*image, {std::as_writable_bytes(std::span{data}), functions, {}});
    }
};

// From the bytes of an object (ELF) or of a container image to a program in memory.
void parse_object(benchmark::State& state, const std::string& name) {
    bench::object object{std::string{FEMTO_WORKLOADS} + "/" + name + ".o"};
    for (auto _ : state) benchmark::DoNotOptimize(object.program());
    state.counters["bytes"] = static_cast<double>(object.size());
}
void parse_image(benchmark::State& state, const std::string& name) {
    bench::object object{std::string{FEMTO_WORKLOADS} + "/" + name + ".o"};
    const auto flash = bench::pack(object, "workload_" + name);
    storage ram;
    for (auto _ : state) benchmark::DoNotOptimize(ram.load(flash));
    state.counters["bytes"] = static_cast<double>(flash.size() * 8);
}

// From the bytes of a container image to the first instruction, on a machine that is made for it.
void startup(benchmark::State& state, const std::string& name, const bench::engine_kind& kind) {
    bench::object object{std::string{FEMTO_WORKLOADS} + "/" + name + ".o"};
    const auto flash = bench::pack(object, "workload_" + name);
    std::array<std::byte, 64> context{};
    storage ram;
    for (auto _ : state) {
        const auto engine = kind.make();
        const auto program = ram.load(flash);
        if (!program || !engine->load(*program, program->functions.empty()
                                                    ? std::string_view{}
                                                    : program->functions[0].name)) {
            state.SkipWithError("not loaded");
            break;
        }
        benchmark::DoNotOptimize(engine->run(context, 1));  // to the first jump, call or return
    }
    state.counters["bytes"] = static_cast<double>(flash.size() * 8);
}

// A run of one instruction.
void first_instruction(benchmark::State& state, const bench::engine_kind& kind) {
    bench::measure(state, {op(0x95)}, kind);
}

void suspend_and_resume(benchmark::State& state, const bench::engine_kind& kind) {
    const bench::text t{op(0x85, 0, 0, 0, 0x7004), op(0x05, 0, 0, -2)};
    const femto::function only[]{{"main", 0}};
    const auto engine = kind.make();
    std::array<std::byte, 8> context{};
    if (!engine->load({t, {}, {}, only}, "main").has_value() ||
        engine->run(context, 100).has_value()) {
        state.SkipWithError("did not suspend");
        return;
    }
    for (auto _ : state) {
        if (engine->resume(100).error().code != femto::errc::suspended) {
            state.SkipWithError("did not suspend again");
            break;
        }
    }
}

/// Calls helper `id` after setting its arguments; the instructions that set them count too.
bench::text helper(std::int32_t id, bench::text arguments = {}) {
    arguments.push_back(op(0x85, 0, 0, 0, id));
    return bench::repeat(arguments);
}

/// 32 calls of a function that only returns, 100 times over.
bench::text local_calls() {
    bench::text t = bench::repeat({op(0x85, 0, 1)});
    const auto callee = static_cast<std::int32_t>(t.size());
    for (std::int32_t pc = 0; pc < callee; ++pc) {
        auto& i = t[static_cast<std::size_t>(pc)];
        if (i.opcode() == 0x85) i = op(0x85, 0, 1, 0, callee - pc - 1);
    }
    t.push_back(op(0x95));
    return t;
}

// From 21 to 270 instructions; and those that were ported to other languages.
constexpr const char* programs[]{"mix64", "sieve", "fletcher32", "bubble_sort", "crc32_bitwise",
                                 "binary_search", "crc32_table", "json", "sha256"};

const bool added = [] {
    for (const auto& kind : bench::engines) {
        const std::string on = std::string{"/"} + kind.name;
        for (const char* name : programs) {
            benchmark::RegisterBenchmark((std::string{"startup/"} + name + on).c_str(), startup, name,
                                         kind);
            benchmark::RegisterBenchmark((std::string{"verify/"} + name + on).c_str(), verify, name,
                                         kind);
        }
        benchmark::RegisterBenchmark(("first_instruction" + on).c_str(), first_instruction, kind);
        benchmark::RegisterBenchmark(("suspend_and_resume" + on).c_str(), suspend_and_resume, kind);
    }
    for (const char* name : programs) {
        benchmark::RegisterBenchmark((std::string{"parse/"} + name + "/object").c_str(),
                                     parse_object, name);
        benchmark::RegisterBenchmark((std::string{"parse/"} + name + "/image").c_str(), parse_image,
                                     name);
    }
    const auto context_to = [](unsigned r) { return op(0xbf, r, 7); };
    add("helper/nothing", helper(0x7001));
    add("helper/values", helper(0x10, {op(0xb7, 1, 0, 0, 1), op(0xb7, 2, 0, 0, 2)}));
    add("helper/reference", helper(0x12, {op(0xb7, 1, 0, 0, 1), context_to(2)}));
    add("helper/span", helper(0x7002, {context_to(1), op(0xb7, 2, 0, 0, 64)}));
    add("helper/string", helper(0x7003, {context_to(1)}));
    add("local_call", local_calls());
    return true;
}();

}  // namespace
