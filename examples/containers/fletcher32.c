/* SPDX-License-Identifier: Apache-2.0 */
/* Fletcher's checksum. Context: number of 16-bit words, then the words. */
#include <femto.h>

struct words {
    u32 count;
    u16 word[];
};

FEMTO_ENTRY u64 fletcher32(const struct words *in, u64 length) {
    const u16 *word = in->word;
    u32 left = in->count;
    u32 low = 0xffff, high = 0xffff;
    (void)length;
    while (left != 0) {
        /* 359 words cannot overflow the sums. */
        u32 block = left < 359 ? left : 359;
        left -= block;
        do {
            high += low += *word++;
        } while (--block != 0);
        low = (low & 0xffff) + (low >> 16);
        high = (high & 0xffff) + (high >> 16);
    }
    low = (low & 0xffff) + (low >> 16);
    high = (high & 0xffff) + (high >> 16);
    return high << 16 | low;
}
