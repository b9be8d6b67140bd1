-- SPDX-License-Identifier: Apache-2.0
-- The sieve of Eratosthenes up to 2048: bench/workloads/sieve.c, line by line.
local composite = {}

function workload()
    local limit, sum = 2048, 0
    for i = 0, limit - 1 do composite[i] = false end
    for i = 2, limit - 1 do
        if not composite[i] then
            sum = sum + i
            for j = i * i, limit - 1, i do composite[j] = true end
        end
    end
    return sum
end
