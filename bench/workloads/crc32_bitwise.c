// SPDX-License-Identifier: Apache-2.0
// CRC-32 of 256 bytes, bit by bit: shifts, masks and short loops on 32 bits.
#include "workload.h"

WORKLOAD(crc32_bitwise) {
    UNUSED_CONTEXT;
    uint32_t seed = first_number();
    uint32_t crc = 0xffffffff;
    for (uint32_t i = 0; i < 256; ++i) {
        crc ^= next_number(&seed) & 0xff;
        for (uint32_t bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xedb88320 & (0 - (crc & 1)));
    }
    return crc ^ 0xffffffff;
}
