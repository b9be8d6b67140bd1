// SPDX-License-Identifier: Apache-2.0
// The paper's second container, on the hook of a timer: the moving average of ten readings of a
// sensor, kept in the tenant's store. Fired 32 times here.
#include "workload.h"

#include <bpf/bpfapi/helpers.h>

#define READINGS 10
#define AVERAGE_KEY 9

static int32_t readings[READINGS];

FEMTO_NOINLINE int read_sensor(uint32_t turn) {
    bpf_saul_reg_t *const sensor = bpf_saul_reg_find_nth(1);
    phydat_t data;
    if (!sensor || bpf_saul_reg_read(sensor, &data) < 0) return -1;
    readings[turn % READINGS] = data.val[0];
    int32_t sum = 0;
    for (uint32_t i = 0; i < READINGS; ++i) sum += readings[i];
    bpf_store_local(AVERAGE_KEY, (uint32_t)sum / READINGS);
    return 0;
}

WORKLOAD(sensor_average) {
    UNUSED_CONTEXT;
    for (uint32_t i = 0; i < READINGS; ++i) readings[i] = 0;
    uint64_t sum = 0;
    for (uint32_t turn = 0; turn < 32; ++turn) {
        if (read_sensor(turn) != 0) return 0;
        uint32_t average = 0;
        bpf_fetch_local(AVERAGE_KEY, &average);
        sum = fold(sum, average);
    }
    return sum;
}
