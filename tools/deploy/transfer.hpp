// SPDX-License-Identifier: Apache-2.0
// Bodies of any length over CoAP: pushed with Block1, fetched with Block2.
#pragma once

#include "coap.hpp"

#include <memory>

namespace femto_tool {

/// Pushes a body with PUT, block by block. Adopts the block size the peer wants, begins again
/// when the peer has lost its place (4.08), and waits when it is busy (5.03).
class push_transfer : public std::enable_shared_from_this<push_transfer> {
public:
    using progress = std::function<void(std::size_t sent, std::size_t size)>;
    struct options {
        std::uint8_t size_exponent = 6;
        unsigned restarts = 3;  ///< after 4.08, before it gives up
    };
    /// Calls `then` once, with the answer to the last block or to the one that was refused.
    static void start(coap_node& node, coap_node::session to, std::string path, octets body,
                      const options& how, progress on_progress, coap_node::reply_handler then);

private:
    push_transfer(coap_node& node, coap_node::session to, std::string path, octets body,
                  const options& how, progress on_progress, coap_node::reply_handler then);
    void send();
    void on_reply(const coap_reply& reply);

    coap_node& node_;
    coap_node::session to_;
    std::string path_;
    octets body_;
    options how_;
    progress progress_;
    coap_node::reply_handler then_;
    std::size_t sent_ = 0;
};

/// GETs a whole body and waits for it; `code` 0 if nothing came.
[[nodiscard]] coap_reply get(coap_node& node, const coap_node::session& from,
                             const std::string& path);
/// The same without waiting: `then` is called once.
void get(coap_node& node, const coap_node::session& from, const std::string& path,
         coap_node::reply_handler then);

}  // namespace femto_tool
