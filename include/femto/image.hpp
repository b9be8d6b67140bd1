// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/memory.hpp>
#include <femto/program.hpp>
#include <femto/result.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>

namespace femto {

/// The name of a hook: a UUID (RFC 9562), bytes in the order they are written.
struct uuid {
    std::array<std::uint8_t, 16> bytes{};
    friend constexpr bool operator==(const uuid&, const uuid&) = default;
};

/// 46454d54-0000-8000-8000-0000 and `number`: for tests and for devices that only need distinct
/// names.
[[nodiscard]] constexpr uuid small_uuid(std::uint32_t number) {
    uuid id{{0x46, 0x45, 0x4d, 0x54, 0, 0, 0x80, 0, 0x80}};
    for (std::size_t i = 0; i < 4; ++i) {
        id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
    }
    return id;
}

/// What a container asks for, as far as it has a fixed size; helpers and regions are lists beside it.
struct container_request {
    std::uint32_t fuel = 10000;         ///< instructions a run
    std::uint16_t stack = 512;          ///< bytes
    std::uint16_t store_entries = 0;    ///< entries in all its stores
    bool suspends = false;              ///< calls helpers that suspend: wants a machine of its own
};

/// What firmware asks for on behalf of a program that does not say it itself.
struct program_request : container_request {
    std::uint64_t helpers = 0;  ///< bits as `engine::helper_bits` gives them
};

/// Format of container images (docs/image.md).
namespace image_format {
inline constexpr std::uint32_t magic = 0x63746d66;  ///< "fmtc"
inline constexpr std::uint8_t version = 1;
inline constexpr std::uint8_t flag_suspends = 1;
inline constexpr std::size_t header_size = 40;
inline constexpr std::size_t entry_size = 20;
inline constexpr std::size_t region_size = 4;
inline constexpr std::size_t helper_size = 4;
inline constexpr std::uint32_t max_section = 0x01000000;  ///< 16 MiB: sums fit 32 bits

[[nodiscard]] constexpr std::uint32_t padded(std::uint32_t size) { return (size + 7) & ~7u; }
}  // namespace image_format

/// A view of a container image; owns nothing. Made by `parse_image` only, so that every offset in it
/// is known to lie inside the bytes.
class image {
public:
    /// The image at `first`, which `parse_image` has accepted before and which has not changed since.
    [[nodiscard]] static constexpr image known(const std::byte* first) {
        return image{{first, load_little<std::uint32_t>(first + 8)}};
    }
    [[nodiscard]] constexpr std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] constexpr std::uint32_t text_size() const { return word(16); }
    [[nodiscard]] constexpr std::uint32_t rodata_size() const { return word(20); }
    [[nodiscard]] constexpr std::uint32_t data_size() const { return word(24); }
    [[nodiscard]] constexpr std::uint32_t bss_size() const { return word(28); }
    /// Text as it lies in flash. Not constexpr: it is the bytes themselves.
    [[nodiscard]] std::span<const instruction> text() const {
        static_assert(sizeof(instruction) == 8);
        return {reinterpret_cast<const instruction*>(bytes_.data() + text_at), text_size() / 8};
    }
    [[nodiscard]] constexpr std::span<const std::byte> rodata() const {
        return bytes_.subspan(text_at + text_size(), rodata_size());
    }
    [[nodiscard]] constexpr std::span<const std::byte> initial_data() const {
        return bytes_.subspan(data_at(), data_size());
    }
    /// RAM for data and bss, in bytes.
    [[nodiscard]] constexpr std::uint32_t data_storage() const { return data_size() + bss_size(); }

    [[nodiscard]] constexpr container_request request() const {
        return {word(32), half(36), half(38), (flags() & image_format::flag_suspends) != 0};
    }
    [[nodiscard]] constexpr std::uint8_t flags() const { return byte(5); }
    [[nodiscard]] constexpr std::uint32_t entries() const { return byte(6); }
    [[nodiscard]] constexpr std::uint32_t regions() const { return byte(7); }
    [[nodiscard]] constexpr std::uint32_t helpers() const { return half(12); }

    /// The hook that entry `n` is for, and where it begins.
    [[nodiscard]] constexpr uuid entry_hook(std::uint32_t n) const {
        uuid id;
        for (std::size_t i = 0; i < 16; ++i) id.bytes[i] = byte(entry_at(n) + i);
        return id;
    }
    [[nodiscard]] constexpr std::uint32_t entry_pc(std::uint32_t n) const {
        return word(entry_at(n) + 16);
    }
    /// A region the container asks for: the firmware's number for it, and how it is to be used.
    struct region_request {
        std::uint16_t id;
        permission wanted;
    };
    [[nodiscard]] constexpr region_request region(std::uint32_t n) const {
        const std::size_t at = entry_at(entries()) + n * image_format::region_size;
        return {half(at), static_cast<permission>(byte(at + 2))};
    }
    [[nodiscard]] constexpr std::uint32_t helper(std::uint32_t n) const {
        return word(entry_at(entries()) + regions() * image_format::region_size +
                    n * image_format::helper_size);
    }
    /// Entries of `function` that `load` needs: none if slot 0 is the only entry.
    [[nodiscard]] constexpr std::uint32_t functions_needed() const {
        return entries() == 1 && entry_pc(0) == 0 ? 0 : entries();
    }

private:
    friend constexpr result<image> parse_image(std::span<const std::byte>);
    static constexpr std::size_t text_at = image_format::header_size;

    constexpr explicit image(std::span<const std::byte> bytes) : bytes_{bytes} {}
    [[nodiscard]] constexpr std::uint8_t byte(std::size_t at) const {
        return std::to_integer<std::uint8_t>(bytes_[at]);
    }
    [[nodiscard]] constexpr std::uint16_t half(std::size_t at) const {
        return load_little<std::uint16_t>(&bytes_[at]);
    }
    [[nodiscard]] constexpr std::uint32_t word(std::size_t at) const {
        return load_little<std::uint32_t>(&bytes_[at]);
    }
    [[nodiscard]] constexpr std::size_t data_at() const {
        return text_at + text_size() + image_format::padded(rodata_size());
    }
    [[nodiscard]] constexpr std::size_t entry_at(std::uint32_t n) const {
        return data_at() + image_format::padded(data_size()) + n * image_format::entry_size;
    }

    std::span<const std::byte> bytes_;
};

/// Checks the structure of an image, whoever wrote it; its text is for the verifier. Reads the
/// header and the tables, not the sections. Whether the bytes are what their author published is
/// for the update's digest and signature to say: the format has no checksum.
/// Errors: image_misaligned, image_truncated, image_bad_magic, image_bad_version, image_bad_header,
/// image_bad_entry.
[[nodiscard]] constexpr result<image> parse_image(std::span<const std::byte> bytes) {
    namespace format = image_format;
    if (!std::is_constant_evaluated() &&
        reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) {
        return fail(errc::image_misaligned, 0, reinterpret_cast<std::uintptr_t>(bytes.data()) % 8);
    }
    if (bytes.size() < format::header_size) {
        return fail(errc::image_truncated, 0, format::header_size);
    }
    const image i{bytes};
    if (i.word(0) != format::magic) return fail(errc::image_bad_magic, 0, i.word(0));
    if (i.byte(4) != format::version) return fail(errc::image_bad_version, 0, i.byte(4));
    if ((i.flags() & ~format::flag_suspends) != 0) return fail(errc::image_bad_header, 0, 5);
    if (i.entries() == 0) return fail(errc::image_bad_header, 0, 6);
    if (i.half(14) != 0) return fail(errc::image_bad_header, 0, 14);
    for (std::size_t at = 16; at < 32; at += 4) {
        if (i.word(at) > format::max_section) return fail(errc::image_bad_header, 0, at);
    }
    if (i.text_size() == 0 || i.text_size() % 8 != 0) return fail(errc::image_bad_header, 0, 16);
    const std::size_t size = i.entry_at(i.entries()) + i.regions() * format::region_size +
                             i.helpers() * format::helper_size;
    if (i.word(8) != size) return fail(errc::image_bad_header, 0, 8);
    if (bytes.size() < size) return fail(errc::image_truncated, 0, size);
    for (std::uint32_t n = 0; n < i.entries(); ++n) {
        if (i.entry_pc(n) >= i.text_size() / 8) {
            return fail(errc::image_bad_entry, n, i.entry_pc(n));
        }
        for (std::uint32_t m = 0; m < n; ++m) {  // one entry for a hook
            if (i.entry_hook(m) == i.entry_hook(n)) return fail(errc::image_bad_entry, n, m);
        }
    }
    for (std::uint32_t n = 0; n < i.regions(); ++n) {
        const std::size_t at = i.entry_at(i.entries()) + n * format::region_size;
        if (i.byte(at + 2) == 0 || i.byte(at + 2) > 3 || i.byte(at + 3) != 0) {
            return fail(errc::image_bad_header, 0, at);
        }
    }
    return image{bytes.first(size)};
}

/// RAM that a container runs in; the caller's. `data` holds data and bss, `functions` one element
/// for each entry (none if slot 0 is the only one), `text` is for `rBPF` images only.
struct image_storage {
    std::span<std::byte> data;
    std::span<function> functions;
    std::span<instruction> text;
};

/// Makes the program of an image: initial data copied, bss zeroed, everything else used in place.
/// Functions are named by the 16 bytes of their hook's UUID.
/// Errors: storage_too_small (address: bytes of data, or functions, that it needs).
[[nodiscard]] inline result<program> load(const image& from, const image_storage& storage) {
    if (storage.data.size() < from.data_storage()) {
        return fail(errc::storage_too_small, 0, from.data_storage());
    }
    if (storage.functions.size() < from.functions_needed()) {
        return fail(errc::storage_too_small, 0, from.functions_needed());
    }
    const auto data = storage.data.first(from.data_storage());
    std::ranges::copy(from.initial_data(), data.begin());
    zero(data.subspan(from.initial_data().size()));
    const auto functions = storage.functions.first(from.functions_needed());
    for (std::uint32_t n = 0; n < functions.size(); ++n) {
        const auto* name = from.bytes().data() + (from.bytes().size() -
                           from.helpers() * image_format::helper_size -
                           from.regions() * image_format::region_size -
                           (from.entries() - n) * image_format::entry_size);
        functions[n] = {{reinterpret_cast<const char*>(name), 16}, from.entry_pc(n)};
    }
    return program{from.text(), from.rodata(), data, functions};
}

}  // namespace femto
