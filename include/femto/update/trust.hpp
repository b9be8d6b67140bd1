// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/crypto.hpp>

namespace femto::update {

/// A key that the device trusts, and for what: an update signed by it may touch only the
/// components named here. Typically one anchor per tenant, naming the hooks of that tenant.
struct trust_anchor {
    key_type type{};
    bytes key{};     ///< public key, `key_size(type)` bytes
    bytes key_id{};  ///< if not empty, messages that carry a key id must carry this one
    std::span<const bytes> components{};  ///< identifiers of the components it may update

    [[nodiscard]] constexpr bool may_update(bytes component) const {
        for (const auto& named : components)
            if (same(named, component)) return true;
        return false;
    }
};

}  // namespace femto::update
