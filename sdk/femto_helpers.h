/* SPDX-License-Identifier: Apache-2.0 */
/* The helpers that `femto run` offers, with the numbers of Femto-Containers. */
#ifndef FEMTO_HELPERS_H
#define FEMTO_HELPERS_H

#include "femto.h"

/* Formats d i u x c (with l, ll) of up to four integers. */
FEMTO_HELPER_ID(0x01, void, printf, (const char *format, u64 a, u64 b, u64 c, u64 d));
FEMTO_HELPER_ID(0x10, s32, store_local, (u32 key, u32 value));
FEMTO_HELPER_ID(0x11, s32, store_global, (u32 key, u32 value));
FEMTO_HELPER_ID(0x12, s32, fetch_local, (u32 key, u32 *value));
FEMTO_HELPER_ID(0x13, s32, fetch_global, (u32 key, u32 *value));
FEMTO_HELPER_ID(0x20, u32, now_ms, (void));
FEMTO_HELPER_ID(0x51, u32, fmt_u32_dec, (char *ten, u32 value));
FEMTO_HELPER_ID(0x52, u32, helper_strlen, (const char *text));

#endif
