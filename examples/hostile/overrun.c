// SPDX-License-Identifier: Apache-2.0
// Stopped while it runs: it reads on behind the memory that it was given.
#include <femto.h>

FEMTO_ENTRY uint64_t entry(const uint8_t *context) {
    uint64_t sum = 0;
    for (uint32_t n = 0; n < 1000; ++n) sum += context[n];
    return sum;
}
