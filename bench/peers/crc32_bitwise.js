// SPDX-License-Identifier: Apache-2.0
// CRC-32 of 256 bytes, bit by bit: bench/workloads/crc32_bitwise.c, line by line.
function next_number(x) {
    x ^= x << 13;
    x ^= x >>> 17;
    return (x ^ (x << 5)) >>> 0;
}

function hex(high, low) {
    return ('0000000' + (high >>> 0).toString(16)).slice(-8) + ('0000000' + (low >>> 0).toString(16)).slice(-8);
}

function workload() {
    var seed = 2463534242, crc = -1;
    for (var i = 0; i < 256; ++i) {
        seed = next_number(seed);
        crc ^= seed & 0xff;
        for (var bit = 0; bit < 8; ++bit) crc = crc >>> 1 ^ (0xedb88320 & -(crc & 1));
    }
    return hex(0, ~crc);
}
