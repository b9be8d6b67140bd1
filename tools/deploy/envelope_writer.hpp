// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "key_file.hpp"
#include "uuid.hpp"

#include <functional>
#include <optional>
#include <string>

namespace femto_tool {

/// What an envelope says: "this image belongs on this hook of such devices".
struct envelope_contents {
    femto::uuid hook;  ///< the component: one byte string of 16 bytes
    femto::uuid vendor;
    femto::uuid device_class;
    std::optional<femto::uuid> device{};  ///< for one device only
    std::uint64_t sequence = 0;
    octets image;
    std::string uri{};  ///< where the image is fetched from; empty: it goes inside
};

/// Writes a SUIT envelope of the profile that devices accept (docs/updates.md): one component, one
/// COSE_Sign1 by ESP256 or Ed25519, deterministic CBOR. `sign` signs the message it is given.
[[nodiscard]] octets write_envelope(
    const envelope_contents& contents, femto::update::key_type type,
    const std::function<signature(femto::update::bytes)>& sign);

}  // namespace femto_tool
