/* SPDX-License-Identifier: Apache-2.0 */
/* A push button that does not bounce: short press, long press, release. Context: samples of the pin,
 * one byte each, 1 = pressed; each is overwritten with the event it caused. Returns how many presses
 * there have been since the start. The transitions are data. */
#include <femto.h>

enum state { idle, bounce, pressed, held, states };
enum event { none, short_press, long_press, release };

#define STABLE 3   /* samples until a press counts */
#define LONG 10    /* samples until it is a long one */

struct transition {
    u8 to;
    u8 event;
};
static const struct transition on_release[states] = {
    {idle, none}, {idle, none}, {idle, release}, {idle, release}};

static u8 state = idle;
static u32 samples;
static u32 presses;

static struct transition on_press(void) {
    struct transition t = {state, none};
    if (state == idle) {
        t.to = bounce;
    } else if (state == bounce && samples >= STABLE) {
        t.to = pressed;
        t.event = short_press;
    } else if (state == pressed && samples >= LONG) {
        t.to = held;
        t.event = long_press;
    }
    return t;
}

FEMTO_ENTRY u64 state_machine(u8 *sample, u64 length) {
    for (u64 n = 0; n < length; ++n) {
        const struct transition t = sample[n] ? on_press() : on_release[state & 3];
        samples = sample[n] ? samples + 1 : 0;
        state = t.to;
        sample[n] = t.event;
        if (t.event == short_press) ++presses;
    }
    return presses;
}
