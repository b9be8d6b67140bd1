// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

/// Instructions that the board has executed since some moment, under the emulator's -icount.
std::uint64_t instructions();
