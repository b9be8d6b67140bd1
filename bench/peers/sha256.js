// SPDX-License-Identifier: Apache-2.0
// SHA-256 of 119 bytes: bench/workloads/sha256.c, line by line.
function hex(high, low) {
    return ('0000000' + (high >>> 0).toString(16)).slice(-8) + ('0000000' + (low >>> 0).toString(16)).slice(-8);
}

var round_constants = new Uint32Array([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
var start = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
var words = new Uint32Array(64), hash = new Uint32Array(8), message = new Uint8Array(128);

function rotate(value, by) {
    return value >>> by | value << (32 - by);
}

function compress(at) {
    var i, s = [];
    for (i = 0; i < 16; ++i) {
        var byte = at + 4 * i;
        words[i] = message[byte] << 24 | message[byte + 1] << 16 | message[byte + 2] << 8 | message[byte + 3];
    }
    for (i = 16; i < 64; ++i) {
        var a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + ((rotate(a, 7) ^ rotate(a, 18) ^ a >>> 3) >>> 0) + words[i - 7] +
                   ((rotate(b, 17) ^ rotate(b, 19) ^ b >>> 10) >>> 0);
    }
    for (i = 0; i < 8; ++i) s[i] = hash[i];
    for (i = 0; i < 64; ++i) {
        var t1 = s[7] + ((rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) >>> 0) +
                 (((s[4] & s[5]) ^ (~s[4] & s[6])) >>> 0) + round_constants[i] + words[i];
        var t2 = ((rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) >>> 0) +
                 (((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2])) >>> 0);
        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = (s[3] + t1) >>> 0;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = (t1 + t2) >>> 0;
    }
    for (i = 0; i < 8; ++i) hash[i] += s[i];
}

function workload() {
    var i;
    for (i = 0; i < 8; ++i) hash[i] = start[i];
    for (i = 0; i < 119; ++i) message[i] = i;
    message[119] = 0x80;
    for (i = 120; i < 126; ++i) message[i] = 0;
    message[126] = 119 * 8 >> 8;
    message[127] = 119 * 8 & 0xff;
    compress(0);
    compress(64);
    return hex(hash[0], hash[1]);
}
