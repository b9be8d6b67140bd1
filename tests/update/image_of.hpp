// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support.hpp"

#include <femto/image_writer.hpp>

#include <algorithm>
#include <cstdlib>

namespace test {

/// The image of a container that hangs on the first hook.
inline raw image_of(std::span<const instruction> text) {
    image_contents::entry entry{{}, 0};
    std::ranges::copy(first_hook, entry.hook.bytes.begin());
    image_contents contents{};
    contents.text = text;
    contents.entries = {&entry, 1};
    contents.request = {100, 64, 0, false};
    raw out(image_size(contents));
    if (!write_image(contents, std::as_writable_bytes(std::span{out}))) std::abort();
    return out;
}

}  // namespace test
