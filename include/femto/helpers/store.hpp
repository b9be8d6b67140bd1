// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/environment.hpp>
#include <femto/helper.hpp>

namespace femto::helpers {

namespace detail {

template <class Platform>
[[nodiscard]] constexpr store_scope scope_of(const environment<Platform>& e, store_kind kind) {
    if (kind == store_kind::global) return {kind, 0};
    return {kind, kind == store_kind::local ? e.container : e.tenant};
}

template <class Platform, store_kind Kind>
std::int32_t store(caller& c, std::uint32_t key, std::uint32_t value) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr) return -1;
    const auto r = e->platform->stores.store(scope_of(*e, Kind), e->account, key, value);
    return r ? 0 : static_cast<std::int32_t>(r.error().code);
}
template <class Platform, store_kind Kind>
std::int32_t fetch(caller& c, std::uint32_t key, guest_ref<std::uint32_t> value) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr) return -1;
    value.set(e->platform->stores.fetch(scope_of(*e, Kind), key));
    return 0;
}
template <class Platform, store_kind Kind>
std::int32_t add(caller& c, std::uint32_t key, std::uint32_t value,
                 guest_ref<std::uint32_t> before) {
    auto* e = c.host<environment<Platform>>();
    if (e == nullptr) return -1;
    const auto r = e->platform->stores.add(scope_of(*e, Kind), e->account, key, value);
    if (!r) return static_cast<std::int32_t>(r.error().code);
    before.set(*r);
    return 0;
}

}  // namespace detail

/// The stores. 0x10 to 0x13 are those of Femto-Containers (store: key, value; fetch: key, pointer to
/// u32); 0x14 and 0x15 are the tenant's store; 0x18 to 0x1a add in one step (key, value, pointer to
/// u32 that gets the value before). Return 0, or errc::store_full or store_quota.
template <class Platform>
using stores = helper_set<
    helper<0x10, "store_local", &detail::store<Platform, store_kind::local>>,
    helper<0x11, "store_global", &detail::store<Platform, store_kind::global>>,
    helper<0x12, "fetch_local", &detail::fetch<Platform, store_kind::local>>,
    helper<0x13, "fetch_global", &detail::fetch<Platform, store_kind::global>>,
    helper<0x14, "store_tenant", &detail::store<Platform, store_kind::tenant>>,
    helper<0x15, "fetch_tenant", &detail::fetch<Platform, store_kind::tenant>>,
    helper<0x18, "add_local", &detail::add<Platform, store_kind::local>>,
    helper<0x19, "add_global", &detail::add<Platform, store_kind::global>>,
    helper<0x1a, "add_tenant", &detail::add<Platform, store_kind::tenant>>>;

}  // namespace femto::helpers
