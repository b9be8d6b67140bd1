// SPDX-License-Identifier: Apache-2.0
// CoAP over UDP by libcoap: messages, retransmission, sockets. Blocks are ours (blockwise.hpp), as on
// a device, so that one rule serves both ends.
#pragma once

#include "cbor_writer.hpp"

#include <femto/update/blockwise.hpp>

#include <coap3/coap.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace femto_tool {

using femto::update::block_option;

/// A response code as people write it: 205 is 2.05.
[[nodiscard]] constexpr unsigned coap_code(std::uint8_t wire) {
    return (wire >> 5) * 100u + (wire & 31u);
}

struct coap_request {
    coap_pdu_code_t method = COAP_REQUEST_CODE_GET;
    std::string path{};  ///< segments joined by "/", none in front
    std::optional<block_option> block1{}, block2{};
    std::optional<std::uint64_t> size1{};
    octets payload{};
    // For servers:
    std::uint64_t sender = 0;      ///< tells peers apart
    std::uint16_t local_port = 0;  ///< where it arrived
};

struct coap_reply {
    unsigned code = 0;  ///< 205 is 2.05; 0: nothing arrived, `payload` says why
    std::optional<block_option> block1{}, block2{};
    octets etag{}, payload{};
    std::optional<std::uint16_t> format{};

    [[nodiscard]] bool ok() const { return code / 100 == 2; }
    [[nodiscard]] std::string text() const { return {payload.begin(), payload.end()}; }
};

/// `coap://host:port/path` taken apart. Throws user_error.
struct coap_address {
    explicit coap_address(const std::string& uri);
    coap_address_t address{};
    std::string path;  ///< as in coap_request
    std::string host;  ///< host and port, for people
};

/// Retransmission (RFC 7252, section 4.8).
struct coap_patience {
    double ack_timeout = 2.0;  ///< seconds
    unsigned max_retransmit = 4;
};

/// libcoap with its sockets. One thread.
class coap_node {
public:
    coap_node();
    coap_node(const coap_node&) = delete;
    ~coap_node();

    // As a client.
    using session = std::shared_ptr<coap_session_t>;
    using reply_handler = std::function<void(const coap_reply&)>;
    /// Throws user_error.
    [[nodiscard]] session open(const coap_address& to, const coap_patience& patience);
    /// Sends one confirmable message; `then` is called exactly once, with the response or why there
    /// was none.
    void send(const session& to, const coap_request& request, reply_handler then);

    // As a server.
    using request_handler = std::function<coap_reply(const coap_request&)>;
    /// Returns the port, chosen by the system if `port` is 0. Throws user_error.
    std::uint16_t listen(const std::string& host, std::uint16_t port);
    /// Gets every request; `paths` are those that /.well-known/core lists. A reply without block2 is
    /// cut into the blocks that the client asks for.
    void serve(request_handler handler, const std::vector<std::string>& paths);

    /// Waits at most so long for something to happen, and handles it.
    void run(std::uint32_t milliseconds);

private:
    static coap_response_t on_response(coap_session_t*, const coap_pdu_t*, const coap_pdu_t*,
                                       coap_mid_t);
    static void on_nack(coap_session_t*, const coap_pdu_t*, coap_nack_reason_t, coap_mid_t);
    static void on_request(coap_resource_t*, coap_session_t*, const coap_pdu_t*,
                           const coap_string_t*, coap_pdu_t*);
    void finish(const coap_pdu_t* pdu, const coap_reply& reply);

    coap_context_t* context_;
    std::map<std::uint64_t, reply_handler> waiting_;  ///< by token
    std::uint64_t next_token_;
    request_handler handler_;
};

/// Loses this percentage of all messages that this process sends, to try things out.
void lose_messages(unsigned percent);

}  // namespace femto_tool
