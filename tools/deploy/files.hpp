// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cbor_writer.hpp"

#include <femto/update/sha256.hpp>

#include <string>
#include <string_view>
#include <sys/types.h>

namespace femto_tool {

/// All throw user_error, which names the file.
[[nodiscard]] octets read_octets(const std::string& path);
/// Never replaces a file that is there; made with exactly this mode.
void write_new_file(const std::string& path, std::string_view content, mode_t mode);
/// Replaces what is there, as a whole or not at all.
void write_file(const std::string& path, std::span<const std::uint8_t> content);

[[nodiscard]] std::string hex(std::span<const std::uint8_t> data);
[[nodiscard]] femto::update::sha256_digest digest_of(std::span<const std::uint8_t> data);

}  // namespace femto_tool
