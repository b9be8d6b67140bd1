// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "device_model.hpp"

#include <memory>
#include <optional>

namespace femto_tool {

/// Pulls the images that a device wants, block by block, and goes on after interruptions.
class device_fetch {
public:
    device_fetch(coap_node& node, device_model& device) : node_{node}, device_{device} {}
    /// To be called now and then, in milliseconds.
    void poll(std::uint32_t now);

private:
    static constexpr std::uint8_t block_of_64 = 2;  ///< what fits a frame of IEEE 802.15.4
    static constexpr unsigned attempts = 5;         ///< without progress
    static constexpr std::uint32_t pause = 1000;    ///< milliseconds between them
    static constexpr unsigned changes = 3;          ///< of the image meanwhile

    void begin(const femto::update::update_request& wanted);
    void ask();
    void on_reply(const coap_reply& reply);
    void give_up(std::string note, femto::errc why = femto::errc::update_fetch_failed);

    coap_node& node_;
    device_model& device_;
    coap_node::session session_;
    std::string uri_, path_;
    std::optional<femto::update::block_fetch> blocks_;
    std::uint32_t now_ = 0, again_at_ = 0;
    unsigned failures_ = 0, changed_ = 0;
    std::uint64_t asked_ = 0;  ///< counts requests, to know answers to older ones
    bool waiting_ = false;
};

}  // namespace femto_tool
