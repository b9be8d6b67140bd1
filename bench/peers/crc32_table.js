// SPDX-License-Identifier: Apache-2.0
// CRC-32 of 1024 bytes with a table that is made first: bench/workloads/crc32_table.c, line by line.
function next_number(x) {
    x ^= x << 13;
    x ^= x >>> 17;
    return (x ^ (x << 5)) >>> 0;
}

function hex(high, low) {
    return ('0000000' + (high >>> 0).toString(16)).slice(-8) + ('0000000' + (low >>> 0).toString(16)).slice(-8);
}

var table = new Uint32Array(256);

function workload() {
    for (var i = 0; i < 256; ++i) {
        var entry = i;
        for (var bit = 0; bit < 8; ++bit) entry = entry >>> 1 ^ (0xedb88320 & -(entry & 1));
        table[i] = entry;
    }
    var seed = 2463534242, crc = -1;
    for (i = 0; i < 1024; ++i) {
        seed = next_number(seed);
        crc = table[(crc ^ seed) & 0xff] ^ crc >>> 8;
    }
    return hex(0, ~crc);
}
