// SPDX-License-Identifier: Apache-2.0
// The device that `femto device` is: what its containers get, and the hooks of the papers'
// scenarios.
#pragma once

#include "../hooks.hpp"

#include <femto/engine.hpp>
#include <femto/helpers/coap.hpp>
#include <femto/helpers/devices.hpp>
#include <femto/helpers/memory.hpp>
#include <femto/helpers/store.hpp>
#include <femto/helpers/text.hpp>
#include <femto/helpers/time.hpp>

#include <string_view>

namespace femto_tool {

/// Clock, stores, a thermometer, and the CoAP response that is being made.
struct device_platform {
    using guard = femto::no_critical_section;
    static constexpr std::uint8_t temperature = 0x82;  ///< the type in RIOT's SAUL

    femto::store_pool<64, guard> stores;
    femto::helpers::coap_response coap;
    std::uint32_t time = 0;
    bool quiet = false;

    void print(std::string_view text) const;
    [[nodiscard]] std::uint32_t now_ms() const { return time; }
    static std::uint32_t find_device(std::uint8_t, std::uint32_t n) { return n == 0 ? 1 : 0; }
    static std::uint32_t find_device_of_type(std::uint8_t, std::uint8_t type) {
        return type == temperature ? 1 : 0;
    }
    /// 21.0 to 21.9 degrees, a tenth more each second.
    std::int32_t read_device(std::uint8_t, std::uint32_t n, femto::helpers::reading& to) const {
        if (n != 1) return -1;
        to.values[0] = static_cast<std::int16_t>(210 + time / 1000 % 10);
        to.scale = -1;
        return 1;
    }
    static std::int32_t write_device(std::uint8_t, std::uint32_t, const femto::helpers::reading&) {
        return -1;
    }
    femto::helpers::coap_response& response() { return coap; }
};

using device_helpers =
    femto::join_helpers<femto::helpers::stores<device_platform>,
                        femto::helpers::time<device_platform>,
                        femto::helpers::output<device_platform>, femto::helpers::text,
                        femto::helpers::memory, femto::helpers::devices<device_platform>,
                        femto::helpers::coap<device_platform>>;

/// Two containers for each hook, since the old one runs until the new one hangs there.
inline constexpr femto::engine_config device_engine_config{
    .machine = {.max_regions = 8}, .lanes = 1, .sleepers = 2, .containers = 6, .tenants = 3,
    .window = 1000, .slice = 500};
using device_engine = femto::engine<device_platform, device_helpers, device_engine_config>;

// What the hooks hand over.
struct thread_switch {
    std::uint64_t previous, next;
};
struct timer_tick {
    std::uint64_t now;  ///< milliseconds
};
struct coap_exchange {
    femto::helpers::coap_context header;
    std::array<std::byte, 128> packet;
};

// What they offer: everything but what makes no sense there (waiting in the scheduler, ...).
inline constexpr std::uint32_t scheduler_helpers[]{0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13, 0x14,
                                                   0x15, 0x18, 0x19, 0x1a, 0x20, 0x60};
inline constexpr std::uint32_t timer_helpers[]{0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13,
                                               0x14, 0x15, 0x18, 0x19, 0x1a, 0x20, 0x30,
                                               0x31, 0x32, 0x50, 0x51, 0x52, 0x60, 0x61,
                                               0x62, 0x63};
inline constexpr std::uint32_t coap_helpers[]{0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13, 0x14,
                                              0x15, 0x18, 0x19, 0x1a, 0x20, 0x40, 0x41, 0x42,
                                              0x43, 0x50, 0x51, 0x52, 0x60};
inline constexpr femto::tenant_offer scheduler_offer[]{
    {.fuel = 10000, .helpers = scheduler_helpers}};
inline constexpr femto::tenant_offer timer_offer[]{{.fuel = 10000, .helpers = timer_helpers}};
inline constexpr femto::tenant_offer coap_offer[]{
    {.fuel = 10000, .helpers = coap_helpers, .context = femto::permission::read_write}};
inline constexpr femto::hook_declaration on_switch{scheduler_hook, femto::hook_policy::all,
                                                   scheduler_offer};
inline constexpr femto::hook_declaration on_tick{timer_hook, femto::hook_policy::all, timer_offer};
inline constexpr femto::hook_declaration on_request{coap_hook, femto::hook_policy::first_only,
                                                    coap_offer};

}  // namespace femto_tool
