// SPDX-License-Identifier: Apache-2.0
// Catch2 2 (Debian 12) or 3, whichever is there; on a board, the part of it that fits.
#pragma once

#if defined(FEMTO_TARGET_TEST)
#include "../target/check.hpp"
#elif __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#include <catch2/catch.hpp>
#endif
