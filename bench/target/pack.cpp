// SPDX-License-Identifier: Apache-2.0
// Makes a container image of a workload's object: pack OBJECT FUNCTION IMAGE.
#include <support/object.hpp>

#include <femto/image_writer.hpp>

#include <algorithm>
#include <cstdio>

int main(int count, char** arguments) {
    if (count != 4) return 2;
    bench::object object{arguments[1]};
    const std::string_view wanted{arguments[2]};
    const auto program = object.program();
    const auto found = std::find_if(program.functions.begin(), program.functions.end(),
                                           [&](const auto& f) { return f.name == wanted; });
    if (!object.ok() || found == program.functions.end()) {
        std::fprintf(stderr, "%s: no object with the function %s; error %d\n", arguments[1],
                     arguments[2], static_cast<int>(object.error().code));
        return 1;
    }
    const femto::image_contents::entry entry{femto::small_uuid(1), found->start};
    // Zeros at the end of data need no place in the image.
    auto data = std::span<const std::byte>{program.data};
    while (!data.empty() && data.back() == std::byte{0}) data = data.first(data.size() - 1);
    const auto bss = static_cast<std::uint32_t>(program.data.size() - data.size());
    const femto::image_contents contents{
        program.text, program.rodata, data, bss, {&entry, 1}, {}, {}, {.fuel = 1'000'000}};
    std::vector<std::byte> image(femto::image_size(contents));
    const auto written = femto::write_image(contents, image);
    if (!written) {
        std::fprintf(stderr, "%s: error %d\n", arguments[1], static_cast<int>(written.error().code));
        return 1;
    }
    std::ofstream out{arguments[3], std::ios::binary};
    out.write(reinterpret_cast<const char*>(image.data()),
              static_cast<std::streamsize>(image.size()));
    return out.good() ? 0 : 1;
}
