// SPDX-License-Identifier: Apache-2.0
// The paper's first container, on the hook of the scheduler: counts how often each thread is
// switched to, in the global store. Fired 64 times here. Context of the hook: the two threads.
#include "workload.h"

#include <bpf/bpfapi/helpers.h>

struct thread_switch {
    uint64_t previous;
    uint64_t next;
};

FEMTO_NOINLINE int count_switch(const struct thread_switch *s) {
    if (s->next != 0) {
        uint32_t count = 0;
        bpf_fetch_global((uint32_t)s->next, &count);
        bpf_store_global((uint32_t)s->next, count + 1);
    }
    return 0;
}

WORKLOAD(thread_counter) {
    struct thread_switch *const s = (struct thread_switch *)context;
    if (length < sizeof(*s)) return 0;
    for (uint32_t thread = 1; thread < 4; ++thread) bpf_store_global(thread, 0);
    uint32_t seed = first_number();
    s->next = 0;
    for (uint32_t i = 0; i < 64; ++i) {
        s->previous = s->next;
        s->next = next_number(&seed) & 3;
        count_switch(s);
    }
    uint64_t sum = 0;
    for (uint32_t thread = 1; thread < 4; ++thread) {
        uint32_t count = 0;
        bpf_fetch_global(thread, &count);
        sum = sum << 16 | count;
    }
    return sum;
}
