// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

extern "C" {
#include "FreeRTOS.h"
#include "task.h"
}

namespace {
/// FreeRTOS's interrupt mask: the form for ISRs nests and works in tasks, too.
class guard {
public:
    guard() : mask_{taskENTER_CRITICAL_FROM_ISR()} {}
    ~guard() { taskEXIT_CRITICAL_FROM_ISR(mask_); }

private:
    UBaseType_t mask_;
};
}  // namespace

using femto_instance = device<guard>;
#include <femto/c/functions.inc>
