// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../container.hpp"

#include <cstdint>
#include <string>

namespace femto_tool {

/// `HOST:PORT`, `[IPv6]:PORT`; port 0 lets the system choose. Throws user_error.
struct host_port {
    std::string host;
    std::uint16_t port = 5683;

    explicit host_port(const std::string& text) {
        const auto colon = text.rfind(':');
        const auto digits = colon == text.npos ? "" : text.substr(colon + 1);
        host = text.substr(0, colon);
        if (host.size() > 2 && host.front() == '[' && host.back() == ']')
            host = host.substr(1, host.size() - 2);
        if (host.empty() || digits.empty() || digits.size() > 5 ||
            digits.find_first_not_of("0123456789") != digits.npos || std::stoul(digits) > 65535) {
            throw user_error{text + ": write HOST:PORT, with port 0 for any free one"};
        }
        port = static_cast<std::uint16_t>(std::stoul(digits));
    }
    /// As in a URI.
    [[nodiscard]] std::string with_port(std::uint16_t actual) const {
        return (host.find(':') == host.npos ? host : "[" + host + "]") + ":" +
               std::to_string(actual);
    }
};

}  // namespace femto_tool
