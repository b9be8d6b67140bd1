// SPDX-License-Identifier: Apache-2.0
// Base64 of 384 bytes and back: a table, shifts, and bytes one by one.
#include "workload.h"

#define BYTES 384
#define DIGITS (BYTES / 3 * 4)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static uint8_t plain[BYTES];
static uint8_t encoded[DIGITS];

FEMTO_INLINE uint32_t value_of(uint8_t digit) {
    if (digit >= 'a') return digit - 'a' + 26u;
    if (digit >= 'A') return digit - 'A' + 0u;
    if (digit >= '0') return digit - '0' + 52u;
    return digit == '+' ? 62 : 63;
}

WORKLOAD(base64) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < BYTES; ++i) plain[i] = (uint8_t)next_number(&seed);
    for (uint32_t i = 0, o = 0; i < BYTES; i += 3, o += 4) {
        const uint32_t group =
            (uint32_t)plain[i] << 16 | (uint32_t)plain[i + 1] << 8 | plain[i + 2];
        encoded[o] = (uint8_t)alphabet[group >> 18];
        encoded[o + 1] = (uint8_t)alphabet[group >> 12 & 63];
        encoded[o + 2] = (uint8_t)alphabet[group >> 6 & 63];
        encoded[o + 3] = (uint8_t)alphabet[group & 63];
    }
    uint64_t sum = 0;
    for (uint32_t o = 0, i = 0; o < DIGITS; o += 4, i += 3) {
        const uint32_t group = value_of(encoded[o]) << 18 | value_of(encoded[o + 1]) << 12 |
                               value_of(encoded[o + 2]) << 6 | value_of(encoded[o + 3]);
        // A wrong byte anywhere changes the result.
        const uint32_t expected =
            (uint32_t)plain[i] << 16 | (uint32_t)plain[i + 1] << 8 | plain[i + 2];
        if (group != expected) return 0;
        sum = fold(sum, (uint64_t)encoded[o] << 8 | encoded[o + 3]) + group;
    }
    return sum;
}
