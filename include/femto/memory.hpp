// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/program.hpp>
#include <femto/result.hpp>

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

namespace femto {

/// What a guest may do with a region; the values are those of Femto-Containers.
enum class permission : std::uint8_t { none = 0, read = 1, write = 2, read_write = 3 };

/// What a guest address is.
enum class address_space : std::uint8_t {
    /// Region number in the high word, offset in the low one. A check costs one index and one
    /// compare whatever the number of regions, and no host address is visible to the guest.
    segmented,
    /// A host address, checked against every region in turn, as the papers do it. On 32-bit cores
    /// the high word must be zero.
    flat,
};

/// Little-endian load of a guest value from `from`, at any alignment.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_little(const std::byte* from) {
    if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
        T value;
        std::memcpy(&value, from, sizeof(T));
        return value;
    }
    std::uint64_t value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
        value = value << 8 | std::to_integer<std::uint64_t>(from[i]);
    }
    return static_cast<T>(value);
}

/// Little-endian store of a guest value, at any alignment.
template <std::unsigned_integral T>
constexpr void store_little(std::byte* to, T value) {
    if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
        std::memcpy(to, &value, sizeof(T));
        return;
    }
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        to[i] = static_cast<std::byte>(value >> (8 * i));
    }
}

/// A piece of host memory granted to a guest. Permissions are folded into two sizes, so that one
/// compare decides bounds and permission at once; a write-only region has `readable` 0.
struct region {
    std::byte* base = nullptr;
    std::uint32_t readable = 0;  ///< bytes from `base` that may be read
    std::uint32_t writable = 0;  ///< bytes from `base` that may be written
};

/// The regions of one guest and the check that every access passes. Regions below
/// `region_number::first_free` have fixed numbers; `map` hands out the rest.
template <address_space Space, std::size_t MaxRegions>
class guest_memory {
    static_assert(MaxRegions >= region_number::first_free,
                  "max_regions counts the five fixed regions: null, stack, context, rodata, data");

public:
    static constexpr address_space space = Space;

    /// Makes `bytes` region `number`, readable and, if not const, writable as `allowed` says.
    /// At most 2^31 - 1 bytes count; the guest cannot reach what lies beyond.
    constexpr void set(std::uint32_t number, std::span<std::byte> bytes, permission allowed) {
        constexpr std::size_t most = 0x7fffffff;
        const auto size = static_cast<std::uint32_t>(bytes.size() < most ? bytes.size() : most);
        const auto bits = static_cast<unsigned>(allowed);
        regions_[number] = {bytes.data(), (bits & 1) != 0 ? size : 0, (bits & 2) != 0 ? size : 0};
    }
    constexpr void set(std::uint32_t number, std::span<const std::byte> bytes) {
        // Never written through: the region's writable size is 0.
        set(number, {const_cast<std::byte*>(bytes.data()), bytes.size()}, permission::read);
    }

    /// Grants `bytes` to the guest and returns the guest address of the first one.
    /// Errors: too_many_regions.
    [[nodiscard]] constexpr result<std::uint64_t> map(std::span<std::byte> bytes,
                                                      permission allowed) {
        for (std::uint32_t n = region_number::first_free; n < MaxRegions; ++n) {
            if (regions_[n].base == nullptr) {
                set(n, bytes, allowed);
                return address_of(n);
            }
        }
        return fail(errc::too_many_regions);
    }
    [[nodiscard]] constexpr result<std::uint64_t> map(std::span<const std::byte> bytes) {
        return map({const_cast<std::byte*>(bytes.data()), bytes.size()}, permission::read);
    }

    /// Takes back the region whose first byte has guest address `address`; frees its number.
    constexpr void unmap(std::uint64_t address) {
        for (std::uint32_t n = region_number::first_free; n < MaxRegions; ++n) {
            if (regions_[n].base != nullptr && address_of(n) == address) regions_[n] = {};
        }
    }

    /// The guest address of the first byte of region `number`.
    [[nodiscard]] constexpr std::uint64_t address_of(std::uint32_t number) const {
        if constexpr (Space == address_space::segmented) {
            return segmented_address(number);
        } else {
            return reinterpret_cast<std::uintptr_t>(regions_[number].base);
        }
    }

    /// The host address of `width` guest bytes that may be read (or, if `Write`, written), or
    /// nullptr. A width of 0 is granted anywhere inside a region and at its end.
    template <bool Write>
    [[nodiscard]] constexpr std::byte* find(std::uint64_t address, std::uint32_t width) const {
        if constexpr (Space == address_space::segmented) {
            const auto number = static_cast<std::uint32_t>(address >> 32);
            if (number >= MaxRegions) return nullptr;
            return inside<Write>(regions_[number], static_cast<std::uint32_t>(address), width);
        } else {
            for (const auto& r : regions_) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(r.base);
                if (offset > 0xffffffffu) continue;
                if (auto* at = inside<Write>(r, static_cast<std::uint32_t>(offset), width)) {
                    return at;
                }
            }
            return nullptr;
        }
    }

    /// Bytes that may be read from `address` to the end of its region, 0 if there is none.
    [[nodiscard]] constexpr std::uint32_t readable_from(std::uint64_t address) const {
        if constexpr (Space == address_space::segmented) {
            const auto number = static_cast<std::uint32_t>(address >> 32);
            const auto offset = static_cast<std::uint32_t>(address);
            if (number >= MaxRegions || offset > regions_[number].readable) return 0;
            return regions_[number].readable - offset;
        } else {
            for (const auto& r : regions_) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(r.base);
                if (offset < r.readable) return r.readable - static_cast<std::uint32_t>(offset);
            }
            return 0;
        }
    }

    [[nodiscard]] constexpr const region& at(std::uint32_t number) const {
        return regions_[number];
    }

private:
    template <bool Write>
    [[nodiscard]] static constexpr std::byte* inside(const region& r, std::uint32_t offset,
                                                     std::uint32_t width) {
        const std::uint32_t size = Write ? r.writable : r.readable;
        // Two compares that cannot wrap: offset + width could.
        if (offset > size || size - offset < width) return nullptr;
        return r.base == nullptr ? nullptr : r.base + offset;
    }

    std::array<region, MaxRegions> regions_{};
};

}  // namespace femto
