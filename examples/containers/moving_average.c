/* SPDX-License-Identifier: Apache-2.0 */
/* Mean of the last ten readings; each run adds one. Context: the reading. The readings live in .bss
 * and stay there from run to run. */
#include <femto.h>

#define READINGS 10

static s32 reading[READINGS];
static u32 next, count;

FEMTO_ENTRY u64 moving_average(const s32 *context, u64 length) {
    s32 sum = 0;
    (void)length;
    reading[next] = *context;
    next = next + 1 == READINGS ? 0 : next + 1;
    if (count < READINGS) ++count;
    for (u32 n = 0; n < count; ++n) sum += reading[n];
    /* Division with a sign needs cpu v4; older ones divide the magnitude. */
    const s32 mean = (s32)((u32)(sum < 0 ? -sum : sum) / count);
    return (u64)(s64)(sum < 0 ? -mean : mean);
}
