// SPDX-License-Identifier: Apache-2.0
// Every example container, by every compiler, on every machine, against the same source built
// natively.
#include "catch.hpp"

#include <support/engine.hpp>
#include <support/object.hpp>

#include <cstring>
#include <map>
#include <string>
#include <vector>

extern "C" {
std::uint64_t fletcher32(const std::uint8_t*, std::uint64_t);
std::uint64_t fletcher32_cpp(const std::uint8_t*, std::uint64_t);
std::uint64_t crc32(const std::uint8_t*, std::uint64_t);
std::uint64_t sort(std::int32_t*, std::uint64_t);
std::int64_t moving_average(const std::int32_t*, std::uint64_t);
struct reading;
std::int64_t format(reading*, std::uint64_t);
std::uint64_t state_machine(const std::uint8_t*, std::uint64_t);
}

namespace {

using bytes = std::vector<std::byte>;

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

/// Fixed numbers, the same in every run of the tests.
bytes noise(std::size_t size, std::uint32_t seed) {
    bytes made(size);
    for (auto& b : made) {
        seed = seed * 1664525 + 1013904223;
        b = static_cast<std::byte>(seed >> 24);
    }
    return made;
}
template <class T>
bytes bytes_of(const T& value) {
    bytes made(sizeof(T));
    std::memcpy(made.data(), &value, sizeof(T));
    return made;
}
bytes text(const char* s) {
    bytes made(std::strlen(s));
    std::memcpy(made.data(), s, made.size());
    return made;
}
bytes request(std::int32_t centidegrees, std::uint32_t sensor) {
    bytes made(64);
    std::memcpy(made.data(), &centidegrees, 4);
    std::memcpy(made.data() + 4, &sensor, 4);
    return made;
}

/// What the runs of one container get, in order; state carries over from one to the next.
std::vector<bytes> inputs_of(const std::string& function) {
    std::vector<bytes> inputs;
    if (function == "moving_average") {
        for (std::int32_t n = 0; n < 25; ++n) inputs.push_back(bytes_of((n * 7919) % 301 - 150));
        inputs.push_back(bytes_of(std::int32_t{-2147483647}));
        inputs.push_back(noise(3, 1));
    } else if (function == "state_machine") {
        for (const char* s = "427tx42xt9ttt427x4427ttttttt"; *s != 0; ++s) {
            inputs.push_back(bytes(1, static_cast<std::byte>(*s)));
        }
        inputs.emplace_back();
    } else if (function == "format") {
        inputs = {request(2150, 7), request(-5, 0), request(0, 4294967295u),
                  request(-2147483647 - 1, 42), request(2147483647, 1), noise(63, 1)};
    } else {
        inputs = {{}, noise(4, 9), noise(8, 2), noise(360, 3), noise(1500, 4), noise(2048, 5)};
        if (function != "sort") {
            inputs.push_back(noise(1, 6));
            inputs.push_back(noise(721, 7));
            inputs.push_back(bytes(1440, std::byte{0xff}));
            inputs.push_back(text("123456789"));
        }
    }
    return inputs;
}

struct answer {
    std::uint64_t value;
    bytes context;
};

std::uint64_t native(const std::string& function, bytes& context) {
    void* const at = context.data();
    const std::uint64_t n = context.size();
    const auto* const octets = static_cast<const std::uint8_t*>(at);
    if (function == "fletcher32" || function == "fletcher32_rust") return fletcher32(octets, n);
    if (function == "fletcher32_cpp") return fletcher32_cpp(octets, n);
    if (function == "crc32") return crc32(octets, n);
    if (function == "sort") return sort(static_cast<std::int32_t*>(at), n);
    if (function == "format") {
        return static_cast<std::uint64_t>(format(static_cast<reading*>(at), n));
    }
    if (function == "moving_average") {
        return static_cast<std::uint64_t>(moving_average(static_cast<std::int32_t*>(at), n));
    }
    return state_machine(octets, n);
}

/// Computed once: the native functions keep state between runs as containers do.
const std::vector<answer>& answers_of(const std::string& function) {
    static std::map<std::string, std::vector<answer>> known;
    auto& answers = known[function];
    if (answers.empty()) {
        for (bytes& context : inputs_of(function)) {
            const std::uint64_t value = native(function, context);
            answers.push_back({value, context});
        }
    }
    return answers;
}

}  // namespace

TEST_CASE("containers: every compiler's object gives what the native code gives") {
    for (const built& o : objects) {
        const auto& answers = answers_of(o.function);
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
