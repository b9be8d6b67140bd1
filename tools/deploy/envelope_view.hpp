// SPDX-License-Identifier: Apache-2.0
// Envelopes as people read them. Looks at what is not verified, too, so nothing here is for devices.
#pragma once

#include "cbor_writer.hpp"
#include "uuid.hpp"

#include <femto/update/manifest.hpp>

#include <string>
#include <vector>

namespace femto_tool {

/// What an envelope says about itself, whoever wrote it.
struct envelope_view {
    femto::update::authenticated parts{};  ///< not authenticated here: only taken apart
    femto::update::manifest manifest{};
    std::vector<std::int64_t> algorithms{};  ///< of its signatures
    std::vector<octets> component{};         ///< the parts of the first component's identifier
    octets image_digest{};                   ///< of the first component, as all below
    std::uint64_t image_size = 0;
    std::string uri{};
    octets payload{};  ///< if it is inside
    octets vendor{}, device_class{}, device{};
    std::vector<std::string> steps{};  ///< what the device does, in words, in its order
};

/// Throws user_error, with the offset, for what is no envelope or uses what the profile refuses.
[[nodiscard]] envelope_view read_envelope(const octets& envelope, const std::string& path);

/// An error of `femto/update` in words: what, at which stage, at which byte.
[[nodiscard]] std::string in_words(const femto::error& e);

}  // namespace femto_tool
