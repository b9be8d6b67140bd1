// SPDX-License-Identifier: Apache-2.0
// A device for tests of containers: a platform with everything, an engine, containers from text.
#pragma once

#include "every_vm.hpp"

#include <femto/engine.hpp>
#include <femto/helpers/coap.hpp>
#include <femto/helpers/devices.hpp>
#include <femto/helpers/memory.hpp>
#include <femto/helpers/store.hpp>
#include <femto/helpers/text.hpp>
#include <femto/helpers/time.hpp>
#include <femto/image_writer.hpp>

#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#if defined(FEMTO_TARGET_TEST)
#include "../target/guard.hpp"
#endif

namespace test {

#if defined(FEMTO_TARGET_TEST)
using platform_guard = board_section;
#else
using platform_guard = femto::no_critical_section;
#endif

struct device_platform {
    using guard = platform_guard;
    femto::store_pool<12, guard> stores;
    std::string printed;
    std::uint32_t time = 0;
    std::int16_t temperature = 200;
    femto::helpers::coap_response coap;
    std::uint32_t pins = 0;

    std::function<void()> on_print;  // what an interrupt does in the middle of a run

    void print(std::string_view t) {
        printed += t;
        if (on_print) std::exchange(on_print, nullptr)();
    }
    [[nodiscard]] std::uint32_t now_ms() const { return time; }
    static std::uint32_t find_device(std::uint8_t tenant, std::uint32_t n) {
        return tenant == 1 && n == 0 ? 1 : 0;
    }
    static std::uint32_t find_device_of_type(std::uint8_t tenant, std::uint8_t type) {
        return tenant == 1 && type == 0x82 ? 1 : 0;
    }
    std::int32_t read_device(std::uint8_t tenant, std::uint32_t n, femto::helpers::reading& to) {
        if (tenant != 1 || n != 1) return -1;
        to.values[0] = temperature;
        to.scale = -1;
        return 1;
    }
    std::int32_t write_device(std::uint8_t tenant, std::uint32_t n,
                              const femto::helpers::reading& from) {
        if (tenant != 1 || n != 1) return -1;
        temperature = from.values[0];
        return 1;
    }
    bool read_pin(std::uint8_t tenant, std::uint32_t, std::uint32_t pin, bool& level) const {
        level = pin < 8 && (pins >> pin & 1) != 0;
        return tenant == 1 && pin < 8;
    }
    bool write_pin(std::uint8_t tenant, std::uint32_t, std::uint32_t pin, bool level) {
        if (tenant != 1 || pin >= 8) return false;
        pins = (pins & ~(1u << pin)) | static_cast<std::uint32_t>(level) << pin;
        return true;
    }
    femto::helpers::coap_response& response() { return coap; }
};

using device_helpers = femto::join_helpers<
    femto::helpers::stores<device_platform>, femto::helpers::time<device_platform>,
    femto::helpers::output<device_platform>, femto::helpers::text, femto::helpers::memory,
    femto::helpers::devices<device_platform>, femto::helpers::pins<device_platform>,
    femto::helpers::coap<device_platform>>;

inline constexpr femto::engine_config device_config{
    .machine = {.dispatch = femto::dispatch::compact, .stack_size = 256, .max_regions = 7},
    .lanes = 1, .sleepers = 2, .containers = 6, .tenants = 3, .window = 1000, .slice = 100};
using device_engine = femto::engine<device_platform, device_helpers, device_config>;

/// A container with all that it needs; requests every helper that its text calls.
struct boxed {
    explicit boxed(std::vector<femto::instruction> text, femto::uuid hook = femto::small_uuid(1),
                   femto::container_request request = {1000, 256, 0, false},
                   std::vector<femto::image::region_request> wanted = {},
                   std::vector<std::byte> data = {}, std::vector<std::byte> rodata = {}) {
        std::vector<std::uint32_t> ids;
        for (const auto& i : text) {
            if (i.opcode() == 0x85) ids.push_back(static_cast<std::uint32_t>(i.imm()));
        }
        const femto::image_contents::entry entry{hook, 0};
        const femto::image_contents contents{text, rodata, data, 0, {&entry, 1}, wanted, ids,
                                             request};
        flash.resize(image_size(contents) / 8 + 1);
        const auto written = write_image(contents, std::as_writable_bytes(std::span{flash}));
        if (!written) std::abort();
        marks.resize(text.size());
        ram.resize(data.size());
        regions.resize(wanted.size());
    }
    /// `Engine` is `device_engine`, or one whose machine differs in dispatcher or address space.
    template <class Engine>
    femto::result<void> load(Engine& e, std::uint8_t tenant,
                             const femto::container_limits& limits = Engine::no_limits) {
        const auto i = femto::parse_image(std::as_bytes(std::span{flash}));
        if (!i) return femto::failure{i.error()};
        return e.load(*control, tenant, *i, {{ram, {}, {}}, marks, regions}, limits);
    }
    device_engine::container& operator*() { return *control; }
    device_engine::container* operator->() { return control.get(); }

    std::vector<std::uint64_t> flash;
    std::vector<std::uint8_t> marks;
    std::vector<std::byte> ram;
    std::vector<femto::granted_region> regions;
    std::unique_ptr<femto::container_statistics> counts =
        std::make_unique<femto::container_statistics>();
    std::unique_ptr<device_engine::container> control =
        std::make_unique<device_engine::container>(*counts);
};

}  // namespace test
