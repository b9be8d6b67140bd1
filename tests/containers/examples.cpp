// SPDX-License-Identifier: Apache-2.0
// Every example container, by every compiler, on every machine, against the same source built
// natively.
#include "cases.hpp"
#include "catch.hpp"

#include <support/engine.hpp>
#include <support/object.hpp>

#include <cstring>
#include <map>
#include <string>
#include <vector>

namespace {

using namespace examples;

struct built {
    const char* compiler;
    const char* function;
    const char* path;
};
constexpr built objects[] = {
#define FEMTO_OBJECT(compiler, function, path) {compiler, function, path},
#include "objects.inc"
#undef FEMTO_OBJECT
};

/// The answers to `function`, computed once.
const std::vector<answer>& known_answers_of(const std::string& function) {
    static std::map<std::string, std::vector<answer>> known;
    const auto found = known.find(function);
    return found != known.end() ? found->second
                                : known.emplace(function, answers_of(function)).first->second;
}

}  // namespace

TEST_CASE("containers: every compiler's object gives what the native code gives") {
    for (const built& o : objects) {
        const auto& answers = known_answers_of(o.function);
        for (const auto& kind : bench::engines) {
            INFO(o.function << " by " << o.compiler << " on " << kind.name);
            bench::object object{o.path};
            REQUIRE(object.ok());
            const auto engine = kind.make();
            const auto loaded = engine->load(object.program(engine->space()), o.function);
            if (!loaded.has_value()) {
                INFO("refused: " << static_cast<int>(loaded.error().code) << " at "
                                 << loaded.error().pc);
                REQUIRE(loaded.has_value());
            }
            const auto inputs = inputs_of(o.function);
            for (std::size_t i = 0; i < inputs.size(); ++i) {
                bytes context = inputs[i];
                const auto result = engine->run(context, 1'000'000);
                INFO("input " << i);
                if (!result.has_value()) {
                    INFO("fault: " << static_cast<int>(result.error().code) << " at "
                                   << result.error().pc << ", address " << std::hex
                                   << result.error().address);
                    REQUIRE(result.has_value());
                }
                CHECK(*result == answers[i].value);
                CHECK(context == answers[i].context);
            }
        }
    }
}

TEST_CASE("containers: the examples compute what they say") {
    bytes digits = text("123456789");
    CHECK(native("crc32", digits) == 0xcbf43926);
    bytes abcde = text("abcde");
    CHECK(native("fletcher32", abcde) == 0xf04fc729);
    CHECK(native("fletcher32_cpp", abcde) == 0xf04fc729);
    bytes r = request(-5, 12);
    const std::string json = "{\"sensor\":12,\"celsius\":-0.05}";
    REQUIRE(native("format", r) == json.size());
    CHECK(std::memcmp(r.data() + 8, json.data(), json.size()) == 0);
    bytes numbers = noise(400, 8);
    CHECK(native("sort", numbers) == 100);
    for (std::size_t i = 1; i < 100; ++i) {
        std::int32_t left = 0;
        std::int32_t right = 0;
        std::memcpy(&left, numbers.data() + 4 * i - 4, 4);
        std::memcpy(&right, numbers.data() + 4 * i, 4);
        REQUIRE(left <= right);
    }
}
