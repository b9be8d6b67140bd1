-- SPDX-License-Identifier: Apache-2.0
-- 512 searches among 256 numbers in order: bench/workloads/binary_search.c, line by line.
local function next_number(x)
    x = (x ~ x << 13) & 0xffffffff
    x = x ~ x >> 17
    return (x ~ x << 5) & 0xffffffff
end

local values = {}

function workload()
    local seed, value = 2463534242, 0
    for i = 0, 255 do
        seed = next_number(seed)
        value = value + (seed & 0xff)
        values[i] = value
    end
    local sum = 0
    for n = 1, 512 do
        seed = next_number(seed)
        local wanted, low, high = seed & 0x7fff, 0, 256
        while low < high do
            local middle = (low + high) // 2
            if values[middle] < wanted then low = middle + 1 else high = middle end
        end
        sum = sum + low * n
    end
    return sum
end
