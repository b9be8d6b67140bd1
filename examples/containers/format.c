// SPDX-License-Identifier: Apache-2.0
// Formats a reading as JSON into a buffer, as a handler of a request would. Context: the struct
// below, which the hook lets the container write. Result: the bytes of text, or -1 if they do not
// fit.
#include <femto.h>

struct reading {
    int32_t centidegrees;
    uint32_t sensor;
    char text[56];
};

struct writer {
    char *at;
    uint32_t left;
    bool full;
};

FEMTO_INLINE void put(struct writer *w, char c) {
    if (w->left == 0) {
        w->full = true;
        return;
    }
    *w->at++ = c;
    --w->left;
}

FEMTO_INLINE void put_text(struct writer *w, const char *text) {
    while (*text != 0) put(w, *text++);
}

// `digits` is the fewest digits to write, so that 5 hundredths are 05.
FEMTO_NOINLINE void put_number(struct writer *w, uint32_t value, uint32_t digits) {
    char reversed[10];
    uint32_t count = 0;
    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while ((value != 0 || count < digits) && count < sizeof(reversed));
    while (count > 0) put(w, reversed[--count]);
}

FEMTO_ENTRY int64_t format(struct reading *r, uint64_t length) {
    if (length < sizeof(*r)) return -1;
    struct writer w = {r->text, sizeof(r->text), false};
    put_text(&w, "{\"sensor\":");
    put_number(&w, r->sensor, 1);
    put_text(&w, ",\"celsius\":");
    uint32_t magnitude = (uint32_t)r->centidegrees;
    if (r->centidegrees < 0) {
        put(&w, '-');
        magnitude = 0 - magnitude;
    }
    put_number(&w, magnitude / 100, 1);
    put(&w, '.');
    put_number(&w, magnitude % 100, 2);
    put(&w, '}');
    return w.full ? -1 : (int64_t)(sizeof(r->text) - w.left);
}
