// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace femto::update {

/// Where in an update an error arose: `error::pc` of every error of this directory. In the order
/// in which an update goes through them.
enum class stage : std::uint32_t {
    none = 0,
    envelope = 1,    ///< tag, members, framing; nothing is authenticated yet
    wrapper = 2,     ///< the authentication wrapper and the COSE_Sign1 in it
    digest = 3,      ///< the manifest is the one that the wrapper names
    signature = 4,   ///< an anchor's key signed it
    manifest = 5,    ///< members of the manifest
    components = 6,  ///< components, and the rights of the key
    sequence = 7,    ///< sequence number against the floor of each component
    commands = 8,    ///< dry pass over the command sequences
    fetch = 9,       ///< the payload arrives
    image = 10,      ///< the staged image against its digest
    program = 11,    ///< the device looks at the program
    commit = 12,     ///< the record is written
};

}  // namespace femto::update
