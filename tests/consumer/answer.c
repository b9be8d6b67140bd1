// SPDX-License-Identifier: Apache-2.0
#include <femto.h>

FEMTO_ENTRY uint64_t answer(const uint8_t *context, uint64_t length) {
    return length > 0 ? context[0] : 42;
}
