// SPDX-License-Identifier: Apache-2.0
// On the host the scheduler is a thread that switches between three imaginary ones, while main goes on.
#include "threads.hpp"

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace threads {
namespace {
std::recursive_mutex mutex;
std::atomic<bool> running{false};
std::thread timer;
}  // namespace

void (*on_switch)(std::uint32_t, std::uint32_t) = nullptr;

void start(void (*)(), void (*)()) {
    running = true;
    timer = std::thread{[] {
        for (std::uint32_t n = 0; running; ++n) {
            on_switch(n % 3 + 1, (n + 1) % 3 + 1);
            std::this_thread::sleep_for(std::chrono::microseconds{20});
        }
    }};
}
void stop() {
    running = false;
    timer.join();
}
std::uint32_t instructions() { return 0; }
critical_section::critical_section() { mutex.lock(); }
critical_section::~critical_section() { mutex.unlock(); }

}  // namespace threads
