// SPDX-License-Identifier: Apache-2.0
// The machines that every behaviour is tested on: each dispatcher in each address space.
#pragma once

#include "instructions.hpp"

#include <femto/vm.hpp>

#include <array>
#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace test {

/// A machine that prepares each program before it runs it.
template <femto::config Config, class Helpers>
class preparing_vm : public femto::vm<Config, Helpers> {
    using base = femto::vm<Config, Helpers>;

public:
    using typename base::verified;

    template <class Context>
    femto::result<std::uint64_t> run(const verified& p, femto::entry_point at, Context&& context,
                                     std::uint32_t fuel) {
        const auto made = base::prepare(p, code);
        if (!made.has_value()) return femto::failure{made.error()};
        return base::run(*made, at, std::forward<Context>(context), fuel);
    }
    femto::result<std::uint64_t> run(const verified& p, femto::entry_point at, std::uint32_t fuel) {
        return run(p, at, std::span<std::byte>{}, fuel);
    }
    femto::result<std::uint64_t> resume(const verified& p, std::uint32_t fuel) {
        const auto made = base::prepare(p, code);
        if (!made.has_value()) return femto::failure{made.error()};
        return base::resume(*made, fuel);
    }

private:
    static inline std::array<femto::prepared_instruction, Config.max_instructions> code;
};

/// One kind of machine; a test makes its own of it by giving the helpers.
template <femto::config Config, bool Prepares>
struct kind {
    static constexpr femto::config value = Config;
    static constexpr bool prepares = Prepares;
    template <class Helpers = femto::helper_set<>>
    using vm = std::conditional_t<Prepares, preparing_vm<Config, Helpers>,
                                  femto::vm<Config, Helpers>>;
};
inline constexpr unsigned kinds = 6;

/// `Base` in each combination of dispatcher, form of code and address space; `Check` is a generic
/// lambda that gets a `kind`.
template <femto::config Base, class Check>
void on_every_vm(Check&& check) {
    auto with = []<femto::dispatch Dispatch, bool Prepares>(Check& c) {
        constexpr auto in = [](femto::address_space space) {
            femto::config changed = Base;
            changed.dispatch = Dispatch;
            changed.address_space = space;
            return changed;
        };
        c(kind<in(femto::address_space::segmented), Prepares>{});
        c(kind<in(femto::address_space::flat), Prepares>{});
    };
    using enum femto::dispatch;
    with.template operator()<compact, false>(check);
    with.template operator()<threaded, false>(check);
    with.template operator()<threaded, true>(check);
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
