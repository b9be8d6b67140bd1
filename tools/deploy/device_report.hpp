// SPDX-License-Identifier: Apache-2.0
// What a device says about itself at coap://device/status: CBOR, arrays in the order of the members
// below (docs/deploying.md). Strict when it is read: a device's answer is not trusted either.
#pragma once

#include "cbor_writer.hpp"

#include <femto/container.hpp>

#include <optional>
#include <string>
#include <vector>

namespace femto_tool {

struct component_report {
    femto::uuid hook{};
    std::string name{};    ///< of the hook
    std::string tenant{};  ///< who may update it
    std::uint64_t sequence = 0;
    bool installed = false, on_trial = false, reverted = false;
    std::uint64_t image_size = 0;  ///< 0: nothing runs
    femto::container_state state{};
    std::uint64_t runs = 0, instructions = 0, longest_run = 0, stack = 0;
    std::uint64_t faults = 0, missed = 0, throttled = 0;
    femto::error last_fault{};
    femto::error trial_fault{};  ///< why the last trial failed
};

struct device_report {
    femto::uuid vendor{}, device_class{};
    std::uint64_t uptime = 0;  ///< milliseconds
    bool updating = false;
    std::uint64_t received = 0, size = 0;  ///< of what is being received or fetched
    femto::error last_error{};             ///< of the last update; ok if it succeeded
    femto::error cause{};                  ///< with update_program_rejected: why
    std::string note{};                    ///< what else is known about the failure
    std::uint64_t accepted = 0, refused = 0;
    std::vector<component_report> components{};
};

[[nodiscard]] octets write_report(const device_report& report);
[[nodiscard]] std::optional<device_report> read_report(const octets& data);

/// The state in a word: "running" for a container that waits for its next event.
[[nodiscard]] const char* word_of(femto::container_state state);

}  // namespace femto_tool
