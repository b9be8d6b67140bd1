// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <type_traits>

namespace femto {

/// A `std::span` whose layout C knows, too: a pointer, then the number of elements. For tables that
/// firmware declares, in C or C++, and that stay in flash. Owns nothing.
template <class T>
struct plain_span {
    T* first = nullptr;
    std::size_t count = 0;

    constexpr plain_span() = default;
    template <class Range>
        requires(std::constructible_from<std::span<T>, Range&> &&
                 !std::same_as<std::remove_cvref_t<Range>, plain_span>)
    constexpr plain_span(Range&& from)
        : first{std::span<T>{from}.data()}, count{std::span<T>{from}.size()} {}

    [[nodiscard]] constexpr T* begin() const { return first; }
    [[nodiscard]] constexpr T* end() const { return first + count; }
    [[nodiscard]] constexpr std::size_t size() const { return count; }
    constexpr operator std::span<T>() const { return {first, count}; }
};

}  // namespace femto
