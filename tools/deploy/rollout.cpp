// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "files.hpp"
#include "fleet.hpp"
#include "../hooks.hpp"
#include "progress.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace femto_tool {
namespace {

/// Deploys to devices in their order, some at a time, in phases; stops beginning new ones when too
/// many of a phase failed.
class rollout {
public:
    rollout(const shipment& what, rollout_state& state, unsigned parallel, bool quiet)
        : what_{what}, state_{state}, parallel_{parallel}, line_{quiet} {}

    /// False if more than `allowed` of them failed.
    bool phase(const char* name, std::span<fleet_device> devices, std::size_t allowed) {
        std::size_t failed = 0, done = 0;
        for (const auto& d : devices) done += d.result ? 1u : 0u;
        std::size_t next = 0, running = 0;
        while (true) {
            while (running < parallel_ && failed <= allowed && next < devices.size()) {
                auto& device = devices[next++];
                if (device.result) continue;
                ++running;
                start(device, [&] {
                    --running;
                    ++done;
                    if (!good(device.result->how)) ++failed;
                    state_.add(device);
                });
            }
            if (running == 0) break;
            line_.show(std::string{name} + ", " + std::to_string(failed) + " failed", done,
                       devices.size());
            node_.run(20);
            clock_.run();
        }
        line_.clear();
        return failed <= allowed;
    }

private:
    void start(fleet_device& device, std::function<void()> then) {
        try {
            deployment::start(node_, clock_, what_, coap_address{device.uri}, nullptr,
                              [&device, then](const auto& result) {
                                  device.result = result;
                                  then();
                              });
        } catch (const user_error& e) {  // no such host
            device.result = {outcome::no_answer, e.message};
            then();
        }
    }

    const shipment& what_;
    rollout_state& state_;
    std::size_t parallel_;
    progress_line line_;
    coap_node node_;
    timers clock_;
};

void summary(const std::vector<fleet_device>& devices, std::size_t before, double seconds) {
    std::map<std::string, std::size_t> counts;
    std::map<std::string, std::string> example;
    for (const auto& d : devices) {
        auto text = d.result ? std::string{word_of(d.result->how)} : "not tried";
        if (d.result && !good(d.result->how) && !d.result->words.empty())
            text += ": " + d.result->words;
        ++counts[text];
        example.try_emplace(text, d.uri);
    }
    std::printf("%zu devices", devices.size());
    if (before > 0) std::printf(", %zu of them done before", before);
    std::printf(", %.1f s\n", seconds);
    std::vector<std::pair<std::size_t, std::string>> order;
    for (const auto& [text, count] : counts) order.emplace_back(count, text);
    std::ranges::sort(order, std::greater{});
    for (const auto& [count, text] : order) {
        const bool fine = text == word_of(outcome::confirmed) || text == word_of(outcome::current) ||
                          text == word_of(outcome::on_trial) || text == "not tried";
        std::printf("  %6zu  %s%s%s\n", count, text.c_str(), fine ? "" : "; the first: ",
                    fine ? "" : example[text].c_str());
    }
}

}  // namespace

int deploy_fleet(const deploy_options& o) {
    const shipment what{o};
    auto devices = read_fleet(o.fleet);
    const auto path = !o.state.empty() ? o.state
                                       : o.fleet + "." +
                                             hex(digest_of(what.envelope)).substr(0, 8) + ".rollout";
    rollout_state state{path, what.envelope, devices};
    const auto before = static_cast<std::size_t>(
        std::ranges::count_if(devices, [](const auto& d) { return d.result.has_value(); }));
    const auto canaries = share(o.canary, devices.size(), true, "--canary");
    const auto all = std::span{devices};
    const auto begun = timers::now();
    if (o.connection.lose > 0) lose_messages(o.connection.lose);
    std::printf("sequence %llu for hook %s to %zu devices, %zu of them first, %u at a time\n",
                static_cast<unsigned long long>(what.view.manifest.sequence_number),
                hook_title(what.hook).c_str(), devices.size(), canaries, o.parallel);
    std::fflush(stdout);
    rollout go{what, state, o.parallel, o.quiet};
    const auto phase = [&](const char* name, std::span<fleet_device> part) {
        return go.phase(name, part, share(o.max_failures, part.size(), false, "--max-failures"));
    };
    const char* stopped = nullptr;
    if (!phase("canaries", all.first(canaries))) stopped = "stopped: too many canaries failed";
    else if (!phase("all", all.subspan(canaries))) stopped = "stopped: too many devices failed";
    summary(devices, before, (timers::now() - begun) / 1000.0);
    const bool whole = std::ranges::all_of(
        devices, [](const auto& d) { return d.result && good(d.result->how); });
    std::printf("%s\n", stopped != nullptr ? stopped : whole ? "complete" : "ended, with failures");
    if (!whole) std::printf("the same command goes on with those that are missing (%s)\n", path.c_str());
    return whole ? 0 : 1;
}

}  // namespace femto_tool
