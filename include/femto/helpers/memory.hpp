// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/helper.hpp>

namespace femto::helpers {

/// Two pieces of guest memory of one length: three registers, to, from, length. Both are checked.
struct guest_transfer {
    guest_span<std::byte> to;
    guest_span<const std::byte> from;
};

}  // namespace femto::helpers

template <>
struct femto::detail::argument<femto::helpers::guest_transfer> {
    static constexpr std::array kinds{argument_kind::writable, argument_kind::readable,
                                      argument_kind::length};
    using storage = helpers::guest_transfer;
    template <class Memory>
    static constexpr bool fetch(storage& to, const std::uint64_t* r, const Memory& memory) {
        const std::uint64_t target[2]{r[0], r[2]};
        return argument<guest_span<std::byte>>::fetch(to.to, target, memory) &&
               argument<guest_span<const std::byte>>::fetch(to.from, r + 1, memory);
    }
};

namespace femto::helpers {

namespace detail {
/// The two may overlap. Costs fuel: an instruction for each 8 bytes.
inline void copy(caller& c, guest_transfer t) {
    c.charge(t.to.size() / 8);
    if (!t.to.empty()) std::memmove(t.to.bytes().data(), t.from.bytes().data(), t.to.size());
}
}  // namespace detail

/// 0x02 as in Femto-Containers.
using memory = helper_set<helper<0x02, "memcpy", &detail::copy>>;

}  // namespace femto::helpers
