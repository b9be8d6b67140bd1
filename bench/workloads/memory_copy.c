// SPDX-License-Identifier: Apache-2.0
// 1 KiB copied byte by byte, by 4 and by 8 bytes: loads and stores.
#include "workload.h"

#define SIZE 1024

static uint64_t source[SIZE / 8];
static uint64_t target[SIZE / 8];

WORKLOAD(memory_copy) {
    UNUSED_CONTEXT;
    uint64_t x = first_number();
    for (uint32_t i = 0; i < SIZE / 8; ++i) source[i] = x = fold(x, i);
    uint32_t size = SIZE;
    FEMTO_OPAQUE(size);
    uint8_t *const bytes = (uint8_t *)target;
    for (uint32_t i = 0; i < size; ++i) bytes[i] = ((const uint8_t *)source)[i];
    uint64_t sum = 0;
    for (uint32_t i = 0; i < size / 8; ++i) sum = fold(sum, target[i]);
    uint32_t *const low = (uint32_t *)(void *)target;
    for (uint32_t i = 0; i < size / 8; ++i) {
        low[2 * i] = (uint32_t)(source[i] >> 32);
        low[2 * i + 1] = (uint32_t)i;
    }
    for (uint32_t i = 0; i < size / 8; ++i) sum = fold(sum, low[2 * i] ^ low[2 * i + 1]);
    for (uint32_t i = 0; i < size / 8; ++i) target[i] = source[size / 8 - 1 - i];
    for (uint32_t i = 0; i < size / 8; ++i) sum = fold(sum, target[i]);
    return sum;
}
