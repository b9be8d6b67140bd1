// SPDX-License-Identifier: Apache-2.0
// 512 searches among 256 numbers in order: bench/workloads/binary_search.c, line by line.
function next_number(x) {
    x ^= x << 13;
    x ^= x >>> 17;
    return (x ^ (x << 5)) >>> 0;
}

function hex(high, low) {
    return ('0000000' + (high >>> 0).toString(16)).slice(-8) + ('0000000' + (low >>> 0).toString(16)).slice(-8);
}

var values = new Uint32Array(256);

function workload() {
    var seed = 2463534242, value = 0;
    for (var i = 0; i < 256; ++i) {
        seed = next_number(seed);
        values[i] = value += seed & 0xff;
    }
    var sum = 0;
    for (var n = 0; n < 512; ++n) {
        seed = next_number(seed);
        var wanted = seed & 0x7fff, low = 0, high = 256;
        while (low < high) {
            var middle = (low + high) >>> 1;
            if (values[middle] < wanted) low = middle + 1; else high = middle;
        }
        sum += low * (n + 1);
    }
    return hex(0, sum);
}
