// SPDX-License-Identifier: Apache-2.0
// What the tests of threads share: a critical section of this process, and a check.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <mutex>

namespace test {

/// Recursive, as a section on a device is: an engine's may be inside a store's.
struct lock {
    static inline std::recursive_mutex mutex;
    lock() { mutex.lock(); }
    ~lock() { mutex.unlock(); }
};

inline void require(bool good, const char* what) {
    if (good) return;
    std::fprintf(stderr, "failed: %s\n", what);
    std::exit(1);
}

}  // namespace test
