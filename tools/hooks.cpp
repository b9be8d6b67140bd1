// SPDX-License-Identifier: Apache-2.0
#include "hooks.hpp"

namespace femto_tool {

bool parse_uuid(std::string_view text, femto::uuid& to) {
    constexpr std::string_view shape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    if (text.size() != shape.size()) return false;
    std::size_t digits = 0;
    for (std::size_t n = 0; n < text.size(); ++n) {
        const char c = text[n];
        if (shape[n] == '-') {
            if (c != '-') return false;
            continue;
        }
        const int value = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (value < 0) return false;
        auto& byte = to.bytes[digits++ / 2];
        byte = static_cast<std::uint8_t>(byte << 4 | value);
    }
    return true;
}

std::string to_string(const femto::uuid& id) {
    std::string text;
    for (std::size_t n = 0; n < id.bytes.size(); ++n) {
        if (n == 4 || n == 6 || n == 8 || n == 10) text += '-';
        text += "0123456789abcdef"[id.bytes[n] >> 4];
        text += "0123456789abcdef"[id.bytes[n] & 15];
    }
    return text;
}

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
