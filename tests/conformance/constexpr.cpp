// SPDX-License-Identifier: Apache-2.0
// Each file once more, by the compiler: verifier, interpreter and memory in constant expressions.
#include "suite.hpp"

#include <conformance_files.hpp>

namespace {

constexpr bool passes(std::size_t file) {
    const auto s =
        conformance::run_file<femto::config{.stack_size = 512}>(conformance::files[file].text);
    return s.failed == 0 && s.passed > 0;
}

static_assert(passes(0));
static_assert(passes(1));
static_assert(passes(2));
static_assert(passes(3));
static_assert(passes(4));
static_assert(passes(5));
static_assert(passes(6));
static_assert(passes(7));
static_assert(passes(8));
static_assert(passes(9));
static_assert(conformance::files.size() == 10);

}  // namespace
