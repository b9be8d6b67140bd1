// SPDX-License-Identifier: Apache-2.0
// Fletcher's checksum of 360 bytes, the benchmark of the Femto-Containers paper.
#include "workload.h"

#define WORDS 180

static uint16_t input[WORDS];

WORKLOAD(fletcher32) {
    UNUSED_CONTEXT;
    // The bytes 0, 1, 2 and so on, 8 at a time, so that making them costs little beside the sum.
    uint64_t bytes = 0x0706050403020100u;
    for (uint32_t i = 0; i < WORDS / 4; ++i) {
        for (uint32_t j = 0; j < 4; ++j) input[4 * i + j] = (uint16_t)(bytes >> 16 * j);
        bytes += 0x0101010101010101u;
    }
    const uint16_t *data = input;
    uint32_t words = WORDS;
    FEMTO_OPAQUE(words);
    uint32_t sum1 = 0xffff;
    uint32_t sum2 = 0xffff;
    while (words > 0) {
        uint32_t block = words > 359 ? 359 : words;
        words -= block;
        do {
            sum1 += *data++;
            sum2 += sum1;
        } while (--block > 0);
        sum1 = (sum1 & 0xffff) + (sum1 >> 16);
        sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    }
    sum1 = (sum1 & 0xffff) + (sum1 >> 16);
    sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    return (uint64_t)sum2 << 16 | sum1;
}
