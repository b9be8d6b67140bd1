// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../hooks.hpp"

#include <string>
#include <string_view>

namespace femto_tool {

/// RFC 9562, section 5.5: SHA-1 of a name in a namespace.
[[nodiscard]] femto::uuid uuid5(const femto::uuid& space, std::string_view name);

/// What SUIT calls vendor and class (draft-ietf-suit-manifest-37, "Constructing UUIDs"): a UUID as it
/// stands, otherwise uuid5(DNS, domain) and uuid5(vendor, name).
[[nodiscard]] femto::uuid vendor_id(std::string_view domain_or_uuid);
[[nodiscard]] femto::uuid class_id(const femto::uuid& vendor, std::string_view name_or_uuid);

/// Who `femto device` is, and for whom `femto sign` signs, if nothing else is said.
inline constexpr const char* default_vendor = "femto.example";
inline constexpr const char* default_class = "femto device";

}  // namespace femto_tool
