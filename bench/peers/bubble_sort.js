// SPDX-License-Identifier: Apache-2.0
// Bubble sort of 64 numbers: bench/workloads/bubble_sort.c, line by line.
function next_number(x) {
    x ^= x << 13;
    x ^= x >>> 17;
    return (x ^ (x << 5)) >>> 0;
}

function hex(high, low) {
    return ('0000000' + (high >>> 0).toString(16)).slice(-8) + ('0000000' + (low >>> 0).toString(16)).slice(-8);
}

var values = new Uint32Array(64);

function workload() {
    var seed = 2463534242, i;
    for (i = 0; i < 64; ++i) values[i] = seed = next_number(seed);
    for (var end = 64; end > 1; --end) {
        for (i = 1; i < end; ++i) {
            var left = values[i - 1], right = values[i];
            if (left > right) {
                values[i - 1] = right;
                values[i] = left;
            }
        }
    }
    // The sum has 64 bits, in two halves.
    var high = 0, low = 0;
    for (i = 0; i < 64; ++i) {
        low = (low ^ values[i]) >>> 0;
        var product = low * 0x1b3;
        high = (high * 0x1b3 + Math.floor(product / 4294967296) + ((low << 8) >>> 0)) % 4294967296;
        low = product >>> 0;
    }
    return hex(high, low);
}
