/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the workloads share. Each file defines one workload: the same source as eBPF, native, and
 * for microcontrollers. It makes or holds its input, sets up its data at every run, and returns a
 * checksum which workloads.def gives too. The context is 64 bytes that it may write; only some look
 * at it. Limits: 512 bytes of stack, 4 KiB of data and constants.
 */
#ifndef FEMTO_WORKLOAD_H
#define FEMTO_WORKLOAD_H

#include <femto.h>

#define WORKLOAD(name)                                                   \
    FEMTO_ENTRY uint64_t workload_##name(void *context, uint64_t length); \
    FEMTO_ENTRY uint64_t workload_##name(void *context, uint64_t length)
#define UNUSED_CONTEXT ((void)context, (void)length)

/* The next of a fixed sequence of numbers (xorshift32); `*state` is not 0. */
FEMTO_INLINE uint32_t next_number(uint32_t *state) {
    uint32_t x = *state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return *state = x;
}

/* A start for next_number that the compiler cannot foresee, so that nothing is computed early. */
FEMTO_INLINE uint32_t first_number(void) {
    uint32_t seed = 2463534242u;
    FEMTO_OPAQUE(seed);
    return seed;
}

/* Folds a value into a checksum. */
FEMTO_INLINE uint64_t fold(uint64_t sum, uint64_t value) {
    return (sum ^ value) * 0x100000001b3u;
}

#endif
