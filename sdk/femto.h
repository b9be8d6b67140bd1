/* SPDX-License-Identifier: Apache-2.0 */
/* What the author of a container includes. C11 and C++17, clang and gcc for BPF, no C library; the
 * same source also compiles for a host, so that a container can be tested as ordinary code. */
#ifndef FEMTO_H
#define FEMTO_H

#if defined(__cplusplus)
#define FEMTO_EXTERN extern "C"
#else
#define FEMTO_EXTERN extern
#endif

typedef __UINT8_TYPE__ u8;
typedef __UINT16_TYPE__ u16;
typedef __UINT32_TYPE__ u32;
typedef __UINT64_TYPE__ u64;
typedef __INT8_TYPE__ s8;
typedef __INT16_TYPE__ s16;
typedef __INT32_TYPE__ s32;
typedef __INT64_TYPE__ s64;

/* Puts a function into a section of its own; functions outside .text come first among entries. */
#define SEC(name) __attribute__((section(name), used))
/* A function that the firmware may call; keeps its name in C++, too. */
#define FEMTO_ENTRY FEMTO_EXTERN
#define FEMTO_INLINE static __inline__ __attribute__((always_inline, unused))
#define FEMTO_NOINLINE __attribute__((noinline))

/* Declares a helper that the firmware has bound under a name; the loader looks the name up:
 *     FEMTO_HELPER(u32, now_ms, (void));
 * By number, which needs no name in the firmware and works with clang only:
 *     FEMTO_HELPER_ID(0x20, u32, now_ms, (void)); */
#define FEMTO_HELPER(result, name, parameters) FEMTO_EXTERN result name parameters
#define FEMTO_HELPER_ID(id, result, name, parameters) \
    static result(*const name) parameters __attribute__((unused)) = (result(*) parameters)(id)

/* BPF has no memcpy and memset to call; these become loops or stores. */
FEMTO_INLINE void femto_copy(void *to, const void *from, u32 size) {
    for (u32 n = 0; n < size; ++n) ((u8 *)to)[n] = ((const u8 *)from)[n];
}
FEMTO_INLINE void femto_fill(void *to, u8 value, u32 size) {
    for (u32 n = 0; n < size; ++n) ((u8 *)to)[n] = value;
}
/* Negative, zero or positive, as memcmp. */
FEMTO_INLINE s32 femto_compare(const void *a, const void *b, u32 size) {
    for (u32 n = 0; n < size; ++n) {
        const s32 difference = (s32)((const u8 *)a)[n] - (s32)((const u8 *)b)[n];
        if (difference != 0) return difference;
    }
    return 0;
}
FEMTO_INLINE u32 femto_length(const char *text) {
    u32 n = 0;
    while (text[n] != 0) ++n;
    return n;
}

#endif
