// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fuzz.hpp"

#include <femto/update/ram_storage.hpp>
#include <femto/update/updater.hpp>

namespace fuzz {

/// A component of real slots that takes any image but those that begin with 0xff, and sees that an
/// updater keeps to its order.
struct any_component {
    using slots_type = femto::update::component_slots<femto::update::ram_storage<2048>,
                                                      femto::update::sha256, 512>;
    femto::update::bytes name;
    femto::update::ram_storage<2048> storage{};
    slots_type kept{storage};
    unsigned prepared = 0;

    [[nodiscard]] femto::update::bytes id() const { return name; }
    slots_type& slots() { return kept; }
    bool ready() { return true; }
    femto::result<void> prepare(std::uint8_t slot, std::uint32_t size) {
        std::uint8_t first = 0;
        require(size > 0 && size <= slots_type::capacity, "a size that fits");
        require(kept.read(slot, 0, {&first, 1}), "the slot can be read");
        if (first == 0xff) return femto::fail(femto::errc::image_bad_magic);
        ++prepared;
        return {};
    }
    femto::result<void> activate() {
        require(prepared-- > 0, "only what was prepared is activated");
        require(kept.boot()->active != femto::update::slot_record::none, "what is activated would boot");
        return {};
    }
    void discard() { prepared = 0; }
    void poll() {}
};

}  // namespace fuzz
