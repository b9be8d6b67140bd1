// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cbor_writer.hpp"

#include <femto/image.hpp>

#include <optional>
#include <string>
#include <vector>

namespace femto_tool {

/// The container image in a file that `femto pack` wrote, or that it would make of an object; `hook`
/// is for objects that do not say theirs. Empty if the object was refused, which has been printed
/// then. Throws user_error.
[[nodiscard]] std::optional<octets> container_image(const std::string& path,
                                                    const std::string& hook);

/// The hooks that an image has entries for. Throws user_error, which names `path`.
[[nodiscard]] std::vector<femto::uuid> hooks_of_image(const octets& image, const std::string& path);

}  // namespace femto_tool
