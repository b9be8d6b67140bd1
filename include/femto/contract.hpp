// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/hook.hpp>
#include <femto/tenant.hpp>

#include <algorithm>
#include <cstdint>
#include <span>

namespace femto {

[[nodiscard]] constexpr failure exceeded(contract_part part) {
    return fail(errc::contract_exceeded, 0, static_cast<std::uint64_t>(part));
}

/// What a hook offers to a tenant. Errors: contract_exceeded (offer).
[[nodiscard]] constexpr result<const tenant_offer*> offer_for(const hook_declaration& hook,
                                                              std::uint8_t tenant) {
    for (const auto& offer : hook.offers) {
        if ((offer.tenants >> tenant & 1) != 0) return &offer;
    }
    return exceeded(contract_part::offer);
}

/// The number of the entry that an image has for a hook. Errors: wrong_hook.
[[nodiscard]] constexpr result<std::uint8_t> entry_for(const hook_declaration& hook, const image& i) {
    for (std::uint32_t n = 0; n < i.entries(); ++n) {
        if (i.entry_hook(n) == hook.id) return static_cast<std::uint8_t>(n);
    }
    return fail(errc::wrong_hook);
}

/// Finds the regions that an image asks for in an offer; `to` has one element for each.
/// Errors: contract_exceeded (region): not offered, or not so.
[[nodiscard]] constexpr result<void> grant_regions(const tenant_offer& offer, const image& i,
                                                   std::span<granted_region> to) {
    for (std::uint32_t n = 0; n < i.regions(); ++n) {
        const auto wanted = i.region(n);
        const auto found = std::ranges::find(offer.regions, wanted.id, &region_offer::id);
        const auto bits = static_cast<unsigned>(wanted.wanted);
        if (found == offer.regions.end() || (bits & ~static_cast<unsigned>(found->allowed)) != 0) {
            return exceeded(contract_part::region);
        }
        to[n] = {found->bytes, wanted.wanted};
    }
    return {};
}

/// Whether a tenant may have one more container. `ram` is what it costs. Errors: tenant_quota.
template <critical_section Guard>
[[nodiscard]] result<void> within_quota(const tenant<Guard>& owner, std::uint32_t ram,
                                        std::uint32_t store_entries) {
    const auto over = [](contract_part part) {
        return fail(errc::tenant_quota, 0, static_cast<std::uint64_t>(part));
    };
    const auto& quota = owner.quota();
    if (store_entries > quota.store_entries) return over(contract_part::stores);
    if (owner.containers() >= quota.containers) return over(contract_part::containers);
    if (ram > quota.ram || owner.ram() > quota.ram - ram) return over(contract_part::ram);
    return {};
}

}  // namespace femto
