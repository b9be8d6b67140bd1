// SPDX-License-Identifier: Apache-2.0
// One machine; compiled once for each combination of FEMTO_DISPATCH, FEMTO_SPACE and FEMTO_PREPARES.
#include "engine.hpp"

#include "../workloads/helpers.hpp"

#include <optional>
#include <type_traits>

namespace bench {
namespace {

constexpr femto::config configured = [] {
    femto::config c;
    c.dispatch = femto::dispatch::FEMTO_DISPATCH;
    c.address_space = femto::address_space::FEMTO_SPACE;
    c.max_regions = 40;
    return c;
}();

template <femto::config Configured, bool Prepares>
class one_engine final : public engine {
    using machine = femto::vm<Configured, workloads::helpers>;
    using verified = typename machine::verified;
    using runnable = std::conditional_t<Prepares, typename machine::prepared, verified>;

public:
    femto::result<void> load(const femto::program& p, std::string_view function) override {
        scratch_.resize(p.text.size());
        const auto checked = machine::verify(p, scratch_);
        if (!checked.has_value()) return femto::failure{checked.error()};
        verified_.emplace(*checked);
        const auto entry = function.empty() ? femto::result<femto::entry_point>{verified_->entry()}
                                            : verified_->entry(function);
        if (!entry.has_value()) return femto::failure{entry.error()};
        entry_.emplace(*entry);
        if constexpr (Prepares) {
            code_.resize(p.text.size());
            const auto prepared = machine::prepare(*verified_, code_);
            if (!prepared.has_value()) return femto::failure{prepared.error()};
            runnable_.emplace(*prepared);
        } else {
            runnable_.emplace(*verified_);
        }
        return {};
    }
    femto::result<std::uint64_t> run(std::span<std::byte> context, std::uint32_t fuel) override {
        return machine_.run(*runnable_, *entry_, context, fuel);
    }
    femto::result<std::uint64_t> resume(std::uint32_t fuel) override {
        return machine_.resume(*runnable_, fuel);
    }
    std::uint32_t executed() const override { return machine_.executed(); }
    femto::address_space space() const override { return Configured.address_space; }
    std::uint64_t map(std::span<std::byte> bytes) override {
        const auto address = machine_.map(bytes, femto::permission::read_write);
        return address.has_value() ? *address : 0;
    }

private:
    std::vector<std::uint8_t> scratch_;
    std::optional<verified> verified_;
    std::vector<femto::prepared_instruction> code_;
    std::optional<runnable> runnable_;
    std::optional<femto::entry_point> entry_;
    machine machine_;
};

}  // namespace

std::unique_ptr<engine> FEMTO_MAKE() { return std::make_unique<one_engine<configured, FEMTO_PREPARES>>(); }

}  // namespace bench
