// SPDX-License-Identifier: Apache-2.0
// CRC-32 (IEEE 802.3) of the context: any bytes. The table of 16 entries is constant data; it stays
// in the firmware's flash. Result: the CRC.
#include <femto.h>

static const uint32_t table[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

FEMTO_ENTRY uint64_t crc32(const uint8_t *context, uint64_t length) {
    uint32_t crc = 0xffffffff;
    for (uint64_t i = 0; i < length; ++i) {
        crc ^= context[i];
        crc = table[crc & 15] ^ crc >> 4;
        crc = table[crc & 15] ^ crc >> 4;
    }
    return crc ^ 0xffffffff;
}
