// SPDX-License-Identifier: Apache-2.0
// Any bytes as a container image: every view lies inside them, what is parsed can be loaded and
// written again, byte for byte where padding is zero.
#include "fuzz.hpp"

#include "../model/machines.hpp"

#include <femto/image_writer.hpp>

namespace {

bool inside(std::span<const std::byte> part, std::span<const std::byte> whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::copy(data, size);
    const auto parsed = femto::parse_image(file);
    if (!parsed) {
        fuzz::require(parsed.error().code != femto::errc::ok, "no cause");
        return 0;
    }
    const femto::image& i = *parsed;
    fuzz::require(inside(i.bytes(), file) && inside(std::as_bytes(i.text()), i.bytes()) &&
                      inside(i.rodata(), i.bytes()) && inside(i.initial_data(), i.bytes()),
                  "a section outside the image");
    std::vector<femto::image_contents::entry> entries;
    std::vector<femto::image::region_request> regions;
    std::vector<std::uint32_t> helpers;
    for (std::uint32_t n = 0; n < i.entries(); ++n) entries.push_back({i.entry_hook(n), i.entry_pc(n)});
    for (std::uint32_t n = 0; n < i.regions(); ++n) regions.push_back(i.region(n));
    for (std::uint32_t n = 0; n < i.helpers(); ++n) helpers.push_back(i.helper(n));
    const femto::image_contents contents{i.text(), i.rodata(), i.initial_data(), i.bss_size(),
                                         entries, regions, helpers, i.request()};
    std::vector<std::uint64_t> words(femto::image_size(contents) / 8 + 1);
    const auto again = std::as_writable_bytes(std::span{words});
    const auto written = femto::write_image(contents, again);
    fuzz::require(written.has_value() && *written == i.bytes().size(), "cannot be written again");
    const auto reparsed = femto::parse_image(again.first(*written));
    fuzz::require(reparsed.has_value(), "cannot be read again");

    if (i.data_storage() > 1u << 20) return 0;
    std::vector<std::byte> ram(i.data_storage());
    std::vector<femto::function> functions(i.functions_needed());
    const auto program = load(i, {ram, functions, {}});
    fuzz::require(program.has_value(), "cannot be loaded");
    using vm = femto::vm<femto::config{.max_instructions = 1u << 20}, model::helpers::all>;
    std::vector<std::uint8_t> scratch(femto::scratch_size(*program));
    const auto verified = vm::verify(*program, scratch);
    if (!verified) return 0;
    vm m;
    std::vector<std::byte> context(16);
    static_cast<void>(m.run(*verified, verified->entry(), std::span{context}, 300));
    return 0;
}
