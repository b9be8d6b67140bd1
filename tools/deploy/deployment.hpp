// SPDX-License-Identifier: Apache-2.0
// One update on its way to one device.
#pragma once

#include "commands.hpp"
#include "device_report.hpp"
#include "envelope_view.hpp"
#include "timers.hpp"
#include "transfer.hpp"

#include <memory>

namespace femto_tool {

/// How it ended. Numbers stand in state files.
enum class outcome : unsigned char {
    confirmed,   ///< it runs, and its trial is over
    on_trial,    ///< it runs; its hook did not fire often enough yet
    current,     ///< it ran already
    refused,     ///< by the device, which says why
    rolled_back, ///< it faulted on trial: the version before runs again
    no_answer,
};
[[nodiscard]] const char* word_of(outcome o);
[[nodiscard]] constexpr bool good(outcome o) {
    return o == outcome::confirmed || o == outcome::on_trial || o == outcome::current;
}

struct deployment_result {
    outcome how = outcome::no_answer;
    std::string words{};
};

/// What is sent, read once for all devices.
struct shipment {
    octets envelope;
    envelope_view view;
    femto::uuid hook;  ///< of the first component
    std::uint8_t size_exponent = 6;
    coap_patience patience;
    double trial = 5;  ///< seconds to wait for the end of the trial

    /// Throws user_error.
    explicit shipment(const deploy_options& o);
};

/// Pushes the envelope, waits while the device fetches the image and tries it out, says how it
/// ended. Keeps itself alive.
class deployment : public std::enable_shared_from_this<deployment> {
public:
    using progress = std::function<void(const std::string& what, std::uint64_t done,
                                        std::uint64_t of)>;
    using handler = std::function<void(const deployment_result&)>;
    static void start(coap_node& node, timers& clock, const shipment& what,
                      const coap_address& device, progress on_progress, handler then);

private:
    deployment(coap_node& node, timers& clock, const shipment& what, const coap_address& device,
               progress on_progress, handler then);
    void push();
    void on_pushed(const coap_reply& reply);
    void look();  ///< at the device's status
    void on_report(const coap_reply& reply);
    void end(outcome how, std::string words = {});

    static constexpr unsigned busy_retries = 20, silent_retries = 2;
    static constexpr std::uint32_t pause = 200;  ///< milliseconds between two looks

    coap_node& node_;
    timers& clock_;
    const shipment& what_;
    coap_node::session session_;
    progress progress_;
    handler then_;
    unsigned busy_ = 0, silent_ = 0;
    bool already_ = false;
    std::uint32_t trial_until_ = 0;
};

}  // namespace femto_tool
