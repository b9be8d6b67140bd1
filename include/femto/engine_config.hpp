// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/vm.hpp>

#include <cstdint>

namespace femto {

/// How large an engine is.
struct engine_config {
    femto::config machine{};
    std::uint8_t lanes = 1;     ///< runs at the same time: threads and ISR levels that fire hooks
    std::uint8_t sleepers = 1;  ///< containers that may suspend; each keeps a machine while it waits
    std::uint8_t containers = 8;
    std::uint8_t tenants = 2;
    std::uint32_t window = 1000;  ///< length of the window of instruction limits, in `poll`'s time
    std::uint32_t slice = 500;    ///< instructions of a resumed container before the next one's turn
};

}  // namespace femto
