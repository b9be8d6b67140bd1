// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/attributes.hpp>
#include <femto/program.hpp>
#include <femto/result.hpp>

#include <algorithm>
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

/// Zeroes bytes. On cores whose words must be aligned the C library often does it byte by byte (RISC-V
/// with picolibc: 5 instructions each).
constexpr void zero(std::span<std::byte> bytes) {
    std::byte* at = bytes.data();
    std::byte* const end = at + bytes.size();
    if constexpr (detail::unaligned_words_trap && !detail::for_size) {
        if (!std::is_constant_evaluated()) {
            constexpr std::uintptr_t nothing = 0;
            constexpr std::ptrdiff_t word = sizeof nothing;
            while (at != end && reinterpret_cast<std::uintptr_t>(at) % word != 0) *at++ = std::byte{0};
            for (; end - at >= word; at += word) {
                std::memcpy(__builtin_assume_aligned(at, word), &nothing, word);
#if defined(__GNUC__)
                asm("" : "+r"(at));  // or GCC calls memset
#endif
            }
        }
    }
    std::fill(at, end, std::byte{0});
}

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

namespace detail {

/// One region. Permissions are folded into two sizes, of what may be read and of what may be written, so
/// that one check decides bounds and permission.
template <address_space Space, class Size>
struct memory_region {
    std::byte* base = nullptr;
    std::array<Size, 2> size{};

    /// Whether `width` bytes from `offset` on, a sum that could wrap, lie inside.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr bool holds(std::uint32_t offset, std::uint32_t width,
                                                           std::size_t write) const {
        const std::uint32_t limit = size[write];
        if constexpr (sizeof(std::size_t) > 4) return std::uint64_t{offset} + width <= limit;
#if defined(__GNUC__)
        // A subtraction that compares, too; of one byte GCC knows better.
        if (Space == address_space::segmented && !(__builtin_constant_p(width) && width == 1)) {
            std::uint32_t last = 0;
            return !__builtin_sub_overflow(limit, width, &last) && offset <= last;
        }
#endif
        return limit >= width && offset <= limit - width;
    }
};

}  // namespace detail

/// The regions of one guest and the check that every access passes. Regions below
/// `region_number::first_free` have fixed numbers; `map` hands out the rest. No region has more than
/// `MaxSize` bytes; up to 0xffff, one takes 8 bytes of RAM on a 32-bit core, else 12.
template <address_space Space, std::size_t MaxRegions, std::uint32_t MaxSize = 0x7fffffff>
class guest_memory {
    static_assert(MaxRegions >= region_number::first_free,
                  "max_regions counts the five fixed regions: null, stack, context, rodata, data");
    static_assert(MaxSize <= 0x7fffffff, "femto: max_region_size is at most 2^31 - 1");

public:
    static constexpr address_space space = Space;

    /// Makes `bytes` region `number`, readable and, if not const, writable as `allowed` says. They are at
    /// most `MaxSize`, which the caller knows.
    constexpr void set(std::uint32_t number, std::span<std::byte> bytes, permission allowed) {
        const auto size = static_cast<size_type>(bytes.size());
        const auto bits = static_cast<unsigned>(allowed);
        region& r = regions_[number - 1];
        r.base = bytes.data();
        r.size[0] = (bits & 1) != 0 ? size : size_type{0};
        r.size[1] = (bits & 2) != 0 ? size : size_type{0};
    }
    constexpr void set(std::uint32_t number, std::span<const std::byte> bytes) {
        // Never written through: the region's size for writing is 0.
        set(number, {const_cast<std::byte*>(bytes.data()), bytes.size()}, permission::read);
    }
    /// The same where nobody knows: false, and the region is empty, if they are more than `MaxSize`.
    [[nodiscard]] constexpr bool try_set(std::uint32_t number, std::span<std::byte> bytes,
                                         permission allowed) {
        const bool fits = bytes.size() <= MaxSize;
        set(number, fits ? bytes : std::span<std::byte>{}, allowed);
        return fits;
    }

    /// Moves region `number`, whose size and permission stay, to other memory.
    constexpr void rebase(std::uint32_t number, std::byte* first) {
        regions_[number - 1].base = first;
    }

    /// Grants `bytes` to the guest and returns the guest address of the first one. A region of no
    /// bytes has a number of its own, too. Errors: too_many_regions, region_too_large.
    [[nodiscard]] constexpr result<std::uint64_t> map(std::span<std::byte> bytes,
                                                      permission allowed) {
        if (bytes.size() > MaxSize) return fail(errc::region_too_large, 0, bytes.size());
        for (std::uint32_t n = region_number::first_free; n < MaxRegions; ++n) {
            if (base(n) == nullptr) {
                // Where an empty one lies, so that its number is taken; never accessed.
                if (bytes.data() == nullptr) bytes = {const_cast<std::byte*>(&no_bytes), 0};
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
            if (base(n) != nullptr && address_of(n) == address) regions_[n - 1] = {};
        }
    }

    /// The guest address of the first byte of region `number`.
    [[nodiscard]] constexpr std::uint64_t address_of(std::uint32_t number) const {
        if constexpr (Space == address_space::segmented) {
            return segmented_address(number);
        } else {
            return reinterpret_cast<std::uintptr_t>(base(number));
        }
    }

    /// Calls `f` with where `width` guest bytes lie that may be read (or, if `Write`, written); false if
    /// they may not. A width of 0 is granted anywhere inside a region and at its end. 11 instructions on
    /// a Cortex-M4 in the segmented space. The rest of the work is a function, so that what is granted
    /// is the straight way: a result would be tested once more.
    template <bool Write, class F>
    FEMTO_ALWAYS_INLINE constexpr bool access(std::uint64_t address, std::uint32_t width, F f) const {
        if constexpr (Space == address_space::segmented) {
            const std::uint32_t index = index_of(address);
            const auto offset = static_cast<std::uint32_t>(address);
            if (index >= regions_.size() || !regions_[index].holds(offset, width, Write)) [[unlikely]] {
                return false;
            }
            f(regions_[index].base + offset);
            return true;
        } else {
            for (const region& r : regions_) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(r.base);
                const auto low = static_cast<std::uint32_t>(offset);
                if (offset == low && r.holds(low, width, Write)) {
                    f(r.base + low);
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
        piece found{};
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
            return base(region_number::stack) + static_cast<std::uint32_t>(address);
        } else {
            return reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(address));
        }
    }

    /// The same for code that does both, where `write` is 0 or 1: one body. In this order three of its
    /// arguments are passed in registers on Arm.
    [[nodiscard]] constexpr std::byte* find(std::uint32_t width, std::uint64_t address,
                                            std::uint32_t write) const {
        if constexpr (Space == address_space::segmented) {
            const std::uint32_t index = index_of(address);
            const auto offset = static_cast<std::uint32_t>(address);
            if (index < regions_.size() && regions_[index].holds(offset, width, write)) {
                return regions_[index].base + offset;
            }
        } else {
            for (const region& r : regions_) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(r.base);
                const std::uint32_t size = r.size[write];
                if (size >= width && offset <= size - width) return r.base + offset;
            }
        }
        return nullptr;
    }

    /// Why an access that is not granted is not: a store to what may only be read, or any to nothing.
    [[nodiscard]] FEMTO_ALONE constexpr errc why_refused(std::uint64_t address,
                                                        std::uint32_t width) const {
        return find(width, address, 0) != nullptr ? errc::illegal_write : errc::illegal_memory;
    }

    /// Bytes that may be read from `address` to the end of its region, 0 if there is none.
    [[nodiscard]] constexpr std::uint32_t readable_from(std::uint64_t address) const {
        if constexpr (Space == address_space::segmented) {
            const std::uint32_t index = index_of(address);
            const auto offset = static_cast<std::uint32_t>(address);
            if (index >= regions_.size() || offset > regions_[index].size[0]) return 0;
            return regions_[index].size[0] - offset;
        } else {
            for (const region& r : regions_) {
                const auto offset = address - reinterpret_cast<std::uintptr_t>(r.base);
                if (offset < r.size[0]) return r.size[0] - static_cast<std::uint32_t>(offset);
            }
            return 0;
        }
    }

    /// Bytes of region `number` from its base that may be read, or written. Region null has none.
    [[nodiscard]] constexpr std::uint32_t readable(std::uint32_t number) const {
        return number == region_number::null ? 0u : regions_[number - 1].size[0];
    }
    [[nodiscard]] constexpr std::uint32_t writable(std::uint32_t number) const {
        return number == region_number::null ? 0u : regions_[number - 1].size[1];
    }

    /// Where what lies behind a readable region begins, which the guest cannot reach.
    [[nodiscard]] constexpr std::byte* behind(std::uint32_t number) const {
        return base(number) + readable(number);
    }

private:
    using size_type = std::conditional_t<MaxSize <= 0xffff, std::uint16_t, std::uint32_t>;
    using region = detail::memory_region<Space, size_type>;

    /// The place of a region in the table, which null is not in: of null and of what is no region, one
    /// past the end or beyond.
    [[nodiscard]] static constexpr std::uint32_t index_of(std::uint64_t address) {
        return static_cast<std::uint32_t>(address >> 32) - 1;
    }
    [[nodiscard]] constexpr std::byte* base(std::uint32_t number) const {
        return number == region_number::null ? nullptr : regions_[number - 1].base;
    }

    static constexpr std::byte no_bytes{};

    std::array<region, MaxRegions - 1> regions_{};
};

}  // namespace femto
