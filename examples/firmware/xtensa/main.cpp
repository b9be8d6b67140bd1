// SPDX-License-Identifier: Apache-2.0
#include "../../../ports/esp32/femto_port.hpp"
#include "../firmware.hpp"

namespace {
/// A key of the firmware: nobody writes it while a program runs. 64 bytes are what one data breakpoint
/// watches.
alignas(64) std::array<std::byte, 64> key;
}  // namespace

int femto_main() {
    const femto::port::guarded pieces[]{{key.data(), key.size(), femto::port::access::read}};
    return example::run<femto::port::xtensa::memory_guard>(pieces);
}
