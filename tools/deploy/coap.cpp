// SPDX-License-Identifier: Apache-2.0
#include "coap.hpp"

#include "../container.hpp"
#include "files.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

namespace femto_tool {
namespace {

std::optional<std::uint64_t> number_option(const coap_pdu_t* pdu, coap_option_num_t number) {
    coap_opt_iterator_t iterator;
    const auto* option = coap_check_option(pdu, number, &iterator);
    if (option == nullptr || coap_opt_length(option) > 8) return std::nullopt;
    return coap_decode_var_bytes8(coap_opt_value(option), coap_opt_length(option));
}

octets bytes_option(const coap_pdu_t* pdu, coap_option_num_t number) {
    coap_opt_iterator_t iterator;
    const auto* option = coap_check_option(pdu, number, &iterator);
    if (option == nullptr) return {};
    return {coap_opt_value(option), coap_opt_value(option) + coap_opt_length(option)};
}

std::optional<block_option> block_of(const coap_pdu_t* pdu, coap_option_num_t number) {
    coap_opt_iterator_t iterator;
    if (coap_check_option(pdu, number, &iterator) == nullptr) return std::nullopt;
    return block_option::decode(bytes_option(pdu, number));
}

octets payload_of(const coap_pdu_t* pdu) {
    std::size_t size = 0;
    const std::uint8_t* data = nullptr;
    if (coap_get_data(pdu, &size, &data) == 0) return {};
    return {data, data + size};
}

void add_number(coap_pdu_t* pdu, coap_option_num_t number, std::uint64_t value) {
    std::uint8_t buffer[8];
    const auto length = coap_encode_var_safe8(buffer, sizeof buffer, value);
    coap_add_option(pdu, number, length, buffer);
}

/// Changes with every byte of `body`, so that a fetch of two versions mixed is noticed.
octets etag_of(const octets& body) {
    const auto digest = digest_of(body);
    return {digest.begin(), digest.begin() + 4};
}

/// The block of `whole` that was asked for, with ETag and Size2.
coap_reply cut(const coap_reply& whole, block_option wanted) {
    auto reply = whole;
    wanted.size_exponent = std::min<std::uint8_t>(wanted.size_exponent, 6);
    const std::size_t at = wanted.offset(), size = wanted.size();
    if (at > 0 && at >= whole.payload.size()) return {402, {}, {}, {}, {}, {}};
    wanted.more = whole.payload.size() - at > size;
    const auto first = whole.payload.begin() + static_cast<std::ptrdiff_t>(at);
    reply.payload.assign(first, wanted.more ? first + static_cast<std::ptrdiff_t>(size)
                                            : whole.payload.end());
    reply.block2 = wanted;
    reply.etag = etag_of(whole.payload);
    return reply;
}

coap_address_t resolve(const std::string& host, std::uint16_t port) {
    addrinfo hints{}, *found = nullptr;
    hints.ai_socktype = SOCK_DGRAM;
    const int status = getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (status != 0) throw user_error{host + ": " + gai_strerror(status)};
    coap_address_t out;
    coap_address_init(&out);
    out.size = found->ai_addrlen;
    std::memcpy(&out.addr, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    coap_address_set_port(&out, port);
    return out;
}

/// A port that nobody listens on: `wanted`, or any if it is 0; 0 if there is none. libcoap sets
/// SO_REUSEADDR, with which two sockets would share a port and its messages without an error.
std::uint16_t free_port(coap_address_t address) {
    const int probe = socket(address.addr.sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    std::uint16_t port = 0;
    if (bind(probe, &address.addr.sa, address.size) == 0 &&
        getsockname(probe, &address.addr.sa, &address.size) == 0) {
        port = coap_address_get_port(&address);
    }
    const int why = errno;
    close(probe);
    errno = why;
    return port;
}

std::uint64_t sender_of(const coap_session_t* session) {
    unsigned char text[64];
    const auto length = coap_print_addr(coap_session_get_addr_remote(session), text, sizeof text);
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (std::size_t n = 0; n < length; ++n) hash = (hash ^ text[n]) * 0x100000001b3;
    return hash;
}

}  // namespace

coap_address::coap_address(const std::string& uri) {
    coap_uri_t parts{};
    if (coap_split_uri(reinterpret_cast<const std::uint8_t*>(uri.data()), uri.size(), &parts) != 0 ||
        parts.scheme != COAP_URI_SCHEME_COAP || parts.host.length == 0) {
        throw user_error{uri + ": write coap://HOST[:PORT][/PATH]"};
    }
    const auto text = [](const coap_str_const_t& s) {
        return std::string{reinterpret_cast<const char*>(s.s), s.length};
    };
    path = text(parts.path);
    const auto name = text(parts.host);
    address = resolve(name, parts.port);
    host = (name.find(':') == name.npos ? name : "[" + name + "]") + ":" +
           std::to_string(parts.port);
}

coap_node::coap_node() {
    coap_startup();
    coap_set_log_level(LOG_CRIT);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;  // a socket for each simulated device
    setrlimit(RLIMIT_NOFILE, &files);
    context_ = coap_new_context(nullptr);
    if (context_ == nullptr) throw user_error{"libcoap does not start"};
    coap_set_app_data(context_, this);
    coap_register_response_handler(context_, &coap_node::on_response);
    coap_register_nack_handler(context_, &coap_node::on_nack);
    coap_prng(&next_token_, sizeof next_token_);
}

coap_node::~coap_node() {
    waiting_.clear();
    coap_free_context(context_);
    coap_cleanup();
}

coap_node::session coap_node::open(const coap_address& to, const coap_patience& patience) {
    auto* made = coap_new_client_session(context_, nullptr, &to.address, COAP_PROTO_UDP);
    if (made == nullptr) throw user_error{to.host + ": cannot be reached from this machine"};
    double whole = 0;
    const double part = std::modf(patience.ack_timeout, &whole);
    coap_session_set_ack_timeout(made, {static_cast<std::uint16_t>(whole),
                                        static_cast<std::uint16_t>(part * 1000)});
    coap_session_set_max_retransmit(made, static_cast<std::uint16_t>(patience.max_retransmit));
    return {made, coap_session_release};
}

void coap_node::send(const session& to, const coap_request& request, reply_handler then) {
    auto* pdu = coap_new_pdu(COAP_MESSAGE_CON, request.method, to.get());
    const auto token = ++next_token_;
    coap_add_token(pdu, sizeof token, reinterpret_cast<const std::uint8_t*>(&token));
    for (std::size_t at = 0; at < request.path.size();) {
        const auto end = std::min(request.path.find('/', at), request.path.size());
        coap_add_option(pdu, COAP_OPTION_URI_PATH, end - at,
                        reinterpret_cast<const std::uint8_t*>(request.path.data()) + at);
        at = end + 1;
    }
    if (request.block2) add_number(pdu, COAP_OPTION_BLOCK2, request.block2->encode());
    if (request.block1) add_number(pdu, COAP_OPTION_BLOCK1, request.block1->encode());
    if (request.size1) add_number(pdu, COAP_OPTION_SIZE1, *request.size1);
    if (!request.payload.empty())
        coap_add_data(pdu, request.payload.size(), request.payload.data());
    waiting_[token] = std::move(then);
    if (coap_send(to.get(), pdu) != COAP_INVALID_MID) return;
    const auto lost = waiting_.extract(token);
    const std::string why = "the system refused to send";
    if (lost) lost.mapped()({0, {}, {}, {}, {why.begin(), why.end()}, {}});
}

void coap_node::finish(const coap_pdu_t* pdu, const coap_reply& reply) {
    const auto token = coap_pdu_get_token(pdu);
    std::uint64_t number = 0;
    if (token.length != sizeof number) return;
    std::memcpy(&number, token.s, sizeof number);
    const auto handler = waiting_.extract(number);
    if (handler) handler.mapped()(reply);
}

coap_response_t coap_node::on_response(coap_session_t* session, const coap_pdu_t*,
                                       const coap_pdu_t* received, coap_mid_t) {
    coap_reply reply;
    reply.code = coap_code(static_cast<std::uint8_t>(coap_pdu_get_code(received)));
    reply.block1 = block_of(received, COAP_OPTION_BLOCK1);
    reply.block2 = block_of(received, COAP_OPTION_BLOCK2);
    reply.etag = bytes_option(received, COAP_OPTION_ETAG);
    reply.payload = payload_of(received);
    auto* node = static_cast<coap_node*>(
        coap_get_app_data(coap_session_get_context(session)));
    node->finish(received, reply);
    return COAP_RESPONSE_OK;
}

void coap_node::on_nack(coap_session_t* session, const coap_pdu_t* sent,
                        coap_nack_reason_t reason, coap_mid_t) {
    if (sent == nullptr) return;
    const std::string why = reason == COAP_NACK_TOO_MANY_RETRIES ? "no answer"
                            : reason == COAP_NACK_RST            ? "refused the message"
                                                                 : "nobody listens there";
    auto* node = static_cast<coap_node*>(
        coap_get_app_data(coap_session_get_context(session)));
    node->finish(sent, {0, {}, {}, {}, {why.begin(), why.end()}, {}});
}

std::uint16_t coap_node::listen(const std::string& host, std::uint16_t port) {
    auto address = resolve(host, port);
    const auto chosen = free_port(address);
    coap_address_set_port(&address, chosen);
    if (chosen == 0 || coap_new_endpoint(context_, &address, COAP_PROTO_UDP) == nullptr)
        throw user_error{host + ", port " + std::to_string(port) + ": " + std::strerror(errno)};
    return chosen;
}

void coap_node::serve(request_handler handler, const std::vector<std::string>& paths) {
    handler_ = std::move(handler);
    const auto add = [&](coap_resource_t* resource) {
        for (const auto method : {COAP_REQUEST_GET, COAP_REQUEST_POST, COAP_REQUEST_PUT})
            coap_register_request_handler(resource, method, &coap_node::on_request);
        coap_resource_set_userdata(resource, this);
        coap_add_resource(context_, resource);
    };
    for (const auto& path : paths) {
        add(coap_resource_init(coap_new_str_const(reinterpret_cast<const std::uint8_t*>(path.data()),
                                                  path.size()),
                               COAP_RESOURCE_FLAGS_RELEASE_URI));
    }
    add(coap_resource_unknown_init(&coap_node::on_request));
}

void coap_node::on_request(coap_resource_t* resource, coap_session_t* session,
                           const coap_pdu_t* received, const coap_string_t*,
                           coap_pdu_t* response) {
    coap_request request;
    request.method = coap_pdu_get_code(received);
    if (auto* path = coap_get_uri_path(received)) {
        request.path.assign(reinterpret_cast<const char*>(path->s), path->length);
        coap_delete_string(path);
    }
    const auto malformed = [&](coap_option_num_t number, const auto& decoded) {
        coap_opt_iterator_t iterator;
        return coap_check_option(received, number, &iterator) != nullptr && !decoded;
    };
    request.block1 = block_of(received, COAP_OPTION_BLOCK1);
    request.block2 = block_of(received, COAP_OPTION_BLOCK2);
    request.size1 = number_option(received, COAP_OPTION_SIZE1);
    request.payload = payload_of(received);
    request.sender = sender_of(session);
    request.local_port = coap_address_get_port(coap_session_get_addr_local(session));

    auto* node = static_cast<coap_node*>(coap_resource_get_userdata(resource));
    coap_reply reply;
    if (malformed(COAP_OPTION_BLOCK1, request.block1) ||
        malformed(COAP_OPTION_BLOCK2, request.block2)) {
        reply.code = 402;
    } else {
        reply = node->handler_(request);
    }
    std::optional<std::uint64_t> size2;
    if (request.method == COAP_REQUEST_CODE_GET && reply.code == 205 && !reply.block2 &&
        (request.block2 || reply.payload.size() > 1024)) {
        size2 = reply.payload.size();
        reply = cut(reply, request.block2.value_or(block_option{}));
    }
    coap_pdu_set_code(response, static_cast<coap_pdu_code_t>(reply.code / 100 << 5 |
                                                             reply.code % 100));
    if (!reply.etag.empty())
        coap_add_option(response, COAP_OPTION_ETAG, reply.etag.size(), reply.etag.data());
    if (reply.format) add_number(response, COAP_OPTION_CONTENT_FORMAT, *reply.format);
    if (reply.block2) add_number(response, COAP_OPTION_BLOCK2, reply.block2->encode());
    if (reply.block1) add_number(response, COAP_OPTION_BLOCK1, reply.block1->encode());
    if (size2 && reply.block2) add_number(response, COAP_OPTION_SIZE2, *size2);
    if (!reply.payload.empty())
        coap_add_data(response, reply.payload.size(), reply.payload.data());
}

void coap_node::run(std::uint32_t milliseconds) {
    coap_io_process(context_, milliseconds == 0 ? COAP_IO_NO_WAIT : milliseconds);
}

void lose_messages(unsigned percent) {
    coap_debug_set_packet_loss((std::to_string(percent) + "%").c_str());
}

}  // namespace femto_tool
