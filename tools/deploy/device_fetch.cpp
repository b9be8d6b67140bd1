// SPDX-License-Identifier: Apache-2.0
#include "device_fetch.hpp"

namespace femto_tool {

void device_fetch::poll(std::uint32_t now) {
    now_ = now;
    const auto wanted = device_.updates().wanted();
    if (!wanted) {
        blocks_.reset();
        session_.reset();
        waiting_ = false;
        ++asked_;
        return;
    }
    const std::string uri{wanted->uri.begin(), wanted->uri.end()};
    if (!blocks_ || uri != uri_) return begin(*wanted);
    if (!waiting_ && static_cast<std::int32_t>(now - again_at_) >= 0) ask();
}

void device_fetch::begin(const femto::update::update_request& wanted) {
    uri_.assign(wanted.uri.begin(), wanted.uri.end());
    blocks_.emplace(wanted.size, block_of_64);
    failures_ = changed_ = 0;
    try {
        const coap_address from{uri_};
        path_ = from.path;
        session_ = node_.open(from, {1.0, 4});
    } catch (const user_error& e) {
        return give_up(e.message);
    }
    ask();
}

void device_fetch::ask() {
    coap_request request{COAP_REQUEST_CODE_GET, path_};
    request.block2 = blocks_->next();
    waiting_ = true;
    node_.send(session_, request, [this, number = ++asked_](const auto& reply) {
        if (number == asked_) on_reply(reply);
    });
}

void device_fetch::on_reply(const coap_reply& reply) {
    waiting_ = false;
    if (reply.code != 205) {
        const auto why = reply.code == 0 ? reply.text()
                                         : "the answer was " + std::to_string(reply.code / 100) +
                                               "." + std::to_string(reply.code % 100 / 10) +
                                               std::to_string(reply.code % 10);
        // Nobody there, or busy: later. Anything else will not change.
        if ((reply.code != 0 && reply.code != 503) || ++failures_ == attempts)
            return give_up(uri_ + ": " + why);
        again_at_ = now_ + pause;
        return;
    }
    auto& updates = device_.updates();
    const auto done =
        blocks_->on_block(reply.block2, reply.etag, reply.payload,
                          [&](std::uint64_t at, femto::update::bytes data, bool more) {
                              return updates.image_chunk({at, data, more});
                          });
    if (!updates.wanted()) return;  // the update ended, in whatever way
    if (!done && done.error().code == femto::errc::update_fetch_failed && ++changed_ <= changes) {
        // It changed while it was fetched. Perhaps the new one is the right one.
        blocks_.emplace(updates.wanted()->size, block_of_64);
        if (!updates.restart_image()) return;
    } else if (!done) {
        return give_up(uri_ + ": it is not what the manifest says", done.error().code);
    } else if (*done) {
        failures_ = 0;
    }
    ask();
}

void device_fetch::give_up(std::string note, femto::errc why) {
    device_.note(std::move(note));
    device_.updates().abort(why);
}

}  // namespace femto_tool
