// SPDX-License-Identifier: Apache-2.0
// A low-pass filter of 16 taps in Q15 over 128 samples: signed products, 64-bit sums, saturation.
#include "workload.h"

#define TAPS 16
#define SAMPLES 128

static const int16_t taps[TAPS] = {-119, -295, -246, 437, 1956, 4044, 6012, 7211,
                                   7211, 6012, 4044, 1956, 437, -246, -295, -119};
static int16_t samples[SAMPLES + TAPS];

WORKLOAD(fir) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < SAMPLES + TAPS; ++i) samples[i] = (int16_t)next_number(&seed);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SAMPLES; ++i) {
        int64_t filtered = 1 << 14;
        for (uint32_t tap = 0; tap < TAPS; ++tap) {
            filtered += (int64_t)samples[i + tap] * taps[tap];
        }
        filtered >>= 15;
        if (filtered > 32767) filtered = 32767;
        if (filtered < -32768) filtered = -32768;
        sum = fold(sum, (uint64_t)filtered);
    }
    return sum;
}
