// SPDX-License-Identifier: Apache-2.0
// 512 times two calls of helpers that do next to nothing: the cost of leaving the guest.
#include "workload.h"

#include <bpf/bpfapi/helpers.h>

WORKLOAD(helper_calls) {
    UNUSED_CONTEXT;
    uint64_t sum = 0;
    for (uint32_t i = 0; i < 512; ++i) {
        uint32_t value = 0;
        bpf_store_local(1, i * 3);
        bpf_fetch_local(1, &value);
        sum = fold(sum, value);
    }
    return sum;
}
