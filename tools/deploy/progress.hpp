// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace femto_tool {

/// A line on the terminal that is written again and again; nothing if it is no terminal.
class progress_line {
public:
    explicit progress_line(bool quiet) : on_{!quiet && isatty(STDERR_FILENO) == 1} {}
    ~progress_line() { clear(); }
    progress_line(const progress_line&) = delete;

    void show(const std::string& what, std::uint64_t done, std::uint64_t of) {
        if (!on_) return;
        if (of == 0) {
            std::fprintf(stderr, "\r\033[K%s ...", what.c_str());
        } else {
            constexpr std::uint64_t width = 30;
            const auto filled = static_cast<std::size_t>(done * width / of);
            std::fprintf(stderr, "\r\033[K%s [%s%s] %llu of %llu", what.c_str(),
                         std::string(filled, '#').c_str(), std::string(width - filled, '.').c_str(),
                         static_cast<unsigned long long>(done), static_cast<unsigned long long>(of));
        }
        std::fflush(stderr);
    }
    void clear() {
        if (on_) std::fprintf(stderr, "\r\033[K");
    }

private:
    bool on_;
};

}  // namespace femto_tool
