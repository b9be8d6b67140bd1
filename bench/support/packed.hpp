// SPDX-License-Identifier: Apache-2.0
// A container image of a function of an object, as a device would get it.
#pragma once

#include <support/object.hpp>

#include <femto/image_writer.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

/// Words, for the alignment; empty if the object has no such function.
inline std::vector<std::uint64_t> pack(object& from, std::string_view function) {
    const auto program = from.program();
    const auto found = std::find_if(program.functions.begin(), program.functions.end(),
                                    [&](const auto& f) { return f.name == function; });
    if (found == program.functions.end()) return {};
    const femto::image_contents::entry entry{femto::small_uuid(1), found->start};
    // Zeros at the end of data need no place in the image.
    auto data = std::span<const std::byte>{program.data};
    while (!data.empty() && data.back() == std::byte{0}) data = data.first(data.size() - 1);
    const auto bss = static_cast<std::uint32_t>(program.data.size() - data.size());
    const femto::image_contents contents{
        program.text, program.rodata, data, bss, {&entry, 1}, {}, {}, {.fuel = 1'000'000}};
    std::vector<std::uint64_t> image(femto::image_size(contents) / 8 + 1);
    const auto written = femto::write_image(contents, std::as_writable_bytes(std::span{image}));
    return written ? image : std::vector<std::uint64_t>{};
}

}  // namespace bench
