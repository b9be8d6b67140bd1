// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/environment.hpp>
#include <femto/helper.hpp>

#include <concepts>

namespace femto::helpers {

/// A reading of up to three dimensions, laid out as RIOT's SAUL does: value x 10^scale. 8 bytes.
struct reading {
    std::int16_t values[3] = {};
    std::uint8_t unit = 0;
    std::int8_t scale = 0;
};
static_assert(sizeof(reading) == 8);

/// A platform with sensors and actuators, numbered from 1; 0 is none. `tenant` is who asks, so that
/// a platform can keep devices apart. Reading and writing return the number of dimensions, or a
/// negative number.
template <class T>
concept has_devices = requires(T& p, std::uint8_t tenant, std::uint32_t n, std::uint8_t type,
                               reading& to, const reading& from) {
    { p.find_device(tenant, n) } -> std::convertible_to<std::uint32_t>;
    { p.find_device_of_type(tenant, type) } -> std::convertible_to<std::uint32_t>;
    { p.read_device(tenant, n, to) } -> std::convertible_to<std::int32_t>;
    { p.write_device(tenant, n, from) } -> std::convertible_to<std::int32_t>;
};

/// A platform with pins, which it grants or refuses (false) to a tenant.
template <class T>
concept has_pins = requires(T& p, std::uint8_t tenant, std::uint32_t pin, bool& level) {
    { p.read_pin(tenant, pin, pin, level) } -> std::same_as<bool>;
    { p.write_pin(tenant, pin, pin, level) } -> std::same_as<bool>;
};

namespace detail {

// A device is a number, never a host pointer: the platform looks it up, so a forged one is harmless.
template <has_devices Platform>
std::uint32_t find_nth(caller& c, std::int32_t position) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr || position < 0) return 0;
    return e->platform->find_device(e->tenant, static_cast<std::uint32_t>(position));
}
template <has_devices Platform>
std::uint32_t find_type(caller& c, std::uint8_t type) {
    auto* e = c.host<environment<Platform>>();
    return e == nullptr ? 0 : e->platform->find_device_of_type(e->tenant, type);
}
template <has_devices Platform>
std::int32_t read(caller& c, std::uint64_t device, guest_ref<reading> to) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr || device == 0 || device > 0xffffffff) return -1;
    reading r;
    const std::int32_t n =
        e->platform->read_device(e->tenant, static_cast<std::uint32_t>(device), r);
    if (n >= 0) to.set(r);
    return n;
}
template <has_devices Platform>
std::int32_t write(caller& c, std::uint64_t device, guest_ref<const reading> from) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr || device == 0 || device > 0xffffffff) return -1;
    return e->platform->write_device(e->tenant, static_cast<std::uint32_t>(device), from.get());
}
template <has_pins Platform>
std::int64_t read_pin(caller& c, std::uint32_t port, std::uint32_t pin) {
    auto* e = c.host<environment<Platform>>();
    bool level = false;
    if (e == nullptr || !e->platform->read_pin(e->tenant, port, pin, level)) return -1;
    return level ? 1 : 0;
}
template <has_pins Platform>
std::int64_t write_pin(caller& c, std::uint32_t port, std::uint32_t pin, bool level) {
    auto* e = c.host<environment<Platform>>();
    return e != nullptr && e->platform->write_pin(e->tenant, port, pin, level) ? 0 : -1;
}

}  // namespace detail

/// Sensors and actuators, with the numbers of Femto-Containers and micro-bpf.
template <has_devices Platform>
using devices = helper_set<helper<0x30, "saul_reg_find_nth", &detail::find_nth<Platform>>,
                           helper<0x31, "saul_reg_find_type", &detail::find_type<Platform>>,
                           helper<0x32, "saul_reg_read", &detail::read<Platform>>,
                           helper<0x33, "saul_reg_write", &detail::write<Platform>>>;
/// Pins, with the numbers of micro-bpf; -1 if the platform does not grant the pin.
template <has_pins Platform>
using pins = helper_set<helper<0x70, "gpio_read_input", &detail::read_pin<Platform>>,
                        helper<0x72, "gpio_write", &detail::write_pin<Platform>>>;

}  // namespace femto::helpers
