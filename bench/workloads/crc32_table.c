// SPDX-License-Identifier: Apache-2.0
// CRC-32 of 1024 bytes with a table of 1 KiB that is made first: dependent loads.
#include "workload.h"

static uint32_t table[256];

WORKLOAD(crc32_table) {
    UNUSED_CONTEXT;
    for (uint32_t i = 0; i < 256; ++i) {
        uint32_t entry = i;
        for (uint32_t bit = 0; bit < 8; ++bit) {
            entry = entry >> 1 ^ (0xedb88320 & (0 - (entry & 1)));
        }
        table[i] = entry;
    }
    uint32_t seed = first_number();
    uint32_t crc = 0xffffffff;
    for (uint32_t i = 0; i < 1024; ++i) {
        crc = table[(crc ^ next_number(&seed)) & 0xff] ^ crc >> 8;
    }
    return crc ^ 0xffffffff;
}
