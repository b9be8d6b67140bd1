// SPDX-License-Identifier: Apache-2.0
// The application of the examples for RTOSes, with a loop for a scheduler.
#include "device.hpp"

#include "application.h"

using femto_instance = device<femto::no_critical_section>;
#include <femto/c/functions.inc>

int main() {
    application_start();
    for (std::uint32_t n = 0; n < 20; ++n) application_switched(n % 3, (n + 1) % 3);
    return application_report();
}
