// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "commands.hpp"
#include "envelope_writer.hpp"
#include "files.hpp"
#include "../hooks.hpp"
#include "image_file.hpp"

#include <femto/update/envelope.hpp>

#include <ctime>
#include <filesystem>

namespace femto_tool {
namespace {

femto::uuid hook_of(const sign_options& o, const octets& image) {
    femto::uuid id;
    const auto hooks = hooks_of_image(image, o.image);
    if (o.hook.empty()) {
        if (hooks.size() == 1) return hooks[0];
        throw user_error{o.image + ": is for " + std::to_string(hooks.size()) +
                         " hooks; choose one with --hook"};
    }
    if (!hook_named(o.hook, id)) {
        throw user_error{"--hook " + o.hook + ": neither a UUID nor a hook of femto device (" +
                         hook_names() + ")"};
    }
    for (const auto& h : hooks)
        if (h == id) return id;
    throw user_error{o.image + ": has no entry for hook " + to_string(id) +
                     ", so that no device could hang it there"};
}

}  // namespace

int sign(const sign_options& o) {
    start_crypto();
    if (o.key.empty() == o.signer.empty())
        throw user_error{"give the key either with --key or with --signer and --public-key"};
    if (!o.uri.empty() && !o.uri.starts_with("coap://"))
        throw user_error{"--uri " + o.uri + ": devices fetch from coap:// only"};
    if (o.uri.size() > femto::update::limits{}.uri)
        throw user_error{"--uri: devices accept no more than " +
                         std::to_string(femto::update::limits{}.uri) + " characters"};
    envelope_contents contents;
    auto image = container_image(o.image, o.hook);
    if (!image) return 1;
    contents.image = std::move(*image);
    contents.hook = hook_of(o, contents.image);
    contents.vendor = vendor_id(o.vendor);
    contents.device_class = class_id(contents.vendor, o.device_class);
    if (!o.device.empty()) {
        contents.device.emplace();
        if (!parse_uuid(o.device, *contents.device))
            throw user_error{"--device " + o.device + ": not a UUID"};
    }
    contents.sequence = o.sequence.value_or(static_cast<std::uint64_t>(std::time(nullptr)));
    contents.uri = o.uri;
    const auto output = !o.output.empty()
                            ? o.output
                            : std::filesystem::path{o.image}.replace_extension(".suit").string();

    octets envelope;
    public_key verifier;
    if (!o.key.empty()) {
        const auto key = read_private_key(o.key, passphrase_from(o.passphrase_file, false));
        verifier = key.public_part();
        envelope = write_envelope(contents, verifier.type,
                                  [&](auto message) { return key.sign(message); });
    } else {
        if (o.public_key.empty())
            throw user_error{"--signer needs --public-key: to choose the algorithm, and to check"};
        verifier = read_public_key(o.public_key);
        envelope = write_envelope(contents, verifier.type, [&](auto message) {
            return sign_by_command(o.signer, verifier, message);
        });
    }
    write_file(output, envelope);
    std::printf("%s  %zu bytes, sequence %llu, for hook %s, signed by %s key %s\n", output.c_str(),
                envelope.size(), static_cast<unsigned long long>(contents.sequence),
                hook_title(contents.hook).c_str(), name_of(verifier.type),
                fingerprint(verifier).c_str());
    if (!o.uri.empty()) {
        const auto file = std::filesystem::path{output}.replace_extension(".img").string();
        write_file(file, contents.image);
        std::printf("%s  %zu bytes, to be fetched from %s\n", file.c_str(), contents.image.size(),
                    o.uri.c_str());
    }
    return 0;
}

}  // namespace femto_tool
