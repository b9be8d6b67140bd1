// SPDX-License-Identifier: Apache-2.0
// Quick sort of 256 numbers without recursion: what is left to do lies on a stack of its own.
#include "workload.h"

#define COUNT 256

static uint32_t values[COUNT];

WORKLOAD(quick_sort) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < COUNT; ++i) values[i] = next_number(&seed);
    // The smaller part is done first, so 8 ranges are enough for 256 numbers.
    uint16_t first[9];
    uint16_t last[9];
    uint32_t depth = 1;
    first[0] = 0;
    last[0] = COUNT - 1;
    while (depth > 0) {
        --depth;
        uint32_t low = first[depth];
        uint32_t high = last[depth];
        while (low < high) {
            const uint32_t pivot = values[(low + high) / 2];
            int32_t i = (int32_t)low - 1;
            int32_t j = (int32_t)high + 1;
            for (;;) {
                do ++i; while (values[i] < pivot);
                do --j; while (values[j] > pivot);
                if (i >= j) break;
                const uint32_t exchanged = values[i];
                values[i] = values[j];
                values[j] = exchanged;
            }
            const uint32_t middle = (uint32_t)j;
            if (middle - low < high - middle - 1) {
                first[depth] = (uint16_t)(middle + 1);
                last[depth] = (uint16_t)high;
                high = middle;
            } else {
                first[depth] = (uint16_t)low;
                last[depth] = (uint16_t)middle;
                low = middle + 1;
            }
            ++depth;
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < COUNT; ++i) sum = fold(sum, values[i]);
    return sum;
}
