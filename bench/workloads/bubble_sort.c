// SPDX-License-Identifier: Apache-2.0
// Bubble sort of 64 numbers: loads, compares and exchanges of neighbours.
#include "workload.h"

#define COUNT 64

static uint32_t values[COUNT];

WORKLOAD(bubble_sort) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < COUNT; ++i) values[i] = next_number(&seed);
    for (uint32_t end = COUNT; end > 1; --end) {
        for (uint32_t i = 1; i < end; ++i) {
            const uint32_t left = values[i - 1];
            const uint32_t right = values[i];
            if (left > right) {
                values[i - 1] = right;
                values[i] = left;
            }
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < COUNT; ++i) sum = fold(sum, values[i]);
    return sum;
}
