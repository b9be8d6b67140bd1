// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>

namespace femto_tool {

/// Functions to be called later.
class timers {
public:
    [[nodiscard]] static std::uint32_t now() {
        return static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now().time_since_epoch() - start_).count());
    }
    void after(std::uint32_t milliseconds, std::function<void()> then) {
        waiting_.emplace(now() + milliseconds, std::move(then));
    }
    /// Calls what is due.
    void run() {
        while (!waiting_.empty() && waiting_.begin()->first <= now()) {
            auto then = std::move(waiting_.begin()->second);
            waiting_.erase(waiting_.begin());
            then();
        }
    }

private:
    static inline const auto start_ = std::chrono::steady_clock::now().time_since_epoch();
    std::multimap<std::uint32_t, std::function<void()>> waiting_;
};

}  // namespace femto_tool
