// SPDX-License-Identifier: Apache-2.0
#include "../../../ports/riscv/femto_port.hpp"
#include "../firmware.hpp"

namespace {
/// Keys of the firmware: nobody writes them while a program runs.
alignas(64) std::array<std::byte, 64> keys;
}  // namespace

int femto_main() {
    const femto::port::guarded pieces[]{{keys.data(), keys.size(), femto::port::access::read}};
    return example::run<femto::port::riscv::memory_guard>(pieces);
}
