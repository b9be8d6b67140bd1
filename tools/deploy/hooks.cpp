// SPDX-License-Identifier: Apache-2.0
#include "hooks.hpp"

#include "uuid.hpp"

namespace femto_tool {

bool hook_named(std::string_view text, femto::uuid& to) {
    for (const auto& hook : device_hooks) {
        if (hook.name == text) return to = hook.id, true;
    }
    return parse_uuid(text, to);
}

std::string hook_names() {
    std::string all;
    for (const auto& hook : device_hooks) all += (all.empty() ? "" : ", ") + std::string{hook.name};
    return all;
}

std::string hook_title(const femto::uuid& id) {
    for (const auto& hook : device_hooks)
        if (hook.id == id) return std::string{hook.name};
    return to_string(id);
}

}  // namespace femto_tool
