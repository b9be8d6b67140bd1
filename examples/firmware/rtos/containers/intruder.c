/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile tenant might try on the same hook: write where the firmware keeps its variables. */
#include <femto.h>

FEMTO_HOOK(intruder, "5c8ed001-7a10-4b7e-9f3a-0d5c2f6e1a01");
FEMTO_REQUEST("fuel 50");

FEMTO_ENTRY int64_t intruder(const void *event, uint64_t length) {
    (void)event;
    (void)length;
    *(volatile uint32_t *)0x20000000 = 0xdeadbeef;
    return 0;
}
