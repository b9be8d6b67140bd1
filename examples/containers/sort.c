// SPDX-License-Identifier: Apache-2.0
// Sorts the context in place: 32-bit signed integers, ascending (heap sort: no recursion, no memory
// of its own). The hook must let the container write its context. Result: how many integers there
// are.
#include <femto.h>

// A local call: `values[root]` sinks until the part of the heap below it is in order.
FEMTO_NOINLINE void sink(int32_t *values, uint32_t root, uint32_t count) {
    const int32_t value = values[root];
    for (;;) {
        uint32_t child = 2 * root + 1;
        if (child >= count) break;
        if (child + 1 < count && values[child + 1] > values[child]) ++child;
        if (values[child] <= value) break;
        values[root] = values[child];
        root = child;
    }
    values[root] = value;
}

FEMTO_ENTRY uint64_t sort(int32_t *values, uint64_t length) {
    const uint32_t count = (uint32_t)(length / sizeof(int32_t));
    for (uint32_t i = count / 2; i > 0; --i) sink(values, i - 1, count);
    for (uint32_t last = count; last > 1; --last) {
        const int32_t largest = values[0];
        values[0] = values[last - 1];
        values[last - 1] = largest;
        sink(values, 0, last - 1);
    }
    return count;
}
