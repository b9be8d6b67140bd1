// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/container.hpp>
#include <femto/plain_span.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace femto {

/// Which containers of a hook run, and which result counts. They run in the order of their places.
enum class hook_policy : std::uint8_t {
    all,               ///< every one; the result is that of the last
    stop_on_negative,  ///< until one returns a negative value, which is the result
    stop_on_positive,  ///< until one returns a positive value, which is the result
    first_only,        ///< the one in the first place that is taken
};

/// A region of firmware memory that a hook offers, under a number the firmware publishes.
struct region_offer {
    std::uint16_t id = 0;
    permission allowed = permission::read;
    plain_span<std::byte> bytes;
};

/// In the place of a list of helpers: every helper that the firmware has.
inline constexpr std::uint32_t every_helper[]{0xffffffff};

/// What a hook offers to some tenants; nothing that is not named.
struct tenant_offer {
    std::uint32_t tenants = 0xffffffff;  ///< bit n: tenant n
    std::uint32_t fuel = 0xffffffff;     ///< instructions a run, at most
    plain_span<const std::uint32_t> helpers{};  ///< their numbers
    plain_span<const region_offer> regions{};
    permission context = permission::read;
};

/// What firmware declares for a hook, usually `constexpr` and so in flash. The first offer that
/// names a tenant is that tenant's; without one it cannot attach.
struct hook_declaration {
    uuid id;
    hook_policy policy = hook_policy::all;
    plain_span<const tenant_offer> offers{};
};

/// What firing did.
struct hook_result {
    std::int64_t value = 0;  ///< as the policy says; 0 if none ran to its end
    std::uint8_t ran = 0;    ///< containers that ended their run
    std::uint8_t suspended = 0;
    std::uint8_t faulted = 0;
    std::uint8_t missed = 0;  ///< busy, waiting, backing off, throttled, or no machine free
};

/// What of a hook is the same whatever its context.
class hook_head {
public:
    [[nodiscard]] const hook_declaration& declaration() const { return declared_; }
    /// As of this moment; says nothing of what else was changed before.
    [[nodiscard]] bool empty() const { return attached_.load(std::memory_order_relaxed) == 0; }

protected:
    constexpr hook_head(const hook_declaration& declared, std::uint16_t places)
        : declared_{declared}, count_{places} {}

private:
    template <class, class, auto>
    friend class engine;
    const hook_declaration& declared_;
    std::atomic<std::uint16_t> attached_{0};  ///< written by attach and detach, inside the guard
    std::uint16_t count_;                     ///< of places
};

/// A place in the firmware that runs containers: `Places` of them at most. Context is the type that
/// firmware hands over; its bytes are what the containers see. With `std::span<std::byte>` it is
/// bytes whose number is known when the hook fires only. RAM: 8 bytes and 4 for each place on a
/// 32-bit core.
template <class Container, class Context, std::size_t Places = 2>
class hook : public hook_head {
    static_assert(Places >= 1 && Places <= 0xffff);
    static_assert(std::is_trivially_copyable_v<Context> &&
                      std::has_unique_object_representations_v<Context>,
                  "femto: a hook's context is plain bytes to the guest: no padding, which would "
                  "show it what lay there before, and no floating point, which it does not have");

public:
    using context_type = Context;
    constexpr explicit hook(const hook_declaration& declared)
        : hook_head{declared, std::uint16_t{Places}} {}
    hook(const hook&) = delete;
    hook& operator=(const hook&) = delete;

    [[nodiscard]] const Container* at(std::size_t place) const { return places_[place].load(); }

private:
    template <class, class, auto>
    friend class engine;
    std::array<std::atomic<Container*>, Places> places_{};
};

}  // namespace femto
