// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "commands.hpp"
#include "key_file.hpp"

#include <cstdio>
#include <unistd.h>

namespace femto_tool {

int keygen(const keygen_options& o) {
    start_crypto();
    const auto key = generate_key(o.type);
    std::string passphrase;
    if (o.passphrase || !o.passphrase_file.empty())
        passphrase = passphrase_from(o.passphrase_file, true)();
    const auto secret_file = o.name + ".key", public_file = o.name + ".pub";
    if (access(public_file.c_str(), F_OK) == 0)
        throw user_error{public_file + ": is there already, and is not replaced"};
    write_private_key(secret_file, key, passphrase);
    write_public_key(public_file, key.public_part());
    std::printf("%s  the private key (%s), %s: keep it, sign with it\n"
                "%s  the public key, %s: give it to devices and to whoever checks\n",
                secret_file.c_str(), name_of(o.type),
                passphrase.empty() ? "readable by you alone, not sealed" : "sealed with the passphrase",
                public_file.c_str(), fingerprint(key.public_part()).c_str());
    return 0;
}

}  // namespace femto_tool
