-- SPDX-License-Identifier: Apache-2.0
-- CRC-32 of 1024 bytes with a table that is made first: bench/workloads/crc32_table.c, line by line.
local function next_number(x)
    x = (x ~ x << 13) & 0xffffffff
    x = x ~ x >> 17
    return (x ~ x << 5) & 0xffffffff
end

local entries = {}

function workload()
    for i = 0, 255 do
        local entry = i
        for _ = 1, 8 do entry = entry >> 1 ~ (0xedb88320 & -(entry & 1)) end
        entries[i] = entry
    end
    local seed, crc = 2463534242, 0xffffffff
    for _ = 1, 1024 do
        seed = next_number(seed)
        crc = entries[(crc ~ seed) & 0xff] ~ crc >> 8
    end
    return crc ~ 0xffffffff
end
