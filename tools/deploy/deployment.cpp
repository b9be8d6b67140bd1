// SPDX-License-Identifier: Apache-2.0
#include "deployment.hpp"

#include "../container.hpp"
#include "files.hpp"

#include <bit>

namespace femto_tool {

const char* word_of(outcome o) {
    switch (o) {
    case outcome::confirmed: return "deployed";
    case outcome::on_trial: return "deployed, on trial";
    case outcome::current: return "ran already";
    case outcome::refused: return "refused";
    case outcome::rolled_back: return "rolled back";
    case outcome::no_answer: return "no answer";
    }
    return "?";
}

shipment::shipment(const deploy_options& o)
    : envelope{read_octets(o.envelope)}, view{read_envelope(envelope, o.envelope)},
      size_exponent{static_cast<std::uint8_t>(std::countr_zero(o.block) - 4)},
      patience{o.connection.timeout, o.connection.retries}, trial{o.trial} {
    if (view.component.size() != 1 || view.component[0].size() != hook.bytes.size())
        throw user_error{o.envelope + ": names no hook of a femto device"};
    std::copy(view.component[0].begin(), view.component[0].end(), hook.bytes.begin());
}

deployment::deployment(coap_node& node, timers& clock, const shipment& what,
                       const coap_address& device, progress on_progress, handler then)
    : node_{node}, clock_{clock}, what_{what}, session_{node.open(device, what.patience)},
      progress_{std::move(on_progress)}, then_{std::move(then)} {}

void deployment::start(coap_node& node, timers& clock, const shipment& what,
                       const coap_address& device, progress on_progress, handler then) {
    const std::shared_ptr<deployment> made{new deployment{
        node, clock, what, device, std::move(on_progress), std::move(then)}};
    made->push();
}

void deployment::push() {
    push_transfer::start(
        node_, session_, "suit", what_.envelope, {what_.size_exponent},
        [self = shared_from_this()](std::size_t sent, std::size_t size) {
            if (self->progress_) self->progress_("sending the envelope", sent, size);
        },
        [self = shared_from_this()](const auto& reply) { self->on_pushed(reply); });
}

void deployment::on_pushed(const coap_reply& reply) {
    if (reply.code == 0) return end(outcome::no_answer, reply.text());
    if (reply.code == 503 && busy_++ < busy_retries) {
        clock_.after(pause * 2, [self = shared_from_this()] { self->push(); });
        return;
    }
    if (!reply.ok())
        return end(outcome::refused, reply.payload.empty()
                                         ? "the answer was " + std::to_string(reply.code)
                                         : reply.text());
    already_ = reply.code == 203;
    trial_until_ = timers::now() + static_cast<std::uint32_t>(what_.trial * 1000);
    look();
}

void deployment::look() {
    get(node_, session_, "status", [self = shared_from_this()](const auto& reply) {
        self->on_report(reply);
    });
}

void deployment::on_report(const coap_reply& reply) {
    const auto report = read_report(reply.payload);
    if (reply.code == 0) {
        if (silent_++ < silent_retries) return look();
        return end(outcome::no_answer, "after it took the envelope: " + reply.text());
    }
    if (!reply.ok() || !report)
        return end(outcome::on_trial, "the device took it, but says nothing of itself");
    const auto again = [&] {
        clock_.after(pause, [self = shared_from_this()] { self->look(); });
    };
    if (report->updating) {
        if (progress_) progress_("the device fetches the image", report->received, report->size);
        trial_until_ = timers::now() + static_cast<std::uint32_t>(what_.trial * 1000);
        return again();
    }
    const auto found = std::ranges::find(report->components, what_.hook, &component_report::hook);
    if (found == report->components.end()) return end(outcome::refused, "it has no such hook");
    if (!found->installed || found->sequence != what_.view.manifest.sequence_number) {
        auto words = in_words(report->last_error);
        if (report->last_error.code == femto::errc::update_program_rejected)
            words += ": " + in_words(report->cause);
        if (!report->note.empty()) words += ": " + report->note;
        return end(outcome::refused, words);
    }
    if (found->reverted)
        return end(outcome::rolled_back, in_words({found->trial_fault.code, 0, 0}) + " at instruction " +
                                             std::to_string(found->trial_fault.pc));
    if (!found->on_trial) return end(already_ ? outcome::current : outcome::confirmed);
    if (static_cast<std::int32_t>(timers::now() - trial_until_) >= 0)
        return end(already_ ? outcome::current : outcome::on_trial);
    if (progress_) progress_("on trial", found->runs, 0);
    again();
}

void deployment::end(outcome how, std::string words) {
    const auto then = std::exchange(then_, nullptr);
    if (then) then({how, std::move(words)});
}

}  // namespace femto_tool
