// SPDX-License-Identifier: Apache-2.0
// The sieve of Eratosthenes up to 2048: bench/workloads/sieve.c, line by line.
function hex(high, low) {
    return ('0000000' + (high >>> 0).toString(16)).slice(-8) + ('0000000' + (low >>> 0).toString(16)).slice(-8);
}

var composite = new Uint8Array(2048);

function workload() {
    var limit = 2048, sum = 0;
    for (var i = 0; i < limit; ++i) composite[i] = 0;
    for (i = 2; i < limit; ++i) {
        if (composite[i]) continue;
        sum += i;
        for (var j = i * i; j < limit; j += i) composite[j] = 1;
    }
    return hex(0, sum);
}
