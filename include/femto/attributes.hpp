// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the language has no word for: where a function has to become part of its caller, or must not.
// Size and speed depend on it, meaning never does.
#if defined(__GNUC__)
#define FEMTO_ALWAYS_INLINE [[gnu::always_inline]] inline
#define FEMTO_COLD [[gnu::noinline]]
#else
#define FEMTO_ALWAYS_INLINE inline
#define FEMTO_COLD
#endif
