-- SPDX-License-Identifier: Apache-2.0
-- CRC-32 of 256 bytes, bit by bit: bench/workloads/crc32_bitwise.c, line by line.
local function next_number(x)
    x = (x ~ x << 13) & 0xffffffff
    x = x ~ x >> 17
    return (x ~ x << 5) & 0xffffffff
end

function workload()
    local seed, crc = 2463534242, 0xffffffff
    for _ = 1, 256 do
        seed = next_number(seed)
        crc = crc ~ seed & 0xff
        for _ = 1, 8 do crc = crc >> 1 ~ (0xedb88320 & -(crc & 1)) end
    end
    return crc ~ 0xffffffff
end
