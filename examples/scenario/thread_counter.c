// SPDX-License-Identifier: Apache-2.0
// The first scenario of the papers, in the original's dialect: counts how often each thread is switched to.
#include <stdint.h>
#include "bpf/bpfapi/helpers.h"

FEMTO_HOOK(count_threads, "46454d54-0000-8000-8000-000000000001");
FEMTO_REQUEST("fuel 100; stores 8");

typedef struct {
    uint64_t previous; /* previous thread */
    uint64_t next;     /* next thread */
} pid_ctx_t;

FEMTO_ENTRY int count_threads(pid_ctx_t *ctx)
{
    uint32_t counter;

    if (ctx->next != 0) {
        bpf_fetch_global((uint32_t)ctx->next, &counter);
        bpf_store_global((uint32_t)ctx->next, counter + 1);
    }
    return 0;
}
