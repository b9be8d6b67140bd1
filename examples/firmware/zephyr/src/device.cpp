// SPDX-License-Identifier: Apache-2.0
#include "device.hpp"

#include <zephyr/irq.h>

namespace {
/// Zephyr's way to mask interrupts of this core, which nests. With CONFIG_SMP take a k_spinlock.
class guard {
public:
    guard() : key_{irq_lock()} {}
    ~guard() { irq_unlock(key_); }

private:
    unsigned int key_;
};
}  // namespace

using femto_instance = device<guard>;
#include <femto/c/functions.inc>
