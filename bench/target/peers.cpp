// SPDX-License-Identifier: Apache-2.0
// Counts instructions of Lua and Duktape on a board: starting each workload from its source, and a run.
// They need a C library with a heap, which is part of the comparison; what it asks of a system is here.
#include "../peers/scripts.hpp"
#include "instruction_count.hpp"

#include <board.hpp>

#include <cstdint>
#include <string_view>

extern "C" {
#define FEMTO_WORKLOAD(name, expected)                                             \
    [[gnu::weak]] extern const char lua_##name[], lua_end_##name[], js_##name[], js_end_##name[];
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD

// newlib's hooks.
void* _sbrk(int bytes) {
    alignas(8) static char heap[1 << 20];
    static char* end = heap;
    if (bytes > heap + sizeof heap - end) return reinterpret_cast<void*>(-1);
    char* const begin = end;
    end += bytes;
    return begin;
}
[[noreturn]] void _exit(int status) { femto::board::exit(status); }
int _kill(int, int) { return -1; }
int _getpid() { return 1; }
int _write(int, const char*, int) { return -1; }
int _read(int, char*, int) { return -1; }
int _close(int) { return -1; }
int _lseek(int, int, int) { return -1; }
int _fstat(int, void*) { return -1; }
int _isatty(int) { return 0; }
int _gettimeofday(void*, void*) { return -1; }
long _times(void*) { return -1; }
}

namespace {

using femto::board::write;

using peers::duktape;
using peers::lua;

void field(std::string_view key, std::uint64_t value) {
    char text[20];
    std::size_t at = sizeof text;
    do text[--at] = static_cast<char>('0' + value % 10);
    while ((value /= 10) != 0);
    write(" ");
    write(key);
    write("=");
    write({text + at, sizeof text - at});
}

template <class Engine>
void measure(bench::instruction_count& count, std::string_view workload, const char* begin,
             const char* end, std::uint64_t expected) {
    if (begin == nullptr) return;  // was not ported
    const std::string_view text{begin, static_cast<std::size_t>(end - begin)};
    const auto start = count.of([&] { Engine engine{text}; });
    Engine engine{text};
    std::uint64_t value = 0;
    const auto run = count.of([&] { value = engine.run(); });
    write(engine.ok() && value == expected ? "peer engine=" : "wrong result: engine=");
    write(Engine::name);
    write(" workload=");
    write(workload);
    field("bytes", text.size());
    field("start", start);
    field("instructions", run);
    write("\n");
    if (value != expected) femto::board::exit(1);
}

}  // namespace

int femto_main() {
    bench::instruction_count count;
    if (!count.works()) {
        write("instructions are not counted\n");
        return 1;
    }
#define FEMTO_WORKLOAD(name, expected)                                       \
    measure<lua>(count, #name, lua_##name, lua_end_##name, expected);        \
    measure<duktape>(count, #name, js_##name, js_end_##name, expected);
#include <workloads/workloads.def>
#undef FEMTO_WORKLOAD
    write("end\n");
    return 0;
}
