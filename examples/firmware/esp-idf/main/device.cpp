// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

namespace {
portMUX_TYPE mux = portMUX_INITIALIZER_UNLOCKED;

/// A spinlock with interrupts masked: right on one core and on two, in tasks and in interrupts.
class guard {
public:
    guard() { portENTER_CRITICAL_SAFE(&mux); }
    ~guard() { portEXIT_CRITICAL_SAFE(&mux); }
};
}  // namespace

using femto_instance = device<guard>;
#include <femto/c/functions.inc>
