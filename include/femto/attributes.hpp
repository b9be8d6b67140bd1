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

namespace femto::detail {

/// Whether GCC is told to make things small, which it says by a macro. (clang does not compile for
/// the devices that are meant, and has no constants for distances of labels in 16 bits.)
#if defined(__OPTIMIZE_SIZE__) && !defined(__clang__)
#define FEMTO_FOR_SIZE 1
#else
#define FEMTO_FOR_SIZE 0
#endif
inline constexpr bool for_size = FEMTO_FOR_SIZE != 0;

}  // namespace femto::detail

// A function that needs all registers of the host, or is rare, so that it is part of no other one unless bytes
// count.
#if FEMTO_FOR_SIZE
#define FEMTO_ALONE
#else
#define FEMTO_ALONE FEMTO_COLD
#endif
