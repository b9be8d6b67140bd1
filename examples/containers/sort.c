/* SPDX-License-Identifier: Apache-2.0 */
/* Sorts the context, an array of 32-bit numbers, in place; returns the median. */
#include <femto.h>

/* Shell sort: no recursion, no more memory than a few registers. */
static FEMTO_NOINLINE void sort_step(s32 *number, u32 count, u32 gap) {
    for (u32 n = gap; n < count; ++n) {
        const s32 moving = number[n];
        u32 at = n;
        for (; at >= gap && number[at - gap] > moving; at -= gap) number[at] = number[at - gap];
        number[at] = moving;
    }
}

FEMTO_ENTRY u64 sort(s32 *number, u64 length) {
    const u32 count = (u32)(length / sizeof(s32));
    for (u32 gap = count / 2; gap > 0; gap /= 2) sort_step(number, count, gap);
    return count == 0 ? 0 : (u64)(s64)number[count / 2];
}
