/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container is written with: C11 or later, C++17 or later, clang 14 or later or bpf-gcc.
 * Needs no header of a libc. The same source also compiles for the host, so that a container can be
 * tested, stepped through and compared there; helpers are then ordinary functions of that program.
 *
 *   #include <femto.h>
 *   FEMTO_HELPER(0x13, int, bpf_fetch_global, (uint32_t key, uint32_t *value));
 *
 *   FEMTO_ENTRY int64_t on_event(const struct event *e, uint64_t length) { ... }
 *
 * What BPF gives to work with: 512 bytes of stack (by default), five arguments to a function, no
 * variadic functions of one's own, no floating point, no function of a libc. Globals work: const
 * ones are read-only memory, others are the container's own data and keep their values between
 * runs.
 */
#ifndef FEMTO_H
#define FEMTO_H

#if defined(__bpf__) || defined(__BPF__)
#define FEMTO_BPF 1
#else
#define FEMTO_BPF 0
#endif

/* stdint.h and stddef.h are the compiler's own where it is freestanding. */
#include <stddef.h>
#include <stdint.h>
#ifndef __cplusplus
#include <stdbool.h>
#endif

#ifdef __cplusplus
#define FEMTO_C extern "C"
#else
#define FEMTO_C
#endif

/* A function that a hook can call: r1 is its first argument (the context), r2 its second (the bytes
   of the context), and what it returns is the result of the run. */
#if FEMTO_BPF
#define FEMTO_ENTRY FEMTO_C __attribute__((used, noinline))
#else
#define FEMTO_ENTRY FEMTO_C __attribute__((used))
#endif
/*
 * What a container says about itself, for `femto pack`; costs nothing in the container. The hook that a
 * function is for, by its UUID, and what it asks for beside the helpers it calls:
 *   FEMTO_HOOK(on_switch, "46454d54-0000-8000-8000-000000000001");
 *   FEMTO_REQUEST("fuel 500; stores 4; region 7 rw; suspends; stack 128");
 */
#if FEMTO_BPF
#define FEMTO_HOOK(function, uuid) FEMTO_REQUEST("hook " #function " " uuid)
#define FEMTO_REQUEST(text) \
    __asm__(".pushsection .femto.request,\"\",@progbits\n.asciz \"" text "\"\n.popsection")
#else
#define FEMTO_HOOK(function, uuid) FEMTO_REQUEST("")
#define FEMTO_REQUEST(text) struct femto_request_is_for_containers
#endif
/* Puts a function or an object into a section of its own: FEMTO_SECTION(".text.timer"). */
#define FEMTO_SECTION(name) __attribute__((section(name), used))
#define FEMTO_INLINE static inline __attribute__((always_inline))
/* A local call: 4 levels deep by default, each with a part of the stack. */
#define FEMTO_NOINLINE static __attribute__((noinline))

/* Keeps a loop from being turned into a call of memcpy or memset, or unrolled by a value it could
   foresee: tells the compiler that `value` may have changed. Costs no instruction. */
#define FEMTO_OPAQUE(value) __asm__ volatile("" : "+r"(value))

/*
 * Declares a helper, a function of the firmware, by its number:
 *   FEMTO_HELPER(0x20, uint32_t, bpf_now_ms, (void));
 * and by its name, which the loader looks up among the helpers of the machine:
 *   FEMTO_HELPER_NAMED(uint32_t, bpf_now_ms, (void));
 * At most five arguments; a pointer with its length takes two. Pointers are checked before the
 * helper runs, and a bad one ends the run.
 */
#if FEMTO_BPF && defined(__GNUC__) && !defined(__clang__)
/* GCC would put a number that it uses twice into a register, and BPF cannot call that. */
#define FEMTO_HELPER(id, ret, name, params) \
    extern ret name params __attribute__((kernel_helper(id)))
#elif FEMTO_BPF
#define FEMTO_HELPER(id, ret, name, params) \
    static ret(*const name) params __attribute__((unused)) = (ret(*) params)(uintptr_t)(id)
#else
#define FEMTO_HELPER(id, ret, name, params) FEMTO_C ret name params
#endif
#define FEMTO_HELPER_NAMED(ret, name, params) FEMTO_C extern ret name params

/* A pointer that takes 64 bits on every machine, for a struct that firmware and guest share. */
#define FEMTO_POINTER(type, name) \
    union {                       \
        type name;                \
        uint64_t name##_bits;     \
    } __attribute__((aligned(8)))

/* Copies `size` bytes; the two must not overlap. Byte by byte, since nothing is known of the
   alignment: 5 instructions a byte. With a constant size, __builtin_memcpy does it inline. */
FEMTO_INLINE void *femto_memcpy(void *to, const void *from, size_t size) {
    uint8_t *t = (uint8_t *)to;
    const uint8_t *f = (const uint8_t *)from;
    for (size_t i = 0; i < size; ++i) t[i] = f[i];
    return to;
}

/* Copies `size` bytes that may overlap. */
FEMTO_INLINE void *femto_memmove(void *to, const void *from, size_t size) {
    uint8_t *t = (uint8_t *)to;
    const uint8_t *f = (const uint8_t *)from;
    if (t < f) return femto_memcpy(to, from, size);
    while (size-- > 0) t[size] = f[size];
    return to;
}

FEMTO_INLINE void *femto_memset(void *to, int byte, size_t size) {
    uint8_t *t = (uint8_t *)to;
    for (size_t i = 0; i < size; ++i) t[i] = (uint8_t)byte;
    return to;
}

/* Negative, 0 or positive, as the first byte that differs says (compared unsigned). */
FEMTO_INLINE int femto_memcmp(const void *left, const void *right, size_t size) {
    const uint8_t *l = (const uint8_t *)left;
    const uint8_t *r = (const uint8_t *)right;
    for (size_t i = 0; i < size; ++i) {
        if (l[i] != r[i]) return l[i] < r[i] ? -1 : 1;
    }
    return 0;
}

FEMTO_INLINE size_t femto_strlen(const char *text) {
    size_t size = 0;
    while (text[size] != 0) ++size;
    return size;
}

/* At most `limit` bytes are looked at. */
FEMTO_INLINE int femto_strncmp(const char *left, const char *right, size_t limit) {
    for (size_t i = 0; i < limit; ++i) {
        const uint8_t l = (uint8_t)left[i];
        const uint8_t r = (uint8_t)right[i];
        if (l != r) return l < r ? -1 : 1;
        if (l == 0) break;
    }
    return 0;
}

#endif
