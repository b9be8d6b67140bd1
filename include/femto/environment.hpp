// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/store.hpp>

#include <cstdint>

namespace femto {

/// What an engine needs of the firmware: a critical section and the stores. Helpers ask for more.
template <class T>
concept platform = critical_section<typename T::guard> && requires(T& p) {
    p.stores.fetch(store_scope{}, std::uint32_t{});
};

/// What helpers get as `caller::host<environment<Platform>>()`: whose run it is.
template <class Platform>
struct environment {
    Platform* platform = nullptr;
    store_account account{};
    std::uint8_t container = 0;
    std::uint8_t tenant = 0;
    std::uint32_t wake_at = 0;  ///< set by a helper that suspends
};

}  // namespace femto
