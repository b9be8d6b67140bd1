// SPDX-License-Identifier: Apache-2.0
// Scenario 2: reads a thermometer at each tick; the mean of the last ten readings goes to the store
// of the tenant. -DDEGREES_AS_HUNDREDTHS is version 2, -DFAULTY a version with a bug.
#include <femto.h>
FEMTO_HELPER(0x14, int, bpf_store_tenant, (uint32_t key, uint32_t value));
FEMTO_HELPER(0x31, uint64_t, bpf_saul_reg_find_type, (uint8_t type));
struct reading {
    int16_t values[3];
    uint8_t unit;
    int8_t scale;
};
FEMTO_HELPER(0x32, int, bpf_saul_reg_read, (uint64_t device, struct reading *to));

FEMTO_HOOK(average, "46454d54-0000-8000-8000-000000000002"); // hook timer
FEMTO_REQUEST("fuel 1000; stores 1");

enum { temperature = 0x82, mean_key = 1, count = 10 };
static int16_t readings[count];
static uint32_t taken;
static int32_t sum;

FEMTO_ENTRY int64_t average(const void *tick) {
    struct reading now = {{0, 0, 0}, 0, 0};
    if (bpf_saul_reg_read(bpf_saul_reg_find_type(temperature), &now) < 1) return -1;
#ifdef FAULTY
    return ((const volatile int16_t *)tick)[1000]; // the context has eight bytes
#endif
    const uint32_t at = taken % count;
    sum += now.values[0] - readings[at];
    readings[at] = now.values[0];
    ++taken;
    uint32_t mean = (uint32_t)sum / (taken < count ? taken : (uint32_t)count);
#ifdef DEGREES_AS_HUNDREDTHS
    mean *= 10;
#endif
    bpf_store_tenant(mean_key, mean);
    return mean;
}
