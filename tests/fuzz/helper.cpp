// SPDX-License-Identifier: Apache-2.0
// Helpers, those of the library and those of the model, called with any registers on any regions,
// overlapping ones too: only what may be written is written, r0 alone changes, and no sanitizer trips.
#include "fuzz.hpp"

#include "../model/machines.hpp"
#include "../unit/device.hpp"

#include <array>
#include <memory>

namespace {



constexpr std::size_t regions = 9;

struct layout {
    std::vector<std::byte> bytes[regions];
    femto::permission allowed[regions]{};
};

template <femto::address_space Space, class Helpers>
void call(std::span<const std::uint8_t> input) {
    fuzz::reader r{input.data(), input.size()};
    femto::guest_memory<Space, regions> memory;
    layout l;
    for (std::uint32_t n = 1; n < regions; ++n) {
        const unsigned how = r.byte();
        l.allowed[n] = static_cast<femto::permission>(how & 3);
        if ((how & 4) != 0 && n > 1) {  // a piece of the region before
            const auto whole = std::span{l.bytes[n - 1]};
            const std::size_t from = whole.empty() ? 0 : r.byte() % (whole.size() + 1);
            fuzz::require(memory.try_set(n, whole.subspan(from), l.allowed[n]), "a region that fits");
            continue;
        }
        l.bytes[n].resize(how >> 3);
        for (auto& b : l.bytes[n]) b = static_cast<std::byte>(r.byte());
        fuzz::require(memory.try_set(n, l.bytes[n], l.allowed[n]), "a region that fits");
    }
    std::array<std::uint64_t, 11> registers{};
    for (std::size_t n = 1; n <= 5; ++n) {
        const unsigned how = r.byte();
        if (how < 128) {  // a place near a region
            const auto base = memory.address_of(1 + how % (regions - 1));
            registers[n] = base + static_cast<std::uint64_t>(std::int64_t{r.value<std::int8_t>()});
        } else if (how < 192) {
            registers[n] = r.byte();
        } else {
            registers[n] = r.value<std::uint64_t>();
        }
    }
    const auto before_registers = registers;
    std::vector<std::byte> before[regions];
    for (std::size_t n = 0; n < regions; ++n) before[n] = l.bytes[n];

    test::device_platform platform;
    std::vector<std::byte> response(r.byte());
    platform.coap = femto::helpers::coap_response{response, r.byte()};
    platform.time = r.value<std::uint32_t>();
    femto::environment<test::device_platform> around{.platform = &platform, .tenant = 1};
    const auto& p = Helpers::prototypes[r.byte() % Helpers::prototypes.size()];
    femto::caller from{1000, &around,
                       &femto::caller::type_of<femto::environment<test::device_platform>>};
    std::uint64_t address = 0;
    const auto code = Helpers::call(p.id, from, registers.data(), memory, address);
    fuzz::require(code == femto::errc::ok || code == femto::errc::illegal_memory, "another error");
    for (std::size_t n = 1; n < 11; ++n) {
        fuzz::require(registers[n] == before_registers[n], "a register other than r0");
    }
    // A byte changes only if some region lets it be written.
    for (std::size_t n = 1; n < regions; ++n) {
        for (std::size_t k = 0; k < before[n].size(); ++k) {
            if (l.bytes[n][k] == before[n][k]) continue;
            bool writable = false;
            for (std::uint32_t m = 1; m < regions; ++m) {
                const auto base = memory.address_of(m);
                const auto* at = memory.template locate<true>(base, 1).at;
                if (memory.writable(m) == 0) continue;
                if (at == nullptr) continue;
                writable = writable || (&l.bytes[n][k] >= at && &l.bytes[n][k] < at + memory.writable(m));
            }
            fuzz::require(writable, "a byte that may not be written");
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::span input{data, size};
    using enum femto::address_space;
    call<segmented, test::device_helpers>(input);
    call<flat, test::device_helpers>(input);
    call<segmented, model::helpers::all>(input);
    call<flat, model::helpers::all>(input);
    return 0;
}
