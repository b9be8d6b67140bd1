// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include "irq.h"

namespace {
/// RIOT's way to mask interrupts, which nests.
class guard {
public:
    guard() : state_{irq_disable()} {}
    ~guard() { irq_restore(state_); }

private:
    unsigned state_;
};
}  // namespace

using femto_instance = device<guard>;
#include <femto/c/functions.inc>
