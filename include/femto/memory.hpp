// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
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

namespace detail {

// Cores that trap on unaligned words, by the macros that compilers predefine. There `memcpy` is a
// loop of bytes, so the aligned case is worth a test of its own: 3 instructions instead of 14.
#if defined(__ARM_FEATURE_UNALIGNED) || defined(__x86_64__) || defined(__i386__) || \
    defined(__aarch64__)
inline constexpr bool unaligned_words_trap = false;
#else
inline constexpr bool unaligned_words_trap = true;
#endif

/// Copies the bytes of one T, where `guest` is the side with the guest's alignment.
template <class T>
inline void copy_word(void* to, const void* from, [[maybe_unused]] const void* guest) {
    if constexpr (unaligned_words_trap && sizeof(T) > 1) {
        constexpr std::size_t word = sizeof(T) < sizeof(void*) ? sizeof(T) : sizeof(void*);
        if (reinterpret_cast<std::uintptr_t>(guest) % word == 0) {
            std::memcpy(guest == to ? __builtin_assume_aligned(to, word) : to,
                        guest == from ? __builtin_assume_aligned(from, word) : from, sizeof(T));
            return;
        }
    }
    std::memcpy(to, from, sizeof(T));
}

}  // namespace detail

/// Little-endian load of a guest value from `from`, at any alignment.
template <std::unsigned_integral T>
[[nodiscard]] constexpr T load_little(const std::byte* from) {
    if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
        T value;
        detail::copy_word<T>(&value, from, from);
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
        detail::copy_word<T>(to, &value, to);
        return;
    }
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        to[i] = static_cast<std::byte>(value >> (8 * i));
    }
}

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
        auto size = static_cast<std::uint32_t>(bytes.size());
        if constexpr (sizeof(std::size_t) > 4) {  // elsewhere no object is larger
            constexpr std::size_t most = 0x7fffffff;
            if (bytes.size() > most) size = most;
        }
        const auto bits = static_cast<unsigned>(allowed);
        bases_[number] = bytes.data();
        readable_[number] = (bits & 1) != 0 ? size : 0;
        writable_[number] = (bits & 2) != 0 ? size : 0;
    }
    constexpr void set(std::uint32_t number, std::span<const std::byte> bytes) {
        // Never written through: the region's writable size is 0.
        set(number, {const_cast<std::byte*>(bytes.data()), bytes.size()}, permission::read);
    }

    /// Moves region `number`, whose size and permission stay, to other memory.
    constexpr void rebase(std::uint32_t number, std::byte* first) { bases_[number] = first; }

    /// Grants `bytes` to the guest and returns the guest address of the first one. A region of no
    /// bytes has a number of its own, too. Errors: too_many_regions.
    [[nodiscard]] constexpr result<std::uint64_t> map(std::span<std::byte> bytes,
                                                      permission allowed) {
        for (std::uint32_t n = region_number::first_free; n < MaxRegions; ++n) {
            if (bases_[n] == nullptr) {
                set(n, bytes, allowed);
                if (bytes.data() == nullptr) bases_[n] = const_cast<std::byte*>(&no_bytes);
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
            if (bases_[n] != nullptr && address_of(n) == address) set(n, {}, permission::none);
        }
    }

    /// The guest address of the first byte of region `number`.
    [[nodiscard]] constexpr std::uint64_t address_of(std::uint32_t number) const {
        if constexpr (Space == address_space::segmented) {
            return segmented_address(number);
        } else {
            return reinterpret_cast<std::uintptr_t>(bases_[number]);
        }
    }

    /// Calls `f` with where `width` guest bytes lie that may be read (or, if `Write`, written); false if
    /// they may not. A width of 0 is granted anywhere inside a region and at its end. 12 instructions on
    /// a Cortex-M4 in the segmented space. The rest of the work is a function, so that what is granted
    /// is the straight way: a result would be tested once more.
    template <bool Write, class F>
    FEMTO_ALWAYS_INLINE constexpr bool access(std::uint64_t address, std::uint32_t width, F f) const {
        if constexpr (Space == address_space::segmented) {
            const auto number = static_cast<std::uint32_t>(address >> 32);
            const auto offset = static_cast<std::uint32_t>(address);
            if (number >= MaxRegions || !inside<Write>(number, offset, width)) [[unlikely]] return false;
            f(bases_[number] + offset);
            return true;
        } else {
            for (std::uint32_t number = 0; number < MaxRegions; ++number) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(bases_[number]);
                const auto low = static_cast<std::uint32_t>(offset);
                if (offset == low && inside<Write>(number, low, width)) {
                    f(bases_[number] + low);
                    return true;
                }
            }
            return false;
        }
    }

    /// A piece of guest memory, if the guest may access it so.
    struct piece {
        bool granted;
        std::byte* at;
    };
    template <bool Write>
    [[nodiscard]] constexpr piece locate(std::uint64_t address, std::uint32_t width) const {
        piece found{false, {}};
        found.granted = access<Write>(address, width, [&](std::byte* at) { found.at = at; });
        return found;
    }
    /// The same for those who have no use for empty pieces: nullptr if it is not granted.
    template <bool Write>
    [[nodiscard]] constexpr std::byte* find(std::uint64_t address, std::uint32_t width) const {
        return locate<Write>(address, width).at;
    }

    /// Where the byte at an address in the stack lies, unchecked: for what verification has proved.
    [[nodiscard]] std::byte* in_frame(std::uint64_t address) const {
        if constexpr (Space == address_space::segmented) {
            return bases_[region_number::stack] + static_cast<std::uint32_t>(address);
        } else {
            return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
        }
    }

    /// The same for code that does both: one body.
    [[nodiscard]] constexpr std::byte* find(std::uint64_t address, std::uint32_t width,
                                            bool write) const {
        const auto& sizes = write ? writable_ : readable_;
        if constexpr (Space == address_space::segmented) {
            const auto number = static_cast<std::uint32_t>(address >> 32);
            const auto offset = static_cast<std::uint32_t>(address);
            if (number < MaxRegions && sizes[number] >= width && offset <= sizes[number] - width) {
                return bases_[number] + offset;
            }
        } else {
            for (std::uint32_t number = 0; number < MaxRegions; ++number) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(bases_[number]);
                if (sizes[number] >= width && offset <= sizes[number] - width) {
                    return bases_[number] + offset;
                }
            }
        }
        return nullptr;
    }

    /// Bytes that may be read from `address` to the end of its region, 0 if there is none.
    [[nodiscard]] constexpr std::uint32_t readable_from(std::uint64_t address) const {
        if constexpr (Space == address_space::segmented) {
            const auto number = static_cast<std::uint32_t>(address >> 32);
            const auto offset = static_cast<std::uint32_t>(address);
            if (number >= MaxRegions || offset > readable_[number]) return 0;
            return readable_[number] - offset;
        } else {
            for (std::uint32_t number = 0; number < MaxRegions; ++number) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(bases_[number]);
                if (offset < readable_[number]) {
                    return readable_[number] - static_cast<std::uint32_t>(offset);
                }
            }
            return 0;
        }
    }

    /// Bytes of region `number` from its base that may be read, or written.
    [[nodiscard]] constexpr std::uint32_t readable(std::uint32_t number) const {
        return readable_[number];
    }
    [[nodiscard]] constexpr std::uint32_t writable(std::uint32_t number) const {
        return writable_[number];
    }

    /// Where what lies behind a readable region begins, which the guest cannot reach.
    [[nodiscard]] constexpr std::byte* behind(std::uint32_t number) const {
        return bases_[number] + readable_[number];
    }

private:
    template <bool Write>
    [[nodiscard]] constexpr bool inside(std::uint32_t number, std::uint32_t offset,
                                        std::uint32_t width) const {
        const std::uint32_t size = Write ? writable_[number] : readable_[number];
        if constexpr (sizeof(std::size_t) > 4) return std::uint64_t{offset} + width <= size;
        return size >= width && offset <= size - width;  // offset + width could wrap
    }

    /// Where an empty region lies, so that its number is taken; never accessed.
    static constexpr std::byte no_bytes{};

    // Permissions are folded into two sizes, so that one check decides bounds and permission; a
    // write-only region has `readable` 0. Three arrays, so that all are reached from one scaled
    // index.
    std::array<std::byte*, MaxRegions> bases_{};
    std::array<std::uint32_t, MaxRegions> readable_{};
    std::array<std::uint32_t, MaxRegions> writable_{};
};

}  // namespace femto
