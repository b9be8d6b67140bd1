/* SPDX-License-Identifier: Apache-2.0 */
/* On the scheduler's hook: counts in the global store how often each thread is switched to. */
#include <bpf/bpfapi/helpers.h>

FEMTO_HOOK(counter, "5c8ed001-7a10-4b7e-9f3a-0d5c2f6e1a01");
FEMTO_REQUEST("fuel 100");

struct thread_switch {
    uint64_t previous, next;
};

FEMTO_ENTRY int64_t counter(const struct thread_switch *event, uint64_t length) {
    uint32_t key = (uint32_t)event->next;
    uint32_t count = 0;
    (void)length;
    bpf_fetch_global(key, &count);
    return bpf_store_global(key, count + 1);
}
