// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/container.hpp>
#include <femto/environment.hpp>
#include <femto/tenant.hpp>
#include <femto/vm.hpp>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

namespace femto {

/// The machines that containers run on: `lanes` for those that run to their end, `sleepers` for
/// those that suspend, so that a sleeper cannot take the machine that another's event needs.
template <class Platform, class Helpers, auto Config>
class lane_pool {
public:
    using guard = typename Platform::guard;
    using machine = vm<Config.machine, Helpers>;
    using container = femto::container<typename machine::verified, guard>;

    struct lane {
        machine m;
        environment<Platform> env;
        shared_word<guard> busy;
        std::uint32_t run_used = 0;  ///< instructions of this run, or since the last wait
        /// Whose stack, memory and environment the machine has.
        std::atomic<const container*> installed{nullptr};
    };

    constexpr explicit lane_pool(Platform& platform) {
        for (auto& l : lanes_) {
            l.env.platform = &platform;
            l.m.set_host(l.env);
        }
    }

    [[nodiscard]] lane& of(const container& c) { return lanes_[c.lane_]; }

    /// A machine for a run; nullptr if none is free.
    lane* acquire() { return first_free(0, Config.lanes); }
    /// The same for one that may suspend.
    lane* acquire_sleeper() { return first_free(Config.lanes, Config.lanes + Config.sleepers); }
    static void release(lane& l) { l.busy.store(0); }
    [[nodiscard]] std::uint8_t number_of(const lane& l) const {
        return static_cast<std::uint8_t>(&l - lanes_.data());
    }

    /// Makes the machine that of `c`: its stack is zeroed, its regions have numbers as it asked for them.
    void install(lane& l, const container& c, const tenant_quota& quota) {
        l.installed.store(nullptr, std::memory_order_relaxed);
        l.env.account = {c.tenant_, quota.store_entries};
        l.env.container = c.number_;
        l.env.tenant = c.tenant_;
        l.m.forget();
        for (std::uint32_t n = region_number::first_free; n < Config.machine.max_regions; ++n) {
            l.m.unmap(l.m.memory().address_of(n));
        }
        for (const auto& r : c.regions()) {
            // `load` has looked whether there is room. An empty region takes a number, too.
            const std::span<std::byte> nothing{reinterpret_cast<std::byte*>(&l), 0};
            static_cast<void>(l.m.map(r.bytes.empty() ? nothing : r.bytes, r.allowed));
        }
        l.installed.store(&c, std::memory_order_relaxed);
    }
    /// No machine is that of `c` any more, which does not run: it is to be another's, or to have other
    /// memory. At worst a machine that another one has just made its own is made so again.
    void uninstall(const container& c) {
        for (auto& l : lanes_) {
            if (l.installed.load(std::memory_order_relaxed) == &c) forget(l);
        }
    }
    void uninstall_all() {
        for (auto& l : lanes_) forget(l);
    }

private:
    FEMTO_ALWAYS_INLINE lane* first_free(std::uint32_t first, std::uint32_t last) {
        for (lane* l = &lanes_[first]; l != lanes_.data() + last; ++l) {
            if (l->busy.try_set()) return l;
        }
        return nullptr;
    }
    static void forget(lane& l) { l.installed.store(nullptr, std::memory_order_relaxed); }
    std::array<lane, Config.lanes + Config.sleepers> lanes_{};
};

}  // namespace femto
