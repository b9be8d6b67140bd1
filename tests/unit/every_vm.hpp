// SPDX-License-Identifier: Apache-2.0
// The machines that every behaviour is tested on: each dispatcher in each address space.
#pragma once

#include <femto/vm.hpp>

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace test {

/// `Base` in each combination of dispatcher and address space; `Check` is a generic lambda that gets
/// the configuration as a type with a `value`.
template <femto::config Base, class Check>
void on_every_vm(Check&& check) {
    auto with = []<femto::dispatch Dispatch, femto::address_space Space>(Check& c) {
        constexpr femto::config configured = [] {
            femto::config changed = Base;
            changed.dispatch = Dispatch;
            changed.address_space = Space;
            return changed;
        }();
        c(std::integral_constant<femto::config, configured>{});
    };
    using enum femto::dispatch;
    using enum femto::address_space;
    with.template operator()<compact, segmented>(check);
    with.template operator()<compact, flat>(check);
    with.template operator()<threaded, segmented>(check);
    with.template operator()<threaded, flat>(check);
}

constexpr femto::instruction op(std::uint8_t opcode, unsigned dst = 0, unsigned src = 0,
                             std::int32_t offset = 0, std::int32_t imm = 0) {
    return femto::instruction::make(opcode, dst, src, offset, imm);
}

/// A verified program with the storage that it needs.
template <class Vm>
class loaded {
public:
    explicit loaded(std::vector<femto::instruction> text, std::span<const std::byte> rodata = {},
                    std::span<std::byte> data = {})
        : text_{std::move(text)}, scratch_(text_.size()), rodata_{rodata}, data_{data} {}

    [[nodiscard]] auto verify() {
        return Vm::verify({text_, rodata_, data_, {}}, scratch_);
    }

private:
    std::vector<femto::instruction> text_;
    std::vector<std::uint8_t> scratch_;
    std::span<const std::byte> rodata_;
    std::span<std::byte> data_;
};

}  // namespace test
