// SPDX-License-Identifier: Apache-2.0
// What a user would otherwise pick, as Debian has it, on the same workloads: Lua 5.4 and Duktape run
// what was ported by hand (bench/peers), WABT's interpreter what clang makes of the same C sources.
// Time of a run, and from the bytes of the program to where it can be called. C++17, as WABT's headers.
#include "../peers/scripts.hpp"

#include <benchmark/benchmark.h>

#include <wabt/binary-reader.h>
#include <wabt/interp/binary-reader-interp.h>
#include <wabt/interp/interp.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

using peers::duktape;
using peers::lua;

class wabt_interpreter {
public:
    static constexpr const char* name = "wabt";
    explicit wabt_interpreter(const std::string& bytes) {
        using namespace wabt::interp;
        wabt::Errors errors;
        ModuleDesc described;
        const wabt::ReadBinaryOptions options{features_, nullptr, false, true, true};
        if (wabt::Failed(ReadBinaryInterp("workload", bytes.data(), bytes.size(), options, &errors,
                                          &described))) {
            return;
        }
        const auto module = Module::New(store_, described);
        Trap::Ptr trap;
        const auto instance = Instance::Instantiate(store_, module.ref(), {}, &trap);
        if (!instance) return;
        for (std::size_t n = 0; n < module->desc().exports.size(); ++n) {
            if (module->desc().exports[n].type.name.rfind("workload_", 0) == 0) {
                function_ = store_.UnsafeGet<Func>(instance->exports()[n]);
                ok_ = true;
            }
        }
    }
    [[nodiscard]] bool ok() const { return ok_; }
    std::uint64_t run() {
        using wabt::interp::Value;
        wabt::interp::Values results;
        wabt::interp::Trap::Ptr trap;
        const wabt::interp::Values arguments{Value::Make(wabt::interp::u32{1024}),
                                             Value::Make(wabt::interp::u64{64})};
        if (wabt::Failed(function_->Call(thread_, arguments, results, &trap))) return 0;
        return results.at(0).Get<wabt::interp::u64>();
    }

private:
    wabt::Features features_;
    wabt::interp::Store store_{features_};
    wabt::interp::Thread thread_{store_};
    wabt::interp::Func::Ptr function_;
    bool ok_ = false;
};

std::string read(const std::string& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

template <class Engine>
void add(const std::string& workload, const std::string& path, std::uint64_t expected) {
    const std::string text = read(path);
    if (text.empty()) return;
    const auto register_one = [&](const char* group, auto function) {
        benchmark::RegisterBenchmark((group + workload + "/").append(Engine::name).c_str(), function);
    };
    register_one("workload/", [=](benchmark::State& state) {
        Engine engine{text};
        std::uint64_t value = 0;
        for (auto _ : state) value = engine.run();
        if (!engine.ok() || value != expected) state.SkipWithError("wrong result");
    });
    register_one("startup/", [=](benchmark::State& state) {
        for (auto _ : state) {
            Engine engine{text};
            if (!engine.ok()) state.SkipWithError("not loaded");
        }
        state.counters["bytes"] = static_cast<double>(text.size());
    });
}

const bool added = [] {
#define FEMTO_WORKLOAD(name, expected)                                              \
    add<lua>(#name, FEMTO_PEERS "/" #name ".lua", expected);                        \
    add<duktape>(#name, FEMTO_PEERS "/" #name ".js", expected);                     \
    add<wabt_interpreter>(#name, FEMTO_WASM "/" #name ".wasm", expected);
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
    return true;
}();

}  // namespace
