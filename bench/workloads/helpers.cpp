// SPDX-License-Identifier: Apache-2.0
// The firmware that the workloads call: two stores, a sensor and a formatter, as C functions for
// the native build. helpers.hpp binds the same functions for guests.
#include "helpers.hpp"

namespace {

struct store {
    std::uint32_t values[16];
};
store local{};
store global{};
std::uint32_t readings = 0;
char sensor = 0;

int put(store& s, std::uint32_t key, std::uint32_t value) {
    if (key >= 16) return -1;
    s.values[key] = value;
    return 0;
}
int get(const store& s, std::uint32_t key, std::uint32_t* value) {
    *value = key < 16 ? s.values[key] : 0;
    return 0;
}

}  // namespace

extern "C" {

int bpf_store_local(std::uint32_t key, std::uint32_t value) { return put(local, key, value); }
int bpf_store_global(std::uint32_t key, std::uint32_t value) { return put(global, key, value); }
int bpf_fetch_local(std::uint32_t key, std::uint32_t* value) { return get(local, key, value); }
int bpf_fetch_global(std::uint32_t key, std::uint32_t* value) { return get(global, key, value); }

void* bpf_saul_reg_find_nth(int pos) { return pos == 1 ? &sensor : nullptr; }

// Repeats after 32 readings, as many as a run of the workload takes, so that every run is the same.
int bpf_saul_reg_read(void* device, phydat_t* data) {
    if (device != &sensor) return -1;
    *data = {{static_cast<std::int16_t>(2000 + 37 * (readings++ % 32)), 0, 0}, 2, -2};
    return 0;
}

std::size_t bpf_fmt_u32_dec(char* out, std::uint32_t value) {
    std::size_t size = 1;
    for (std::uint32_t rest = value; rest >= 10; rest /= 10) ++size;
    for (std::size_t at = size; at-- > 0; value /= 10) {
        out[at] = static_cast<char>('0' + value % 10);
    }
    return size;
}
}
