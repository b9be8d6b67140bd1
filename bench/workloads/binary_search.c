// SPDX-License-Identifier: Apache-2.0
// 512 searches among 256 numbers in order: loads and branches that nobody can predict.
#include "workload.h"

#define COUNT 256

static uint32_t values[COUNT];

WORKLOAD(binary_search) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    uint32_t value = 0;
    for (uint32_t i = 0; i < COUNT; ++i) values[i] = value += next_number(&seed) & 0xff;
    uint64_t sum = 0;
    for (uint32_t n = 0; n < 512; ++n) {
        const uint32_t wanted = next_number(&seed) & 0x7fff;
        uint32_t low = 0;
        uint32_t high = COUNT;
        while (low < high) {
            const uint32_t middle = (low + high) / 2;
            if (values[middle] < wanted) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        sum += (uint64_t)low * (n + 1);
    }
    return sum;
}
