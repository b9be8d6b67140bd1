// SPDX-License-Identifier: Apache-2.0
// The sieve of Eratosthenes up to 2048, a byte for each number: byte stores with a stride.
#include "workload.h"

#define LIMIT 2048

static uint8_t composite[LIMIT];

WORKLOAD(sieve) {
    UNUSED_CONTEXT;
    uint32_t limit = LIMIT;
    FEMTO_OPAQUE(limit);
    for (uint32_t i = 0; i < limit; ++i) composite[i] = 0;
    uint64_t sum = 0;
    for (uint32_t i = 2; i < limit; ++i) {
        if (composite[i]) continue;
        sum += i;
        for (uint32_t j = i * i; j < limit; j += i) composite[j] = 1;
    }
    return sum;
}
