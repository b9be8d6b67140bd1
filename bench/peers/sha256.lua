-- SPDX-License-Identifier: Apache-2.0
-- SHA-256 of 119 bytes: bench/workloads/sha256.c, line by line.
local round_constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
local start = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}
local words, hash, message = {}, {}, {}

local function rotate(value, by)
    return (value >> by | value << (32 - by)) & 0xffffffff
end

local function compress(at)
    for i = 0, 15 do
        local b = at + 4 * i
        words[i] = message[b] << 24 | message[b + 1] << 16 | message[b + 2] << 8 | message[b + 3]
    end
    for i = 16, 63 do
        local a, b = words[i - 15], words[i - 2]
        words[i] = (words[i - 16] + (rotate(a, 7) ~ rotate(a, 18) ~ a >> 3) + words[i - 7]
                    + (rotate(b, 17) ~ rotate(b, 19) ~ b >> 10)) & 0xffffffff
    end
    local s0, s1, s2, s3, s4, s5, s6, s7 = table.unpack(hash, 1, 8)
    for i = 0, 63 do
        local t1 = s7 + (rotate(s4, 6) ~ rotate(s4, 11) ~ rotate(s4, 25))
                   + ((s4 & s5) ~ (~s4 & s6)) + round_constants[i + 1] + words[i]
        local t2 = (rotate(s0, 2) ~ rotate(s0, 13) ~ rotate(s0, 22))
                   + ((s0 & s1) ~ (s0 & s2) ~ (s1 & s2))
        s7, s6, s5, s4 = s6, s5, s4, (s3 + t1) & 0xffffffff
        s3, s2, s1, s0 = s2, s1, s0, (t1 + t2) & 0xffffffff
    end
    local s = {s0, s1, s2, s3, s4, s5, s6, s7}
    for i = 1, 8 do hash[i] = (hash[i] + s[i]) & 0xffffffff end
end

function workload()
    for i = 1, 8 do hash[i] = start[i] end
    for i = 0, 118 do message[i] = i end
    message[119] = 0x80
    for i = 120, 125 do message[i] = 0 end
    message[126] = 119 * 8 >> 8
    message[127] = 119 * 8 & 0xff
    compress(0)
    compress(64)
    return hash[1] << 32 | hash[2]
end
