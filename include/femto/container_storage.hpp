// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/image.hpp>
#include <femto/rbpf_image.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace femto {

/// A region that a container was granted: 12 bytes on a 32-bit core.
struct granted_region {
    std::span<std::byte> bytes;
    permission allowed = permission::none;
};

/// RAM for one container; the caller's. `marks` is one byte for each slot of text, `regions` one
/// element for each region requested.
struct container_storage {
    image_storage program;
    std::span<std::uint8_t> marks;
    std::span<granted_region> regions;
    std::span<program_request> request{};  ///< one, where firmware asks for a program
};

/// How much of each kind of storage a container needs, in elements.
struct container_needs {
    std::uint32_t data = 0;
    std::uint32_t regions = 0;
    std::uint32_t functions = 0;
    std::uint32_t text = 0;  ///< instructions in RAM: `rBPF` images only
    std::uint32_t marks = 0;
    std::uint32_t requests = 0;

    /// Bytes in all, at a multiple of 8.
    [[nodiscard]] constexpr std::size_t size() const {
        return image_format::padded(data) + std::size_t{text} * sizeof(instruction) +
               std::size_t{requests} * sizeof(program_request) +
               std::size_t{regions} * sizeof(granted_region) +
               std::size_t{functions} * sizeof(function) + marks;
    }
};

[[nodiscard]] constexpr container_needs needs_of(const image& from) {
    return {from.data_storage(), from.regions(), from.functions_needed(), 0, from.text_size() / 8};
}

/// The same for the bytes of an `rBPF` image. Errors: image_truncated, image_bad_magic,
/// image_bad_header; what else may be wrong `load_rbpf` finds.
[[nodiscard]] constexpr result<container_needs> needs_of_rbpf(std::span<const std::byte> bytes) {
    if (bytes.size() < rbpf::header_size) return fail(errc::image_truncated, 0, rbpf::header_size);
    const auto word = [&](std::size_t at) { return load_little<std::uint32_t>(&bytes[at]); };
    if (word(0) != rbpf::magic) return fail(errc::image_bad_magic, 0, word(0));
    for (std::size_t at = 12; at < 28; at += 4) {
        if (word(at) > image_format::max_section) return fail(errc::image_bad_header, 0, at);
    }
    return container_needs{word(12), 0, word(24), word(20) / 8, word(20) / 8, 1};
}

/// Divides one piece of memory among what a container needs.
/// Errors: storage_too_small (address: the bytes needed), image_misaligned (not at a multiple of 8).
[[nodiscard]] inline result<container_storage> divide(const container_needs& needs,
                                                      std::span<std::byte> memory) {
    static_assert(alignof(granted_region) <= 8 && alignof(function) <= 8 &&
                  alignof(program_request) <= 8);
    if (memory.size() < needs.size()) return fail(errc::storage_too_small, 0, needs.size());
    if (reinterpret_cast<std::uintptr_t>(memory.data()) % 8 != 0) return fail(errc::image_misaligned);
    std::byte* at = memory.data();
    const auto take = [&]<class T>(std::span<T>& to, std::uint32_t count, std::size_t bytes) {
        to = {reinterpret_cast<T*>(at), count};
        std::uninitialized_default_construct(to.begin(), to.end());
        at += bytes;
    };
    container_storage storage;
    take(storage.program.data, needs.data, image_format::padded(needs.data));
    take(storage.program.text, needs.text, needs.text * sizeof(instruction));
    take(storage.request, needs.requests, needs.requests * sizeof(program_request));
    take(storage.regions, needs.regions, needs.regions * sizeof(granted_region));
    take(storage.program.functions, needs.functions, needs.functions * sizeof(function));
    take(storage.marks, needs.marks, needs.marks);
    return storage;
}

}  // namespace femto
