// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "commands.hpp"
#include "device_fetch.hpp"
#include "files.hpp"
#include "host_port.hpp"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>

namespace femto_tool {
namespace {

struct listening_device {
    device_model model;
    device_fetch fetch;
    listening_device(device_setup& setup, const std::string& folder, coap_node& node)
        : model{setup, folder}, fetch{node, model} {}
};

std::uint32_t milliseconds() {
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
}

void introduce(const device_setup& setup, const device_options& o, const std::string& uri) {
    std::printf("%s  %s of %s\n", uri.c_str(), o.device_class.c_str(), o.vendor.c_str());
    for (const auto& hook : device_hooks) {
        std::printf("  hook %-10s fires %s; %s may update it\n", std::string{hook.name}.c_str(),
                    std::string{hook.when}.c_str(),
                    setup.name_of(setup.owner_of(hook.id)).c_str());
    }
    std::printf("  slots in %s; stop with Ctrl-C\n",
                o.state.empty() ? "memory, forgotten at the end" : o.state.c_str());
}

}  // namespace

int device(const device_options& o) {
    start_crypto();
    device_setup setup{o.trust, o.vendor, o.device_class};
    const host_port where{o.listen};
    if (o.lose > 0) lose_messages(o.lose);
    coap_node node;
    std::map<std::uint16_t, std::unique_ptr<listening_device>> devices;
    std::string list;
    for (unsigned n = 0; n < o.count; ++n) {
        auto folder = o.state;
        if (!folder.empty()) {
            if (o.count > 1) folder += "/" + std::to_string(n + 1);
            std::filesystem::create_directories(folder);
        }
        auto made = std::make_unique<listening_device>(setup, folder, node);
        const auto port = node.listen(
            where.host, static_cast<std::uint16_t>(where.port == 0 ? 0 : where.port + n));
        const auto uri = "coap://" + where.with_port(port);
        if (n == 0) introduce(setup, o, uri);
        list += uri + "\n";
        devices[port] = std::move(made);
    }
    if (o.count > 1) std::printf("and %u more like it\n", o.count - 1);
    std::fflush(stdout);
    node.serve(
        [&](const coap_request& request) -> coap_reply {
            const auto found = devices.find(request.local_port);
            return found == devices.end() ? coap_reply{404} : found->second->model.handle(request);
        },
        {"suit", "status", "value"});
    if (!o.list.empty()) write_file(o.list, octets{list.begin(), list.end()});
    // A thousand devices need not be as quick as one.
    const std::uint32_t period = o.count > 50 ? 50 : 5;
    for (auto next = milliseconds();;) {
        const auto now = milliseconds();
        if (static_cast<std::int32_t>(now - next) >= 0) {
            next = now + period;
            for (auto& [port, one] : devices) {
                one->model.tick(now);
                one->fetch.poll(now);
            }
        }
        const auto left = static_cast<std::int32_t>(next - milliseconds());
        node.run(left > 0 ? static_cast<std::uint32_t>(left) : 0);
    }
}

}  // namespace femto_tool
