// SPDX-License-Identifier: Apache-2.0
// What a rollout is about: its devices, and what became of each, in a file that survives.
#pragma once

#include "deployment.hpp"

#include <optional>
#include <string>
#include <vector>

namespace femto_tool {

struct fleet_device {
    std::string uri;
    std::optional<deployment_result> result{};
};

/// "5%" of `whole` or a number, at most `whole`; a percentage is rounded up or down. Throws
/// user_error, which names `option`.
[[nodiscard]] std::size_t share(const std::string& text, std::size_t whole, bool up,
                                const char* option);

/// A line for each device: URI, blanks or # comments. Throws user_error with the line.
[[nodiscard]] std::vector<fleet_device> read_fleet(const std::string& path);

/// The file that a rollout goes on from: one line for each device that is done,
/// "RESULT<TAB>URI<TAB>WORDS", after a line that names the envelope.
class rollout_state {
public:
    /// Makes the file, or takes the results in it into `devices`; those that failed will be tried
    /// again. Throws user_error, also if it belongs to another envelope.
    rollout_state(const std::string& path, const octets& envelope,
                  std::vector<fleet_device>& devices);
    rollout_state(const rollout_state&) = delete;
    ~rollout_state();
    /// Written at once, so that nothing is lost when this process is killed.
    void add(const fleet_device& device);

private:
    std::FILE* file_;
};

}  // namespace femto_tool
