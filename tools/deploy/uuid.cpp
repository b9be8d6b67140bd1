// SPDX-License-Identifier: Apache-2.0
#include "uuid.hpp"

#include "../container.hpp"

#include <psa/crypto.h>

#include <algorithm>
#include <vector>

namespace femto_tool {

femto::uuid uuid5(const femto::uuid& space, std::string_view name) {
    std::vector<std::uint8_t> message{space.bytes.begin(), space.bytes.end()};
    message.insert(message.end(), name.begin(), name.end());
    std::uint8_t hash[20]{};
    std::size_t length = 0;
    if (psa_hash_compute(PSA_ALG_SHA_1, message.data(), message.size(), hash, sizeof hash,
                         &length) != PSA_SUCCESS) {
        throw user_error{"PSA Crypto on this machine does not compute SHA-1, which UUIDs need"};
    }
    femto::uuid id;
    std::copy_n(hash, id.bytes.size(), id.bytes.begin());
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0f) | 0x50);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

femto::uuid vendor_id(std::string_view domain_or_uuid) {
    constexpr femto::uuid dns{{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
                               0x4f, 0xd4, 0x30, 0xc8}};
    femto::uuid id;
    return parse_uuid(domain_or_uuid, id) ? id : uuid5(dns, domain_or_uuid);
}

femto::uuid class_id(const femto::uuid& vendor, std::string_view name_or_uuid) {
    femto::uuid id;
    return parse_uuid(name_or_uuid, id) ? id : uuid5(vendor, name_or_uuid);
}

}  // namespace femto_tool
