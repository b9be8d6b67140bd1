// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/isa.hpp>
#include <femto/result.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace femto {

/// A named function of a program; `start` counts slots from the beginning of the text.
struct function {
    std::string_view name;
    std::uint32_t start = 0;
};

/// The sections that `lddw` with source 2 or 6 addresses as map values (RFC 9669, section 5.4),
/// numbered as its first immediate does.
enum class section : std::uint8_t { rodata = 0, data = 1 };

/// A view of a loaded program; it owns nothing and knows nothing of where the bytes came from.
/// What it refers to must outlive every use of it. Costs 32 bytes on a 32-bit core.
struct program {
    std::span<const instruction> text{};       ///< may lie in flash
    std::span<const std::byte> rodata{};       ///< may lie in flash; the guest can only read it
    std::span<std::byte> data{};               ///< .data then .bss, initialised by the loader
    std::span<const function> functions{};     ///< entry points; if empty, slot 0 is the only one
};

/// Numbers of the regions every machine has. 0 is never mapped, so that a null pointer faults.
/// `code` is never mapped either: an address in it can be called (callx) but not read.
namespace region_number {
inline constexpr std::uint32_t null = 0;
inline constexpr std::uint32_t stack = 1;
inline constexpr std::uint32_t context = 2;
inline constexpr std::uint32_t rodata = 3;
inline constexpr std::uint32_t data = 4;
inline constexpr std::uint32_t first_free = 5;
inline constexpr std::uint32_t code = 0xC0DE;
}  // namespace region_number

/// The guest address of byte `offset` of a region in the segmented space.
[[nodiscard]] constexpr std::uint64_t segmented_address(std::uint32_t region,
                                                        std::uint32_t offset = 0) {
    return std::uint64_t{region} << 32 | offset;
}

/// The value of a pointer to the function at slot `pc`; the same in both address spaces.
[[nodiscard]] constexpr std::uint64_t code_address(std::uint32_t pc) {
    return segmented_address(region_number::code, pc * 8);
}

}  // namespace femto
