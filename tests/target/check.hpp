// SPDX-License-Identifier: Apache-2.0
// The macros of Catch2 that tests/unit uses, for firmware: the same tests run on the boards.
#pragma once

#include <cstdint>
#include <string_view>

namespace femto_check {

/// A test case; they register themselves in a list before main.
struct test_case {
    test_case(const char* title, void (*body)());
    const char* name;
    void (*run)();
    test_case* next = nullptr;
};

void failed(const char* file, int line, const char* expression);
/// There are no exceptions on the device, so a REQUIRE that fails ends the firmware.
[[noreturn]] void failed_for_good(const char* file, int line, const char* expression);

/// Lines of the log beside those of the tests.
void print(std::string_view text);
void print_hex(std::uint64_t value);
void print_number(std::uint64_t value);

}  // namespace femto_check

#define FEMTO_JOIN2(a, b) a##b
#define FEMTO_JOIN(a, b) FEMTO_JOIN2(a, b)
#define TEST_CASE(title)                                                                         \
    static void FEMTO_JOIN(femto_body_, __LINE__)();                                             \
    static femto_check::test_case FEMTO_JOIN(femto_case_, __LINE__){                             \
        title, FEMTO_JOIN(femto_body_, __LINE__)};                                               \
    static void FEMTO_JOIN(femto_body_, __LINE__)()
#define CHECK(...) \
    ((__VA_ARGS__) ? void() : femto_check::failed(__FILE__, __LINE__, #__VA_ARGS__))
#define REQUIRE(...) \
    ((__VA_ARGS__) ? void() : femto_check::failed_for_good(__FILE__, __LINE__, #__VA_ARGS__))
#define CHECK_FALSE(...) CHECK(!(__VA_ARGS__))
#define REQUIRE_FALSE(...) REQUIRE(!(__VA_ARGS__))
#define FAIL(why) femto_check::failed_for_good(__FILE__, __LINE__, why)
#define SUCCEED(...) static_cast<void>(0)
#define INFO(...) static_cast<void>(0)
#define CAPTURE(...) static_cast<void>(0)
