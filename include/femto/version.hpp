// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace femto {

/// The version of this library; CMake reads it from this line.
inline constexpr std::string_view version_string = "0.1.0";

}  // namespace femto
