// SPDX-License-Identifier: Apache-2.0
// Refused before it runs: the depth of its calls depends on its input.
#include <femto.h>

FEMTO_NOINLINE uint64_t sum(const uint8_t *bytes, uint64_t length) {
    if (length == 0) return 0;
    return bytes[0] + sum(bytes + 1, length - 1) * 3;
}

FEMTO_ENTRY uint64_t entry(const uint8_t *context, uint64_t length) { return sum(context, length); }
