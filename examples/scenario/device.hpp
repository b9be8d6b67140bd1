// SPDX-License-Identifier: Apache-2.0
// The device of the scenarios: two tenants, hooks of the scheduler, a timer and CoAP requests.
#pragma once

#include "threads.hpp"

#include <femto/container_storage.hpp>
#include <femto/engine.hpp>
#include <femto/helpers/coap.hpp>
#include <femto/helpers/devices.hpp>
#include <femto/helpers/store.hpp>
#include <femto/helpers/text.hpp>
#include <femto/helpers/time.hpp>

#include <array>
#include <cstdint>
#include <span>

namespace scenario {

inline constexpr std::uint8_t operator_tenant = 0;  // counts threads
inline constexpr std::uint8_t sensor_tenant = 1;    // measures and answers
inline constexpr std::uint32_t average_key = 0x50;

struct thread_switch {
    std::uint64_t previous;
    std::uint64_t next;
};
struct coap_request {
    femto::helpers::coap_context header;
    std::array<std::byte, 40> packet;
};
struct order {
    std::uint64_t attack;
    std::uint64_t value;
};

struct platform {
    using guard = threads::critical_section;
    femto::store_pool<24, guard> stores;
    volatile std::uint32_t time = 0;
    std::int16_t temperature = 200;  // of 0.1 degrees
    femto::helpers::coap_response coap;

    [[nodiscard]] std::uint32_t now_ms() const { return time; }
    // The sensor is the one tenant's.
    static std::uint32_t find_device(std::uint8_t tenant, std::uint32_t n) {
        return tenant == sensor_tenant && n == 0 ? 1 : 0;
    }
    static std::uint32_t find_device_of_type(std::uint8_t tenant, std::uint8_t type) {
        return tenant == sensor_tenant && type == 0x82 ? 1 : 0;
    }
    std::int32_t read_device(std::uint8_t tenant, std::uint32_t n, femto::helpers::reading& to) const {
        if (tenant != sensor_tenant || n != 1) return -1;
        to.values[0] = temperature;
        to.scale = -1;
        return 1;
    }
    static std::int32_t write_device(std::uint8_t, std::uint32_t, const femto::helpers::reading&) {
        return -1;
    }
    femto::helpers::coap_response& response() { return coap; }
};

using helpers = femto::join_helpers<
    femto::helpers::stores<platform>, femto::helpers::time<platform>, femto::helpers::text,
    femto::helpers::devices<platform>, femto::helpers::coap<platform>>;
/// The scheduler's hook fires in an interrupt while others run: two machines, and one to wait with.
inline constexpr femto::engine_config config{
    .machine = {.stack_size = 256}, .lanes = 2, .sleepers = 1, .containers = 5};
using engine = femto::engine<platform, helpers, config>;

inline constexpr std::uint32_t counting[]{0x11, 0x13};
inline constexpr std::uint32_t measuring[]{0x14, 0x15, 0x31, 0x32, 0x60, 0x61};
inline constexpr std::uint32_t answering[]{0x15, 0x40, 0x41, 0x42, 0x43, 0x50, 0x51};
inline constexpr std::uint32_t stealing[]{0x12, 0x14, 0x15, 0x31};
inline constexpr femto::tenant_offer counter_offer[]{
    {.tenants = 1 << operator_tenant, .fuel = 200, .helpers = counting}};
inline constexpr femto::tenant_offer timer_offer[]{{.tenants = 1 << sensor_tenant, .helpers = measuring}};
inline constexpr femto::tenant_offer request_offer[]{
    {.tenants = 1 << sensor_tenant, .helpers = answering, .context = femto::permission::read_write}};
inline constexpr femto::tenant_offer open_offer[]{{.helpers = stealing}};
inline constexpr femto::hook_declaration on_switch{femto::small_uuid(1), femto::hook_policy::all,
                                                   counter_offer};
inline constexpr femto::hook_declaration on_timer{femto::small_uuid(2), femto::hook_policy::all,
                                                  timer_offer};
inline constexpr femto::hook_declaration on_request{femto::small_uuid(3), femto::hook_policy::first_only,
                                                    request_offer};
inline constexpr femto::hook_declaration on_order{femto::small_uuid(4), femto::hook_policy::all,
                                                  open_offer};

/// A container and its memory, as large as the scenarios need it.
struct box {
    femto::result<void> load(engine& e, std::uint8_t tenant, std::span<const unsigned char> flash,
                             const femto::container_limits& limits = engine::no_limits) {
        const auto image = femto::parse_image(std::as_bytes(flash));
        if (!image) return femto::failure{image.error()};
        const auto storage = femto::divide(femto::needs_of(*image), memory);
        if (!storage) return femto::failure{storage.error()};
        return e.load(control, tenant, *image, *storage, limits);
    }
    engine::container control;
    alignas(8) std::array<std::byte, 120> memory;
};

struct device {
    scenario::platform platform;
    scenario::engine engine{platform};
    engine::hook<thread_switch, 1> scheduler{on_switch};
    engine::hook<std::uint32_t, 1> timer{on_timer};
    engine::hook<coap_request, 1> request{on_request};
    box counter, average, answer;
};

}  // namespace scenario
