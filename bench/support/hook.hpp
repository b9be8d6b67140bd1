// SPDX-License-Identifier: Apache-2.0
// A device with one hook, empty or with the paper's thread counter on it, for benchmarks of firing.
#pragma once

#include <femto/engine.hpp>
#include <femto/helpers/store.hpp>
#include <femto/image_writer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace bench {

template <femto::config Machine, femto::critical_section Guard>
class hooked_device {
public:
    /// What the scheduler hands over.
    struct thread_switch {
        std::uint64_t previous;
        std::uint64_t next;
    };
    hooked_device() = default;

    /// Hangs the counter on the hook; false if that is refused.
    bool attach_counter() {
        using femto::instruction;
        // if (next) { fetch_global(next, &count); store_global(next, count + 1); } return 0;
        static constexpr std::array text{
            instruction::make(0x79, 6, 1, 8),         // r6 = next
            instruction::make(0x15, 6, 0, 8, 0),      // if r6 == 0 goto leave
            instruction::make(0xbf, 1, 6),            // r1 = r6
            instruction::make(0xbf, 2, 10),           // r2 = r10 - 8
            instruction::make(0x07, 2, 0, 0, -8),
            instruction::make(0x85, 0, 0, 0, 0x13),   // fetch_global
            instruction::make(0x61, 2, 10, -8),       // r2 = count + 1
            instruction::make(0x07, 2, 0, 0, 1),
            instruction::make(0xbf, 1, 6),            // r1 = r6
            instruction::make(0x85, 0, 0, 0, 0x11),   // store_global
            instruction::make(0xb7, 0, 0, 0, 0),      // leave: r0 = 0
            instruction::make(0x95)};
        static constexpr femto::image_contents::entry entry{femto::small_uuid(1), 0};
        const auto written = femto::write_image(
            {text, {}, {}, 0, {&entry, 1}, {}, helpers_used, {1000, 64, 4, false}}, flash_);
        const auto image = femto::parse_image(flash_);
        return written && image && engine_.load(counter_, 0, *image, {{}, marks_, {}}) &&
               engine_.attach(hook_, counter_);
    }
    /// Fires the hook; containers that ran.
    std::uint8_t fire(thread_switch& s) { return engine_.fire(hook_, s).ran; }
    /// How often the counter saw `thread`.
    std::uint32_t count(std::uint32_t thread) const { return platform_.stores.fetch({}, thread); }

private:
    struct platform {
        using guard = Guard;
        femto::store_pool<12, Guard> stores;
    };
    static constexpr femto::engine_config configured{.machine = Machine};
    using engine = femto::engine<platform, femto::helpers::stores<platform>, configured>;
    static constexpr std::uint32_t helpers_used[]{0x11, 0x13};
    static constexpr femto::tenant_offer offer[]{{.helpers = helpers_used}};
    static constexpr femto::hook_declaration declared{femto::small_uuid(1),
                                                      femto::hook_policy::all, offer};

    platform platform_{};
    engine engine_{platform_};
    typename engine::template hook<thread_switch, 1> hook_{declared};
    typename engine::container counter_{};
    alignas(8) std::array<std::byte, 256> flash_{};
    std::array<std::uint8_t, 32> marks_{};
};

}  // namespace bench
