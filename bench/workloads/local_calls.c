// SPDX-License-Identifier: Apache-2.0
// 512 times two nested local calls, each of which does next to nothing: the cost of a call.
#include "workload.h"

FEMTO_NOINLINE uint64_t inner(uint64_t x, uint64_t y) {
    FEMTO_OPAQUE(x);
    return x * 3 + y;
}

FEMTO_NOINLINE uint64_t outer(uint64_t x, uint64_t y) {
    FEMTO_OPAQUE(x);
    return inner(x, y) ^ y;
}

WORKLOAD(local_calls) {
    UNUSED_CONTEXT;
    uint64_t x = first_number();
    for (uint32_t i = 0; i < 512; ++i) x = outer(x, i);
    return x;
}
