// SPDX-License-Identifier: Apache-2.0
// Sections with names of their own, and vectors that LLVM puts into .rodata.cst16. entry() returns 36.
typedef unsigned long u64;
__attribute__((section(".data.own"))) u64 own = 5;
__attribute__((section(".rodata.own"))) const u64 fixed[2] = {7, 11};
__attribute__((section(".bss.own"))) u64 empty;
static volatile u64 pads[4] = {1, 2, 3, 4};
u64 entry(void) {
    const volatile u64 *p = fixed;
    empty += 3;
    own += empty;
    return own + p[0] + p[1] + pads[0] + pads[1] + pads[2] + pads[3];
}
