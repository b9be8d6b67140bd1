// SPDX-License-Identifier: Apache-2.0
// Scenario 1 of the Femto-Containers papers: counts how often each thread is switched to.
#include <femto.h>
FEMTO_HELPER(0x19, uint32_t, bpf_add_global, (uint32_t key, uint32_t value, uint32_t *before));

FEMTO_HOOK(counter, "46454d54-0000-8000-8000-000000000001"); // hook scheduler
FEMTO_REQUEST("fuel 200; stores 4");

struct thread_switch {
    uint64_t previous, next;
};

FEMTO_ENTRY int64_t counter(const struct thread_switch *event) {
    uint32_t before = 0;
    if (event->next != 0) bpf_add_global((uint32_t)event->next, 1, &before);
    return before;
}
