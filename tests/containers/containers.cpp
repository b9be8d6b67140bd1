// SPDX-License-Identifier: Apache-2.0
#include "catch.hpp"
#include "every_vm.hpp"

#include <femto/elf.hpp>

#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>
#include <string>
#include <vector>

using namespace femto;

extern "C" {
using native_function = std::uint64_t(void*, std::uint64_t);
native_function crc32, fletcher32, fletcher32_cpp, format, moving_average, sort, state_machine;
}

namespace {

using bytes = std::vector<std::byte>;

bytes read(const std::string& name) {
    std::ifstream in{std::string{FEMTO_CONTAINERS} + "/" + name + ".o", std::ios::binary};
    INFO(name);
    REQUIRE(in.good());
    const std::vector<char> raw{std::istreambuf_iterator<char>{in}, {}};
    const auto view = std::as_bytes(std::span{raw});
    return {view.begin(), view.end()};
}

/// A loaded container that keeps its data from run to run, as on a device.
template <config Config>
class guest {
public:
    guest(const std::string& object, const char* function) : file_{read(object)} {
        const auto opened = elf_object::open(file_);
        REQUIRE(opened.has_value());
        const auto needs = opened->requirements();
        text_.resize(needs.text);
        rodata_.resize(needs.rodata);
        data_.resize(needs.data);
        functions_.resize(needs.functions);
        const auto p = load_elf(*opened, {text_, rodata_, data_, functions_},
                                Config.address_space, helper_names<helper_set<>>{});
        REQUIRE(p.has_value());
        program_ = *p;
        scratch_.resize(program_.text.size());
        function_ = function;
    }
    std::uint64_t operator()(bytes& context) {
        const auto verified = vm<Config>::verify(program_, scratch_);
        REQUIRE(verified.has_value());
        const auto entry = verified->entry(function_);
        REQUIRE(entry.has_value());
        const auto r = machine_.run(*verified, *entry, std::span{context}, 1000000);
        REQUIRE(r.has_value());
        return *r;
    }

private:
    bytes file_;
    std::vector<instruction> text_;
    bytes rodata_, data_;
    std::vector<function> functions_;
    std::vector<std::uint8_t> scratch_;
    program program_{};
    std::string function_;
    vm<Config> machine_;
};

/// Runs all objects of a container on all machines and the native function on the same sequence of
/// contexts: results and what is left in the context must be the same. The native function keeps its
/// variables, so a container with state gets one sequence only.
void compare(const std::vector<std::string>& objects, const char* function, native_function* native,
             const std::vector<bytes>& contexts) {
    std::vector<std::pair<std::uint64_t, bytes>> expected;
    for (bytes context : contexts) {
        const std::uint64_t r = native(context.data(), context.size());
        expected.emplace_back(r, std::move(context));
    }
    for (const auto& object : objects) {
        INFO(object);
        test::on_every_vm<config{}>([&](auto c) {
            guest<decltype(c)::value> run{object, function};
            for (std::size_t n = 0; n < contexts.size(); ++n) {
                INFO("context " << n);
                bytes context = contexts[n];
                CHECK(run(context) == expected[n].first);
                CHECK(context == expected[n].second);
            }
        });
    }
}
std::vector<std::string> by_all_compilers(const std::string& name) {
    return {"container_" + name, "container_v2_" + name, "container_gcc_" + name};
}

bytes random_bytes(std::size_t size, unsigned seed) {
    std::mt19937 random{seed};
    bytes b(size);
    for (auto& x : b) x = static_cast<std::byte>(random());
    return b;
}
bytes words(std::uint32_t count, unsigned seed) {
    bytes b = random_bytes(4 + 2 * std::size_t{count}, seed);
    std::memcpy(b.data(), &count, 4);
    return b;
}

}  // namespace

TEST_CASE("containers: fletcher32 in C, C++ and Rust") {
    const std::vector<bytes> contexts{words(0, 0), words(1, 1), words(180, 2), words(359, 3),
                                      words(360, 4), words(2000, 5)};
    compare(by_all_compilers("fletcher32"), "fletcher32", &fletcher32, contexts);
    compare({"container_fletcher32_cpp"}, "fletcher32_cpp", &fletcher32, contexts);
    compare({"container_fletcher32_rust"}, "fletcher32_rust", &fletcher32, contexts);
    bytes again = words(180, 2), same = again;
    CHECK(fletcher32_cpp(again.data(), again.size()) == fletcher32(same.data(), same.size()));
}

TEST_CASE("containers: crc32") {
    bytes check(9);
    std::memcpy(check.data(), "123456789", 9);
    CHECK(crc32(check.data(), 9) == 0xcbf43926);  // the check value of the standard
    compare(by_all_compilers("crc32"), "crc32", &crc32,
            {check, {}, random_bytes(1, 1), random_bytes(1000, 2)});
}

TEST_CASE("containers: sort") {
    compare(by_all_compilers("sort"), "sort", &sort,
            {{}, random_bytes(4, 1), random_bytes(400, 2), random_bytes(403, 3)});
}

TEST_CASE("containers: moving_average keeps its readings") {
    std::vector<bytes> contexts;
    for (int n = 0; n < 25; ++n) {
        const std::int32_t reading = (n * 7919) % 1000 - 500;
        bytes b(4);
        std::memcpy(b.data(), &reading, 4);
        contexts.push_back(b);
    }
    compare(by_all_compilers("moving_average"), "moving_average", &moving_average, contexts);
}

TEST_CASE("containers: format") {
    std::vector<bytes> contexts;
    for (const std::int32_t t : {0, 5, -5, 1234, -1234, 2147483647, -2147483647 - 1}) {
        bytes b(24);
        std::memcpy(b.data(), &t, 4);
        contexts.push_back(b);
    }
    compare(by_all_compilers("format"), "format", &::format, contexts);
    bytes text = contexts[4];
    CHECK(::format(text.data(), text.size()) == 9);
    CHECK(std::string{reinterpret_cast<const char*>(text.data()) + 4} == "t=-12.34C");
}

TEST_CASE("containers: state_machine") {
    std::vector<bytes> contexts;
    for (unsigned seed = 1; seed < 5; ++seed) {
        bytes b = random_bytes(200, seed);
        for (std::size_t n = 0; n < b.size(); ++n) {  // runs of a few samples
            b[n] = n % 17 < 12 ? b[n - n % 17] & std::byte{1} : b[n] & std::byte{1};
        }
        contexts.push_back(b);
    }
    compare(by_all_compilers("state_machine"), "state_machine", &state_machine, contexts);
}
