// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/critical_section.hpp>

#include <cstdint>

namespace femto {

/// What an error of a contract or quota is about (`error.address`).
enum class contract_part : std::uint8_t { helper = 1, region, stack, stores, containers, ram, offer };

/// What a tenant may have. May lie in flash; 12 bytes.
struct tenant_quota {
    std::uint32_t ram = 0xffffffff;        ///< bytes of its containers' data and marks
    std::uint32_t window_fuel = 0xffffffff;  ///< instructions in a window, all its containers
    std::uint16_t store_entries = 0xffff;  ///< entries it pays for, in all stores
    std::uint8_t containers = 255;
};

/// A tenant at run time: 16 bytes on a 32-bit core. Changed by the engine only.
template <critical_section Guard>
class tenant {
public:
    constexpr tenant() = default;
    [[nodiscard]] const tenant_quota& quota() const { return *quota_; }
    [[nodiscard]] std::uint32_t ram() const { return ram_; }
    [[nodiscard]] std::uint32_t containers() const { return containers_; }
    /// Instructions executed in this window.
    [[nodiscard]] std::uint32_t window_used() const { return used_.load(); }

private:
    template <class, class, auto>
    friend class engine;
    template <class, class, auto>
    friend class runner;
    static constexpr tenant_quota unlimited{};
    const tenant_quota* quota_ = &unlimited;
    std::uint32_t ram_ = 0;
    std::uint32_t containers_ = 0;
    shared_word<Guard> used_;
};

}  // namespace femto
