// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cbor_writer.hpp"

#include <femto/image.hpp>

#include <string>
#include <vector>

namespace femto_tool {

/// The container image in a file that `femto pack` wrote. Throws user_error.
[[nodiscard]] octets container_image(const std::string& path);

/// The hooks that an image has entries for. Throws user_error, which names `path`.
[[nodiscard]] std::vector<femto::uuid> hooks_of_image(const octets& image, const std::string& path);

}  // namespace femto_tool
