// SPDX-License-Identifier: Apache-2.0
// What the device has, for any RTOS: two lanes, for a thread and for an interrupt that fire hooks, the
// stores, and the helpers for them. The one C++ file of each firmware adds the critical section.
#pragma once

#include <femto/c/instance.hpp>
#include <femto/helpers/store.hpp>

template <class Guard>
struct device_platform {
    using guard = Guard;
    femto::store_pool<16, Guard> stores;
};

template <class Guard>
using device = femto::c::instance<device_platform<Guard>,
                                  femto::helpers::stores<device_platform<Guard>>,
                                  femto::engine_config{.lanes = 2, .sleepers = 0, .containers = 2}>;
