// SPDX-License-Identifier: Apache-2.0
// Stopped while it runs: it never ends.
#include <femto.h>

FEMTO_ENTRY uint64_t entry(uint64_t *context) {
    for (;;) context[0] += 1;
}
