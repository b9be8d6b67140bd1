// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "coap.hpp"
#include "crypto.hpp"
#include "device_platform.hpp"
#include "device_report.hpp"
#include "device_storage.hpp"
#include "key_file.hpp"

#include <femto/update/hook_component.hpp>
#include <femto/update/updater.hpp>

#include <string>
#include <vector>

namespace femto_tool {

/// Whom a device trusts, for what, and what it is. One for all devices of a process.
struct device_setup {
    struct tenant {
        std::string name;
        public_key key;
        std::vector<femto::uuid> hooks;
        std::vector<femto::update::bytes> components;  ///< the same, as the anchor wants them
    };
    /// `trust` as given to --trust. Throws user_error.
    device_setup(const std::vector<std::string>& trust, const std::string& vendor,
                 const std::string& device_class);
    device_setup(const device_setup&) = delete;
    /// The first tenant that may update this hook, or nobody: the number of the last and one.
    [[nodiscard]] std::uint8_t owner_of(const femto::uuid& hook) const;
    [[nodiscard]] std::string name_of(std::uint8_t number) const;

    std::vector<tenant> tenants;
    std::vector<femto::update::trust_anchor> anchors;
    femto::uuid vendor, device_class;
    femto::update::update_policy policy;
    host_crypto crypto;
};

/// One device: an engine with three hooks, a component with two slots for each, an updater. Knows
/// nothing of sockets.
class device_model {
    static constexpr std::size_t capacity = 4096;  ///< bytes of an image
    static constexpr std::size_t storage_size = 2 * 256 + 2 * capacity;
    static constexpr std::size_t room = capacity / 8 + 1024;  ///< marks, and data of a container
    static constexpr femto::update::limits limits{.envelope = capacity + 1024};
    using storage = device_storage<storage_size>;
    using slots = femto::update::component_slots<storage, host_crypto::hash, capacity>;
    static_assert(slots::storage_size == storage_size);

    template <class Context>
    struct place {
        using hook_type = device_engine::hook<Context, 1>;
        storage memory;
        slots two{memory};
        hook_type hook;
        femto::update::hook_component<device_engine, hook_type, slots, room> component;
        place(const device_setup& setup, device_engine& engine,
              const femto::hook_declaration& declared, const std::string& folder);
    };

public:
    /// `folder` for the slots, or empty for memory. Starts what the slots hold. Throws user_error.
    device_model(device_setup& setup, const std::string& folder);

    /// To be called often, with milliseconds that never go backwards: fires hooks that are due.
    void tick(std::uint32_t now);
    [[nodiscard]] coap_reply handle(const coap_request& request);

    using updater = femto::update::updater<
        limits, decltype(host_crypto::both), decltype(place<thread_switch>::component),
        decltype(place<timer_tick>::component), decltype(place<coap_exchange>::component)>;
    [[nodiscard]] updater& updates() { return updates_; }
    /// What is known about a failure of the transport, for the report.
    void note(std::string text) { note_ = std::move(text); }

private:
    coap_reply push(const coap_request& request);
    coap_reply value();
    device_report report();
    void count_outcome();

    device_setup& setup_;
    device_platform platform_;
    device_engine engine_{platform_};
    place<thread_switch> scheduler_;
    place<timer_tick> timer_;
    place<coap_exchange> coap_;
    updater updates_;
    femto::update::block_push pushed_;
    std::string note_;
    std::uint64_t accepted_ = 0, refused_ = 0, thread_ = 0;
    std::uint32_t started_ = 0, next_switch_ = 0, next_timer_ = 0;
    bool running_ = false, updating_ = false;
};

}  // namespace femto_tool
