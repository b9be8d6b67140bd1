// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/image.hpp>

namespace femto {

/// What an image is made of.
struct image_contents {
    struct entry {
        uuid hook;
        std::uint32_t pc = 0;  ///< slot
    };
    std::span<const instruction> text;
    std::span<const std::byte> rodata;
    std::span<const std::byte> data;  ///< initial values
    std::uint32_t bss = 0;            ///< bytes
    std::span<const entry> entries;
    std::span<const image::region_request> regions;
    std::span<const std::uint32_t> helpers;
    container_request request{};
};

/// Bytes that `write_image` writes.
[[nodiscard]] constexpr std::size_t image_size(const image_contents& c) {
    namespace format = image_format;
    return format::header_size + c.text.size() * 8 +
           format::padded(static_cast<std::uint32_t>(c.rodata.size())) +
           format::padded(static_cast<std::uint32_t>(c.data.size())) +
           c.entries.size() * format::entry_size + c.regions.size() * format::region_size +
           c.helpers.size() * format::helper_size;
}

/// Writes an image and returns its size. The result passes `parse_image`.
/// Errors: storage_too_small (address: bytes needed), image_bad_header, image_bad_entry.
[[nodiscard]] constexpr result<std::size_t> write_image(const image_contents& c,
                                                        std::span<std::byte> to) {
    namespace format = image_format;
    const std::size_t size = image_size(c);
    if (c.entries.size() > 255) return fail(errc::image_bad_header, 0, 6);
    if (c.regions.size() > 255) return fail(errc::image_bad_header, 0, 7);
    if (c.helpers.size() > 0xffff) return fail(errc::image_bad_header, 0, 12);
    if (to.size() < size) return fail(errc::storage_too_small, 0, size);
    std::ranges::fill(to.first(size), std::byte{0});

    std::size_t at = 0;
    const auto byte = [&](unsigned value) { to[at++] = static_cast<std::byte>(value); };
    const auto half = [&](std::size_t value) {
        store_little(&to[at], static_cast<std::uint16_t>(value));
        at += 2;
    };
    const auto word = [&](std::size_t value) {
        store_little(&to[at], static_cast<std::uint32_t>(value));
        at += 4;
    };
    const auto section = [&](std::span<const std::byte> bytes) {
        std::ranges::copy(bytes, to.begin() + static_cast<std::ptrdiff_t>(at));
        at += format::padded(static_cast<std::uint32_t>(bytes.size()));
    };
    word(format::magic);
    byte(format::version);
    byte(c.request.suspends ? format::flag_suspends : 0);
    byte(static_cast<unsigned>(c.entries.size()));
    byte(static_cast<unsigned>(c.regions.size()));
    word(size);
    half(c.helpers.size());
    half(0);
    word(c.text.size() * 8);
    word(c.rodata.size());
    word(c.data.size());
    word(c.bss);
    word(c.request.fuel);
    half(c.request.stack);
    half(c.request.store_entries);
    for (const auto& i : c.text) {
        word(instruction::guest(i.fields));
        word(instruction::guest(i.immediate));
    }
    section(c.rodata);
    section(c.data);
    for (const auto& e : c.entries) {
        for (const auto b : e.hook.bytes) byte(b);
        word(e.pc);
    }
    for (const auto& r : c.regions) {
        half(r.id);
        half(static_cast<unsigned>(r.wanted));
    }
    for (const auto id : c.helpers) word(id);
    const auto written = parse_image(to.first(size));
    if (!written) return failure{written.error()};
    return size;
}

}  // namespace femto
