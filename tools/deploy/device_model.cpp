// SPDX-License-Identifier: Apache-2.0
#include "device_model.hpp"

#include "envelope_view.hpp"

#include <cstdio>
#include <filesystem>

namespace femto_tool {
namespace {

constexpr std::string_view schemes[]{"coap://"};
constexpr std::uint32_t switch_period = 10, timer_period = 100;  // milliseconds
constexpr femto::container_limits limits_of_containers{
    .faults = {.what = femto::fault_policy::action::back_off}};

octets octets_of(std::string_view text) { return {text.begin(), text.end()}; }

coap_reply text_reply(unsigned code, std::string_view text) {
    coap_reply reply{code};
    reply.format = 0;  // text/plain
    reply.payload = octets_of(text);
    return reply;
}

}  // namespace

void device_platform::print(std::string_view text) const {
    if (quiet) return;
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

device_setup::device_setup(const std::vector<std::string>& trust, const std::string& vendor_name,
                           const std::string& class_name)
    : vendor{vendor_id(vendor_name)}, device_class{class_id(vendor, class_name)} {
    if (trust.empty()) {
        throw user_error{"a device that trusts nobody cannot be updated\n"
                         "  make a key with: femto keygen acme\n"
                         "  and name it: femto device --trust acme.pub"};
    }
    for (const auto& text : trust) {
        const auto colon = text.rfind(':');
        const auto file = text.substr(0, colon);
        tenant t{std::filesystem::path{file}.stem().string(), read_public_key(file), {}, {}};
        for (std::size_t at = colon; at < text.size();) {
            const auto end = std::min(text.find(',', at + 1), text.size());
            const auto name = text.substr(at + 1, end - at - 1);
            const auto* known = std::ranges::find(device_hooks, name, &hook_info::name);
            if (known == std::end(device_hooks))
                throw user_error{"--trust " + text + ": no hook `" + name + "`; there are " +
                                 hook_names()};
            t.hooks.push_back(known->id);
            at = end;
        }
        if (t.hooks.empty())
            for (const auto& hook : device_hooks) t.hooks.push_back(hook.id);
        tenants.push_back(std::move(t));
    }
    if (tenants.size() > device_engine_config.tenants)
        throw user_error{"--trust: no more than " + std::to_string(device_engine_config.tenants) +
                         " keys"};
    for (auto& t : tenants) {
        for (const auto& hook : t.hooks) t.components.push_back(hook.bytes);
        anchors.push_back({t.key.type, t.key.key, {}, t.components});
    }
    policy = {anchors, {vendor.bytes, device_class.bytes, {}}, schemes, 60000};
}

std::uint8_t device_setup::owner_of(const femto::uuid& hook) const {
    std::uint8_t n = 0;
    for (const auto& t : tenants) {
        if (std::ranges::find(t.hooks, hook) != t.hooks.end()) return n;
        ++n;
    }
    return n;
}

std::string device_setup::name_of(std::uint8_t number) const {
    return number < tenants.size() ? tenants[number].name : "nobody";
}

template <class Context>
device_model::place<Context>::place(const device_setup& setup, device_engine& engine,
                                    const femto::hook_declaration& declared,
                                    const std::string& folder)
    : memory{folder.empty() ? "" : folder + "/" + hook_title(declared.id) + ".slots"},
      hook{declared},
      component{engine, hook, two,
                {.tenant = setup.owner_of(declared.id), .limits = &limits_of_containers}} {
    if (memory.fresh() && !two.format())
        throw user_error{folder + ": the slots cannot be written"};
    const auto started = component.start();
    if (!started) {
        std::fprintf(stderr, "femto device: hook %s stays empty: %s\n",
                     hook_title(declared.id).c_str(), in_words(started.error()).c_str());
    }
}

device_model::device_model(device_setup& setup, const std::string& folder)
    : setup_{setup}, scheduler_{setup, engine_, on_switch, folder},
      timer_{setup, engine_, on_tick, folder}, coap_{setup, engine_, on_request, folder},
      updates_{setup.crypto.both, setup.policy, scheduler_.component, timer_.component,
               coap_.component} {
    platform_.quiet = folder.empty();
}

void device_model::tick(std::uint32_t now) {
    if (!running_) started_ = next_switch_ = next_timer_ = now;
    running_ = true;
    platform_.time = now - started_;
    if (static_cast<std::int32_t>(now - next_switch_) >= 0) {
        next_switch_ = now + switch_period;
        thread_switch threads{thread_ + 1, (thread_ + 1) % 3 + 1};  // three threads in turn
        thread_ = (thread_ + 1) % 3;
        static_cast<void>(engine_.fire(scheduler_.hook, threads));
    }
    if (static_cast<std::int32_t>(now - next_timer_) >= 0) {
        next_timer_ = now + timer_period;
        timer_tick at{platform_.time};
        static_cast<void>(engine_.fire(timer_.hook, at));
    }
    engine_.poll(platform_.time, 2000);
    updates_.poll(platform_.time);
    count_outcome();
}

/// An update that was being fetched may have ended, well or not, since this was called last.
void device_model::count_outcome() {
    const bool busy = updates_.wanted().has_value();
    if (updating_ && !busy) ++(updates_.last_error().code == femto::errc::ok ? accepted_ : refused_);
    updating_ = busy;
}

coap_reply device_model::handle(const coap_request& request) {
    const bool get = request.method == COAP_REQUEST_CODE_GET;
    if (request.path == "suit") return get ? coap_reply{405} : push(request);
    if (!get) return {request.path == "status" || request.path == "value" ? 405u : 404u};
    if (request.path == "status") {
        coap_reply reply{205};
        reply.format = 60;  // application/cbor
        reply.payload = write_report(report());
        return reply;
    }
    if (request.path == "value") return value();
    if (request.path.empty())
        return text_reply(205, "femto device: PUT /suit, GET /status, GET /value\n");
    return {404};
}

coap_reply device_model::push(const coap_request& request) {
    const auto answer =
        pushed_.on_block(updates_, static_cast<std::uint32_t>(request.sender ^ request.sender >> 32),
                         request.block1, request.size1, request.payload);
    auto reply = coap_reply{coap_code(answer.code)};
    reply.block1 = request.block1;
    if (answer.why.code != femto::errc::ok) {
        std::string text = in_words(answer.why);
        if (answer.why.code == femto::errc::update_program_rejected)
            text += ": " + in_words(updates_.cause()) + ", instruction " +
                    std::to_string(updates_.cause().pc);
        reply.payload = octets_of(text);
    } else if (answer.ended) {
        reply.payload = octets_of(updates_.idle() ? "installed" : "accepted; fetching the image");
    }
    if (!answer.ended) return reply;
    note_.clear();
    if (updates_.idle()) ++(coap_code(answer.code) / 100 == 2 ? accepted_ : refused_);
    updating_ = updates_.wanted().has_value();
    return reply;
}

coap_reply device_model::value() {
    namespace helpers = femto::helpers;
    if (coap_.hook.empty()) return text_reply(404, "no container answers; deploy one to hook coap");
    constexpr std::uint32_t header = 4;  // no token: libcoap adds it
    coap_exchange exchange{
        {0, femto::segmented_address(femto::region_number::context, sizeof(helpers::coap_context)),
         sizeof(coap_exchange::packet)},
        {}};
    platform_.coap = {exchange.packet, header};
    const auto done = engine_.fire(coap_.hook, exchange);
    const auto size = static_cast<std::size_t>(done.value);
    if (done.ran != 1 || done.value < header || size > exchange.packet.size())
        return text_reply(500, done.faulted != 0 ? "the container faulted" : "no answer of the container");
    // What the container wrote: code, at most one option (Content-Format), marker, payload.
    const auto byte = [&](std::size_t at) { return std::to_integer<std::uint8_t>(exchange.packet[at]); };
    coap_reply reply{coap_code(byte(1))};
    std::size_t at = header;
    if (at < size && byte(at) >> 4 == 12) {
        std::uint16_t format = 0;
        for (auto length = byte(at++) & 15u; length > 0 && at < size; --length)
            format = static_cast<std::uint16_t>(format << 8 | byte(at++));
        reply.format = format;
    }
    if (at < size && byte(at) == 0xff) ++at;
    for (; at < size; ++at) reply.payload.push_back(byte(at));
    return reply;
}

device_report device_model::report() {
    device_report out{setup_.vendor, setup_.device_class};
    out.uptime = platform_.time;
    const auto wanted = updates_.wanted();
    out.updating = !updates_.idle();
    out.received = wanted ? wanted->at : updates_.received();
    out.size = wanted ? wanted->size : 0;
    out.last_error = updates_.last_error();
    if (out.last_error.code == femto::errc::update_already_current) out.last_error = {};
    out.cause = updates_.cause();
    out.note = note_;
    out.accepted = accepted_;
    out.refused = refused_;
    const auto add = [&](auto& from) {
        component_report c{from.hook.declaration().id, hook_title(from.hook.declaration().id),
                           setup_.name_of(from.component.options().tenant)};
        if (const auto s = from.component.status()) {
            c.sequence = s->sequence_number;
            c.installed = s->installed;
            c.on_trial = s->on_trial;
            c.reverted = s->reverted;
            c.image_size = s->size;
            c.trial_fault = s->trial_fault;
        }
        if (const auto* container = from.component.current()) {
            const auto s = container->statistics();
            c.state = container->state();
            c.runs = s.runs;
            c.instructions = s.instructions;
            c.longest_run = s.longest_run;
            c.stack = s.stack;
            c.faults = s.faults;
            c.missed = s.missed;
            c.throttled = s.throttled;
            c.last_fault = s.last_fault;
        }
        out.components.push_back(std::move(c));
    };
    add(scheduler_);
    add(timer_);
    add(coap_);
    return out;
}

}  // namespace femto_tool
