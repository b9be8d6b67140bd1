// SPDX-License-Identifier: Apache-2.0
// A container that tries what it must not: to reach memory and stores that are not its own.
#include <stdint.h>
#include "bpf/bpfapi/helpers.h"

FEMTO_HOOK(steal, "46454d54-0000-8000-8000-000000000004");
FEMTO_REQUEST("fuel 200; stores 4");

enum attack { READ, WRITE, STORES, HOARD, SENSOR };
struct order {
    uint64_t attack;
    uint64_t value;
};

FEMTO_ENTRY int64_t steal(const struct order *order)
{
    uint32_t found = 0;
    switch (order->attack) {
        case READ: return *(volatile uint8_t *)order->value;
        case WRITE: *(volatile uint8_t *)order->value = 0xee; return 1;
        case STORES: { /* under a key that somebody else uses */
            uint32_t sum = 0;
            bpf_fetch_local((uint32_t)order->value, &found);
            sum += found;
            bpf_fetch_tenant((uint32_t)order->value, &found);
            return sum + found;
        }
        case HOARD: { /* more entries than its tenant may have */
            int64_t stored = 0;
            for (uint32_t key = 1000; key < 1020; ++key) {
                FEMTO_OPAQUE(key);
                stored += bpf_store_tenant(key, 1) == 0;
            }
            return stored;
        }
        case SENSOR: return bpf_saul_reg_find_type((uint8_t)order->value) != 0;
        default: return 0;
    }
}
