// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/image.hpp>

namespace femto {

/// Images as the tools of Femto-Containers write them. Little-endian; seven words: magic "rBPF",
/// version, flags, lengths of data, rodata and text, number of functions; then data, rodata, text;
/// then, for each function, u16 offset of its name in rodata, u16 flags, u16 offset in text.
namespace rbpf {
inline constexpr std::uint32_t magic = 0x46504272;  ///< "rBPF", in this order in the file
inline constexpr std::size_t header_size = 28;
inline constexpr std::size_t function_size = 6;
inline constexpr std::uint8_t load_data = 0xb8;    ///< lddw of an address in data
inline constexpr std::uint8_t load_rodata = 0xd8;  ///< lddw of an address in rodata
inline constexpr std::uint8_t load_imm64 = 0x18;
}  // namespace rbpf

/// Whether these are the bytes of an `rBPF` image.
[[nodiscard]] constexpr bool is_rbpf_image(std::span<const std::byte> bytes) {
    return bytes.size() >= 4 && load_little<std::uint32_t>(bytes.data()) == rbpf::magic;
}

/// Copies the text of an `rBPF` image into `storage.text`, where 0xb8 and 0xd8 become the lddw of
/// RFC 9669 (source 2: the section; second immediate: the offset), and its data into
/// `storage.data`; rodata is used in place, at any alignment. Functions are named as in the image.
/// The address that 0xb8 and 0xd8 load may be one past the end of the section, never beyond.
/// Errors: image_truncated, image_bad_magic, image_bad_version, image_bad_header, image_bad_entry
/// (pc: number of the function), image_bad_load, storage_too_small.
[[nodiscard]] inline result<program> load_rbpf(std::span<const std::byte> bytes,
                                                  const image_storage& storage) {
    if (bytes.size() < rbpf::header_size) return fail(errc::image_truncated, 0, rbpf::header_size);
    const auto word = [&](std::size_t at) { return load_little<std::uint32_t>(&bytes[at]); };
    const auto half = [&](std::size_t at) { return load_little<std::uint16_t>(&bytes[at]); };
    if (word(0) != rbpf::magic) return fail(errc::image_bad_magic, 0, word(0));
    if (word(4) != 0) return fail(errc::image_bad_version, 0, word(4));
    if (word(8) != 0) return fail(errc::image_bad_header, 0, 8);  // 1: text that is packed
    for (std::size_t at = 12; at < 28; at += 4) {
        if (word(at) > image_format::max_section) return fail(errc::image_bad_header, 0, at);
    }
    const std::uint32_t data_size = word(12);
    const std::uint32_t rodata_size = word(16);
    const std::uint32_t text_size = word(20);
    const std::uint32_t count = word(24);
    if (text_size == 0 || text_size % 8 != 0) return fail(errc::image_bad_header, 0, 20);
    const std::size_t rodata_at = rbpf::header_size + data_size;
    const std::size_t text_at = rodata_at + rodata_size;
    const std::size_t functions_at = text_at + text_size;
    const std::uint64_t size = functions_at + std::uint64_t{count} * rbpf::function_size;
    if (bytes.size() < size) return fail(errc::image_truncated, 0, size);
    if (bytes.size() > size) return fail(errc::image_bad_header, 0, 24);

    const std::uint32_t slots = text_size / 8;
    if (storage.text.size() < slots) return fail(errc::storage_too_small, 0, text_size);
    if (storage.data.size() < data_size) return fail(errc::storage_too_small, 0, data_size);
    if (storage.functions.size() < count) return fail(errc::storage_too_small, 0, count);

    const auto text = storage.text.first(slots);
    for (std::uint32_t pc = 0; pc < slots; ++pc) {
        text[pc] = {instruction::guest(word(text_at + pc * 8)),
                    instruction::guest(word(text_at + pc * 8 + 4))};
    }
    for (std::uint32_t pc = 0; pc < slots; ++pc) {
        const std::uint8_t opcode = text[pc].opcode();
        if (opcode == rbpf::load_imm64) ++pc;
        if (opcode != rbpf::load_data && opcode != rbpf::load_rodata) continue;
        const bool in_data = opcode == rbpf::load_data;
        const std::uint32_t limit = in_data ? data_size : rodata_size;
        if (pc + 1 == slots || text[pc].src() != 0 || text[pc].offset() != 0 ||
            text[pc + 1].fields != 0 || text[pc + 1].imm() != 0 ||
            static_cast<std::uint32_t>(text[pc].imm()) > limit) {
            return fail(errc::image_bad_load, pc, static_cast<std::uint32_t>(text[pc].imm()));
        }
        const std::int32_t offset = text[pc].imm();
        text[pc] = instruction::make(rbpf::load_imm64, text[pc].dst(), 2, 0,
                                     static_cast<std::int32_t>(in_data ? section::data
                                                                       : section::rodata));
        text[pc + 1] = instruction::make(0, 0, 0, 0, offset);
        ++pc;
    }
    const auto rodata = bytes.subspan(rodata_at, rodata_size);
    const auto functions = storage.functions.first(count);
    for (std::uint32_t n = 0; n < count; ++n) {
        const std::size_t at = functions_at + std::size_t{n} * rbpf::function_size;
        const std::uint32_t name = half(at);
        const std::uint32_t start = half(at + 4);
        if (start % 8 != 0 || start >= text_size) return fail(errc::image_bad_entry, n, start);
        std::uint32_t end = name;
        while (end < rodata_size && rodata[end] != std::byte{0}) ++end;
        if (end >= rodata_size) return fail(errc::image_bad_entry, n, name);
        functions[n] = {{reinterpret_cast<const char*>(rodata.data() + name), end - name},
                        start / 8};
    }
    const auto data = storage.data.first(data_size);
    std::ranges::copy(bytes.subspan(rbpf::header_size, data_size), data.begin());
    return program{text, rodata, data, functions};
}

}  // namespace femto
