// SPDX-License-Identifier: Apache-2.0
// Product of two matrices of 12 x 12 numbers of 64 bits: multiply and add, two loads each.
#include "workload.h"

#define SIDE 12

static uint64_t left[SIDE * SIDE];
static uint64_t right[SIDE * SIDE];
static uint64_t product[SIDE * SIDE];

WORKLOAD(matrix64) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < SIDE * SIDE; ++i) {
        left[i] = next_number(&seed);
        right[i] = next_number(&seed);
    }
    for (uint32_t row = 0; row < SIDE; ++row) {
        for (uint32_t column = 0; column < SIDE; ++column) {
            uint64_t sum = 0;
            for (uint32_t i = 0; i < SIDE; ++i) {
                sum += left[row * SIDE + i] * right[i * SIDE + column];
            }
            product[row * SIDE + column] = sum;
        }
    }
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SIDE * SIDE; ++i) sum = fold(sum, product[i]);
    return sum;
}
