// SPDX-License-Identifier: Apache-2.0
// The part of check.hpp that same_everywhere.cpp needs, on the host: host_digest <log>.
#include "check.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {
std::FILE* out = stdout;
void (*body)() = nullptr;
}  // namespace

namespace femto_check {
test_case::test_case(const char* title, void (*run_it)()) : name{title}, run{run_it} { body = run; }
void failed(const char* file, int line, const char* expression) {
    std::fprintf(stderr, "%s:%d: %s\n", file, line, expression);
    std::exit(1);
}
void failed_for_good(const char* file, int line, const char* expression) {
    failed(file, line, expression);
    std::abort();
}
void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), out); }
void print_hex(std::uint64_t value) { std::fprintf(out, "%016llx", static_cast<unsigned long long>(value)); }
void print_number(std::uint64_t value) { print(std::to_string(value)); }
}  // namespace femto_check

int main(int count, char** arguments) {
    if (count > 1) out = std::fopen(arguments[1], "w");
    if (out == nullptr) return 2;
    body();
    return std::fclose(out) == 0 ? 0 : 1;
}
