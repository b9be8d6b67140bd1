// SPDX-License-Identifier: Apache-2.0
// xorshift and multiply on 64 bits, 1024 rounds: arithmetic in registers and nothing else.
#include "workload.h"

WORKLOAD(mix64) {
    UNUSED_CONTEXT;
    uint64_t x = first_number();
    for (uint32_t i = 0; i < 1024; ++i) {
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        x *= 0x2545f4914f6cdd1du;
    }
    return x;
}
