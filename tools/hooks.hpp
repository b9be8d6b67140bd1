// SPDX-License-Identifier: Apache-2.0
// Names of hooks: UUIDs as text, and the hooks of `femto device`.
#pragma once

#include <femto/image.hpp>

#include <string>
#include <string_view>

namespace femto_tool {

/// 8-4-4-4-12 hexadecimal digits. False if `text` is something else.
[[nodiscard]] bool parse_uuid(std::string_view text, femto::uuid& to);
[[nodiscard]] std::string to_string(const femto::uuid& id);

inline constexpr femto::uuid scheduler_hook = femto::small_uuid(1);
inline constexpr femto::uuid timer_hook = femto::small_uuid(2);
inline constexpr femto::uuid coap_hook = femto::small_uuid(3);

struct hook_info {
    std::string_view name;
    femto::uuid id;
    std::string_view when;  ///< it fires
};
inline constexpr hook_info device_hooks[]{
    {"scheduler", scheduler_hook, "at each switch of threads"},
    {"timer", timer_hook, "every 100 ms"},
    {"coap", coap_hook, "when somebody GETs coap://device/value"},
};

/// A UUID, or the name of a hook.
[[nodiscard]] bool hook_named(std::string_view text, femto::uuid& to);
/// "scheduler, timer, coap".
[[nodiscard]] std::string hook_names();
/// The name if it has one, otherwise the UUID.
[[nodiscard]] std::string hook_title(const femto::uuid& id);

}  // namespace femto_tool
