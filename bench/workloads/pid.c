// SPDX-License-Identifier: Apache-2.0
// A PID controller in Q16 that drives a sluggish plant to its set point, 256 steps.
#include "workload.h"

FEMTO_INLINE int64_t clamp(int64_t value, int64_t limit) {
    if (value > limit) return limit;
    return value < -limit ? -limit : value;
}

WORKLOAD(pid) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    const int64_t proportional = 3 << 15;
    const int64_t integral = 1 << 13;
    const int64_t derivative = 1 << 14;
    int64_t wanted = 0;
    int64_t position = 0;
    int64_t accumulated = 0;
    int64_t previous = 0;
    uint64_t sum = 0;
    for (uint32_t step = 0; step < 256; ++step) {
        if (step % 64 == 0) wanted = (int64_t)(next_number(&seed) & 0xfffff) - 0x80000;
        const int64_t noise = (int64_t)(next_number(&seed) & 0x3ff) - 0x200;
        const int64_t difference = wanted - position - noise;
        accumulated = clamp(accumulated + difference, (int64_t)1 << 24);
        const int64_t output =
            clamp((proportional * difference + integral * accumulated +
                   derivative * (difference - previous)) >> 16, (int64_t)1 << 20);
        previous = difference;
        position += (output - (position >> 2)) >> 3;
        sum = fold(sum, (uint64_t)position);
    }
    return sum;
}
