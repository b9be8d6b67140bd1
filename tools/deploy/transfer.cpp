// SPDX-License-Identifier: Apache-2.0
#include "transfer.hpp"

#include <algorithm>

namespace femto_tool {

push_transfer::push_transfer(coap_node& node, coap_node::session to, std::string path, octets body,
                             const options& how, progress on_progress,
                             coap_node::reply_handler then)
    : node_{node}, to_{std::move(to)}, path_{std::move(path)}, body_{std::move(body)}, how_{how},
      progress_{std::move(on_progress)}, then_{std::move(then)} {}

void push_transfer::start(coap_node& node, coap_node::session to, std::string path, octets body,
                          const options& how, progress on_progress,
                          coap_node::reply_handler then) {
    const std::shared_ptr<push_transfer> made{
        new push_transfer{node, std::move(to), std::move(path), std::move(body), how,
                          std::move(on_progress), std::move(then)}};
    made->send();
}

void push_transfer::send() {
    block_option block{0, false, how_.size_exponent};
    block.number = static_cast<std::uint32_t>(sent_ / block.size());
    const auto size = std::min<std::size_t>(block.size(), body_.size() - sent_);
    block.more = sent_ + size < body_.size();
    coap_request request{COAP_REQUEST_CODE_PUT, path_};
    request.block1 = block;
    if (sent_ == 0) request.size1 = body_.size();
    const auto first = body_.begin() + static_cast<std::ptrdiff_t>(sent_);
    request.payload.assign(first, first + static_cast<std::ptrdiff_t>(size));
    node_.send(to_, request, [self = shared_from_this()](const auto& reply) {
        self->on_reply(reply);
    });
}

void push_transfer::on_reply(const coap_reply& reply) {
    if (reply.code == 408 && how_.restarts > 0) {
        --how_.restarts;
        sent_ = 0;
        return send();
    }
    if (reply.code != 231) {
        if (reply.ok() && progress_) progress_(body_.size(), body_.size());
        return then_(reply);
    }
    // The peer may ask for smaller blocks from now on (RFC 7959, section 2.5).
    const auto exponent = how_.size_exponent;
    sent_ = std::min<std::size_t>(sent_ + (16u << exponent), body_.size());
    if (reply.block1 && reply.block1->size_exponent < exponent)
        how_.size_exponent = reply.block1->size_exponent;
    if (progress_) progress_(sent_, body_.size());
    if (sent_ == body_.size()) return then_({0, {}, {}, {}, {}, {}});  // 2.31 to the last block
    send();
}

namespace {

struct get_state {
    coap_node& node;
    coap_node::session from;
    std::string path;
    coap_node::reply_handler then;
    octets body{}, etag{};
};

void get_block(const std::shared_ptr<get_state>& state, block_option wanted) {
    coap_request request{COAP_REQUEST_CODE_GET, state->path};
    request.block2 = wanted;
    state->node.send(state->from, request, [state](coap_reply reply) {
        if (reply.code != 205) return state->then(reply);
        const auto block = reply.block2.value_or(block_option{});
        if (block.offset() != state->body.size() ||
            (!state->body.empty() && reply.etag != state->etag)) {
            state->body.clear();  // it changed while it was read
            return get_block(state, {0, false, block.size_exponent});
        }
        state->etag = reply.etag;
        state->body.insert(state->body.end(), reply.payload.begin(), reply.payload.end());
        if (block.more) return get_block(state, {block.number + 1, false, block.size_exponent});
        reply.payload = std::move(state->body);
        state->then(reply);
    });
}

}  // namespace

void get(coap_node& node, const coap_node::session& from, const std::string& path,
         coap_node::reply_handler then) {
    get_block(std::make_shared<get_state>(get_state{node, from, path, std::move(then)}), {});
}

coap_reply get(coap_node& node, const coap_node::session& from, const std::string& path) {
    auto out = std::make_shared<std::optional<coap_reply>>();
    get(node, from, path, [out](const auto& reply) { *out = reply; });
    while (!*out) node.run(100);
    return **out;
}

}  // namespace femto_tool
