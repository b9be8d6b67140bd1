// SPDX-License-Identifier: Apache-2.0
// The mean of the last ten readings of a sensor. Context: one reading (int32_t) a run. What earlier
// runs saw is kept in the container's own data. Result: the mean, rounded towards zero.
#include <femto.h>

#define READINGS 10

static int32_t readings[READINGS];
static uint32_t seen;
static int64_t sum;

FEMTO_ENTRY int64_t moving_average(const int32_t *reading, uint64_t length) {
    if (length < sizeof(*reading)) return 0;
    const uint32_t place = seen % READINGS;
    sum += *reading - (int64_t)readings[place];
    readings[place] = *reading;
    ++seen;
    // BPF divides signed numbers only from cpu v4 on; a division of the magnitude works everywhere.
    const uint32_t count = seen < READINGS ? seen : READINGS;
    return sum < 0 ? -(int64_t)((uint64_t)-sum / count) : (int64_t)((uint64_t)sum / count);
}
