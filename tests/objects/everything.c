// SPDX-License-Identifier: Apache-2.0
// One of each thing that a loader has to resolve. entry() returns 1869 for a context of 21 and 0;
// calls through registers need clang, so gcc leaves them out and returns 1163 for its part.
typedef unsigned long u64;
typedef unsigned int u32;

extern u32 now_ms(void);                              // a helper by name
static u32 (*const by_number)(u32) = (void *)5;      // a helper by number

int counter = 3;                                      // .data
static int zeroed[10];                                // .bss
const int table[4] = {1, 2, 3, 4};                    // .rodata
const char *names[2] = {"one", "two"};                // pointers in .data to .rodata.str1.1
int *pointer = &counter;                              // a pointer in .data to .data
int numbers[4] = {5, 6, 7, 8};
int *third = &numbers[2];                             // with an addend

__attribute__((noinline)) u64 twice(u64 x) {
    __asm__ volatile("" : "+r"(x));
    return x * 2;
}
static __attribute__((noinline)) u64 inner(u64 x) {
    __asm__ volatile("" : "+r"(x));
    return x + (u64)counter;
}
#ifdef __clang__
static u64 (*const functions[2])(u64) = {twice, inner};  // function pointers in .rodata
#endif

// Another section: calls go across.
__attribute__((section("hook/timer"))) u64 entry(u64 *context, u64 length) {
    zeroed[length & 7] += 2;
    const char *name = names[length & 1];
    u64 sum = twice(context[0]) + inner(1) + (u64)table[length & 3] + (u64)name[0] +
              (u64)zeroed[length & 7] + now_ms() + (u64)*pointer;
#ifdef __clang__
    sum += by_number(7) + functions[length & 1](3);
#else
    (void)by_number;
#endif
    return sum;
}

u64 with_addend(void) { return (u64)*third + (u64)numbers[3]; }
__attribute__((weak)) u64 other(void) { return inner(2) + twice(3); }
