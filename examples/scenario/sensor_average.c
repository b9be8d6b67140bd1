// SPDX-License-Identifier: Apache-2.0
// The second scenario: an endless loop that reads a sensor every 10 ms and keeps the moving average of ten
// readings in its tenant's store. Waiting suspends it: it has no thread.
#include <stdint.h>
#include "bpf/bpfapi/helpers.h"

FEMTO_HOOK(measure, "46454d54-0000-8000-8000-000000000002");
FEMTO_REQUEST("fuel 500; stores 2; suspends");

#define AVERAGE_KEY 0x50
#define READINGS 10
#define TEMPERATURE 0x82

static int32_t readings[READINGS];
static uint32_t count;

FEMTO_ENTRY int measure(void *context)
{
    (void)context;
    uint32_t last_wakeup = bpf_ztimer_now();
    bpf_saul_reg_t *const sensor = bpf_saul_reg_find_type(TEMPERATURE);
    phydat_t data;

    while (1) {
        bpf_ztimer_periodic_wakeup(&last_wakeup, 10);
        if (!sensor || bpf_saul_reg_read(sensor, &data) < 0) continue;
        readings[count++ % READINGS] = data.val[0];
        uint32_t sum = 0;
        for (uint32_t n = 0; n < READINGS; ++n) sum += (uint32_t)readings[n];
        bpf_store_tenant(AVERAGE_KEY, sum / (count < READINGS ? count : READINGS));
    }
}
