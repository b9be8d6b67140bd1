// SPDX-License-Identifier: Apache-2.0
// The library and the port of the ESP32 for the windowed ABI: compiled by clang 22 to assembly, as Debian has
// no assembler for it. Not run.
#include "../../ports/esp32/femto_port.hpp"

#include <femto/elf.hpp>
#include <femto/femto.hpp>

using namespace femto;

namespace {
using guest = vm<config{}, helper_set<>>;
guest m;
}  // namespace

result<guest::verified> verify_it(const program& p, std::span<std::uint8_t> scratch) {
    return guest::verify(p, scratch);
}

std::uint64_t run_it(const guest::verified& p) {
    const port::xtensa::cycle_counter cycles;
    const auto before = cycles.now();
    const port::xtensa::critical_section section;
    const port::guarded pieces[]{{&m, 64, port::access::read}};
    const port::xtensa::memory_guard guard{pieces};
    return m.run(p, p.entry(), 100).value_or(0) + (cycles.now() - before);
}
