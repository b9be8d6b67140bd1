// SPDX-License-Identifier: Apache-2.0
// Fletcher's checksum over the context: any bytes, read as 16-bit little-endian words; an odd byte
// at the end counts as a word. Result: the 32-bit checksum.
#include <femto.h>

FEMTO_ENTRY uint64_t fletcher32(const uint8_t *context, uint64_t length) {
    uint32_t sum1 = 0xffff;
    uint32_t sum2 = 0xffff;
    while (length > 0) {
        // 359 words are the most that keep both sums within 32 bits.
        for (uint32_t words = 359; words > 0 && length > 0; --words) {
            uint32_t word = context[0];
            if (length > 1) word |= (uint32_t)context[1] << 8;
            sum1 += word;
            sum2 += sum1;
            context += 2;
            length -= length > 1 ? 2 : 1;
        }
        sum1 = (sum1 & 0xffff) + (sum1 >> 16);
        sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    }
    sum1 = (sum1 & 0xffff) + (sum1 >> 16);
    sum2 = (sum2 & 0xffff) + (sum2 >> 16);
    return (uint64_t)sum2 << 16 | sum1;
}
