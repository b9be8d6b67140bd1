// SPDX-License-Identifier: Apache-2.0
// With Catch2 3 the library brings its own main.
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_test_macros.hpp>
#else
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
#endif
