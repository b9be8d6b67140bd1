// SPDX-License-Identifier: Apache-2.0
#include "image_file.hpp"

#include "../commands.hpp"
#include "../container.hpp"
#include "files.hpp"

#include <femto/describe.hpp>

#include <cstring>

namespace femto_tool {
namespace {

/// Calls `f` with the image at an address that is a multiple of 8.
template <class F>
auto with_image(const octets& bytes, const std::string& path, F&& f) {
    std::vector<std::uint64_t> aligned(bytes.size() / 8 + 1);
    std::memcpy(aligned.data(), bytes.data(), bytes.size());
    const auto image = femto::parse_image(std::as_bytes(std::span{aligned}).first(bytes.size()));
    if (!image) {
        const auto d = femto::describe(image.error().code);
        throw user_error{path + ": no container image: " + std::string{d.what} + " [" +
                         std::string{d.name} + "]"};
    }
    return f(*image);
}

}  // namespace

std::optional<octets> container_image(const std::string& path, const std::string& hook) {
    auto bytes = read_octets(path);
    constexpr std::uint8_t elf[]{0x7f, 'E', 'L', 'F'};
    if (bytes.size() >= sizeof elf && std::memcmp(bytes.data(), elf, sizeof elf) == 0) {
        pack_options o;
        o.path = path;
        if (!hook.empty()) o.hooks.push_back(hook);
        const auto image = image_of_object(o);
        if (!image) return {};
        const auto* first = reinterpret_cast<const std::uint8_t*>(image->data());
        return octets(first, first + image->size());
    }
    return with_image(bytes, path, [&](const auto& image) {
        bytes.resize(image.bytes().size());
        return bytes;
    });
}

std::vector<femto::uuid> hooks_of_image(const octets& image, const std::string& path) {
    return with_image(image, path, [](const auto& i) {
        std::vector<femto::uuid> hooks;
        for (std::uint32_t n = 0; n < i.entries(); ++n) hooks.push_back(i.entry_hook(n));
        return hooks;
    });
}

}  // namespace femto_tool
