// SPDX-License-Identifier: Apache-2.0
// A door lock with a code: a table says where each event leads. Context: one event a run, a byte:
// '0' to '9', 'x' (door closed) or 't' (a second went by). Result: the state after it.
#include <femto.h>

enum state { locked, one_right, two_right, open, ajar, barred };
enum input { first_digit, second_digit, third_digit, wrong_digit, closed, second_passed, inputs };

static const uint8_t next[6][inputs] = {
    //             4          2          7       other   closed  second
    /* locked    */ {one_right, barred, barred, barred, locked, locked},
    /* one_right */ {barred, two_right, barred, barred, one_right, one_right},
    /* two_right */ {barred, barred, open, barred, two_right, two_right},
    /* open      */ {open, open, open, open, locked, ajar},
    /* ajar      */ {ajar, ajar, ajar, ajar, locked, ajar},
    /* barred    */ {barred, barred, barred, barred, barred, barred},
};

#define SECONDS_BARRED 3

static uint8_t state;
static uint8_t waited;

FEMTO_INLINE enum input classify(uint8_t event) {
    switch (event) {
        case '4': return first_digit;
        case '2': return second_digit;
        case '7': return third_digit;
        case 'x': return closed;
        case 't': return second_passed;
        default: return wrong_digit;
    }
}

FEMTO_ENTRY uint64_t state_machine(const uint8_t *event, uint64_t length) {
    if (length == 0) return state;
    const enum input in = classify(*event);
    // The one thing a table cannot say: barred for three seconds.
    if (state == barred && in == second_passed && ++waited == SECONDS_BARRED) {
        waited = 0;
        return state = locked;
    }
    return state = next[state][in];
}
