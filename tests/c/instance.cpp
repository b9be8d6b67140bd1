// SPDX-License-Identifier: Apache-2.0
// The one C++ file of the firmware in C: what the device has.
#include "helpers.h"

#include <femto/c/instance.hpp>
#include <femto/helpers/store.hpp>


namespace {

/// A test is alone on its board: what a guard has to be is for the compiler.
struct no_interrupts {
    no_interrupts() { asm volatile("" ::: "memory"); }
    ~no_interrupts() { asm volatile("" ::: "memory"); }
};

struct platform {
    using guard = no_interrupts;
    femto::store_pool<8, guard> stores;
};
using helpers = femto::join_helpers<
    femto::helpers::stores<platform>,
    femto::helper_set<femto::helper<0x80, "sum_bytes", &sum_bytes>,
                      femto::helper<0x81, "fill_bytes", &fill_bytes>,
                      femto::helper<0x82, "text_length", &text_length>,
                      femto::helper<0x83, "read_channel", &read_channel>,
                      femto::helper<0x84, "reading_value", &reading_value>,
                      femto::helper<0x85, "pause_until", &pause_until>,
                      femto::helper<0x86, "refuse", &refuse>,
                      femto::helper<0x87, "interrupt", &interrupt>>>;
constexpr femto::engine_config config{
    .machine = {.dispatch = femto::dispatch::compact, .stack_size = 128}, .tenants = 3};
using femto_instance = femto::c::instance<platform, helpers, config>;

}  // namespace

#include <femto/c/functions.inc>
