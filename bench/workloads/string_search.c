// SPDX-License-Identifier: Apache-2.0
// Horspool's search for a word of 8 letters in 1 KiB of text of four letters.
#include "workload.h"

#define TEXT 1024
#define WORD 8

static uint8_t text[TEXT];
static uint8_t skip[256];
static uint8_t word[WORD];

WORKLOAD(string_search) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < TEXT; ++i) text[i] = (uint8_t)('a' + (next_number(&seed) >> 13 & 3));
    uint64_t sum = 0;
    // The words looked for are cut from the text, so that each is found.
    for (uint32_t n = 0; n < 4; ++n) {
        for (uint32_t i = 0; i < WORD; ++i) word[i] = text[200 + 200 * n + i];
        for (uint32_t i = 0; i < 256; ++i) skip[i] = WORD;
        for (uint32_t i = 0; i < WORD - 1; ++i) skip[word[i]] = (uint8_t)(WORD - 1 - i);
        uint32_t at = 0;
        uint32_t last = TEXT - WORD;
        FEMTO_OPAQUE(last);
        while (at <= last) {
            uint32_t i = WORD;
            while (i > 0 && text[at + i - 1] == word[i - 1]) --i;
            if (i == 0) sum = fold(sum, at);
            at += skip[text[at + WORD - 1]];
        }
    }
    return sum;
}
