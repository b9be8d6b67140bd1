// SPDX-License-Identifier: Apache-2.0
// Runs every registered test and prints one line for each: `ok name` or `FAIL name`.
#include "check.hpp"

#include "../../ports/board.hpp"
#include "../../ports/start.hpp"

#include <cstdlib>
#include <new>

using femto::board::write;

namespace {

femto_check::test_case* first = nullptr;
femto_check::test_case** last = &first;
const femto_check::test_case* current = nullptr;
bool current_failed = false;

// Tests use std::vector. Blocks lie one behind the other, each with its size before it; a block that is
// freed goes when those behind it are gone; when a test case ends, all go that it did not free.
struct alignas(16) block {
    std::size_t size;
    block* before;
    bool free;
};
alignas(16) std::byte heap[FEMTO_TARGET_HEAP];
std::size_t heap_used = 0;
block* newest = nullptr;

}  // namespace

namespace femto_check {

test_case::test_case(const char* title, void (*body)()) : name{title}, run{body} {
    *last = this;
    last = &next;
}
void print(std::string_view text) { write(text); }
void print_hex(std::uint64_t value) {
    char text[16];
    for (int i = 15; i >= 0; --i, value >>= 4) text[i] = "0123456789abcdef"[value & 15];
    write({text, 16});
}
void print_number(std::uint64_t value) {
    char text[20];
    std::size_t at = sizeof text;
    do text[--at] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    write({text + at, sizeof text - at});
}
void failed(const char* file, int line, const char* expression) {
    current_failed = true;
    const std::string_view path{file};
    write(path.substr(path.rfind('/') + 1));
    write(":");
    print_number(static_cast<std::uint64_t>(line));
    write(": ");
    write(expression);
    write("\n");
}
void failed_for_good(const char* file, int line, const char* expression) {
    failed(file, line, expression);
    write("FAIL ");
    write(current->name);
    write(": the firmware cannot go on\n");
    femto::board::exit(1);
}

}  // namespace femto_check

void* operator new(std::size_t size) {
    const std::size_t whole = sizeof(block) + ((size + 15) & ~std::size_t{15});
    if (whole > sizeof heap - heap_used) femto_check::failed_for_good("", 0, "memory is left");
    auto* const at = ::new (heap + heap_used) block{whole, newest, false};
    newest = at;
    heap_used += whole;
    return at + 1;
}
void operator delete(void* p) noexcept {
    if (p == nullptr) return;
    (static_cast<block*>(p) - 1)->free = true;
    for (; newest != nullptr && newest->free; newest = newest->before) heap_used -= newest->size;
}
void operator delete(void* p, std::size_t) noexcept { operator delete(p); }

// What the headers of libstdc++ call from its compiled part, which some targets do not have.
namespace std {
void __throw_length_error(const char*) { femto_check::failed_for_good("", 0, "length"); }
void __throw_logic_error(const char*) { femto_check::failed_for_good("", 0, "logic"); }
void __throw_bad_alloc() { femto_check::failed_for_good("", 0, "allocation"); }
void __throw_bad_array_new_length() { femto_check::failed_for_good("", 0, "length"); }
void __throw_out_of_range_fmt(const char*, ...) { femto_check::failed_for_good("", 0, "range"); }
void __throw_bad_function_call() { femto_check::failed_for_good("", 0, "function"); }
}  // namespace std
extern "C" [[noreturn]] void abort() { femto_check::failed_for_good("", 0, "no abort"); }
extern "C" void* __dso_handle;
void* __dso_handle = nullptr;
extern "C" int __aeabi_atexit(void*, void (*)(void*), void*) { return 0; }
extern "C" int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

int femto_main() {
    std::uint64_t failures = 0;
    std::uint64_t count = 0;
    const std::size_t constants = heap_used;  // vectors at namespace scope keep their memory
    block* const last_constant = newest;
    for (current = first; current != nullptr; current = current->next) {
        current_failed = false;
        heap_used = constants;
        newest = last_constant;
        femto::board::paint_stack();
        current->run();
        write(current_failed ? "FAIL " : "ok ");
        write(current->name);
        write("\n  stack ");
        femto_check::print_number(femto::board::stack_used());
        write(" bytes\n");
        failures += current_failed;
        ++count;
    }
    write("ran ");
    femto_check::print_number(count);
    write(", failed ");
    femto_check::print_number(failures);
    write("\n");
    return failures == 0 ? 0 : 1;
}
