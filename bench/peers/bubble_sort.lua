-- SPDX-License-Identifier: Apache-2.0
-- Bubble sort of 64 numbers: bench/workloads/bubble_sort.c, line by line.
local function next_number(x)
    x = (x ~ x << 13) & 0xffffffff
    x = x ~ x >> 17
    return (x ~ x << 5) & 0xffffffff
end

local values = {}

function workload()
    local seed = 2463534242
    for i = 1, 64 do
        seed = next_number(seed)
        values[i] = seed
    end
    for last = 64, 2, -1 do
        for i = 2, last do
            local left, right = values[i - 1], values[i]
            if left > right then values[i - 1], values[i] = right, left end
        end
    end
    local sum = 0
    for i = 1, 64 do sum = (sum ~ values[i]) * 0x100000001b3 end
    return sum
end
