/* SPDX-License-Identifier: Apache-2.0 */
/* Writes a temperature in hundredths of a degree as text, "t=-12.34C". Context: the temperature, then
 * room for the text. Returns the length of the text. */
#include <femto.h>

struct context {
    s32 hundredths;
    char text[20];
};

static FEMTO_NOINLINE u32 put_decimal(char *to, u32 value) {
    char digit[10];
    u32 digits = 0;
    do {
        digit[digits++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (u32 n = 0; n < digits; ++n) to[n] = digit[digits - 1 - n];
    return digits;
}

FEMTO_ENTRY u64 format(struct context *c, u64 length) {
    if (length < sizeof *c) return 0;
    const u32 size = c->hundredths < 0 ? 0u - (u32)c->hundredths : (u32)c->hundredths;
    u32 at = 0;
    femto_copy(c->text, "t=", 2);
    at += 2;
    if (c->hundredths < 0) c->text[at++] = '-';
    at += put_decimal(c->text + at, size / 100);
    c->text[at++] = '.';
    c->text[at++] = (char)('0' + size / 10 % 10);
    c->text[at++] = (char)('0' + size % 10);
    c->text[at++] = 'C';
    c->text[at] = 0;
    return at;
}
