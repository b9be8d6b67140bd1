// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "commands.hpp"
#include "crypto.hpp"
#include "envelope_view.hpp"
#include "files.hpp"
#include "../hooks.hpp"
#include "key_file.hpp"

#include <cstdio>

namespace femto_tool {
namespace {

std::string id_text(const octets& id, const char* name_of_default,
                    const femto::uuid& default_id) {
    if (id.size() != 16) return id.empty() ? "any" : hex(id) + " (no UUID)";
    femto::uuid u;
    std::copy(id.begin(), id.end(), u.bytes.begin());
    return to_string(u) + (u == default_id ? " (" + std::string{name_of_default} + ")" : "");
}

void row(const char* name, const std::string& value) {
    std::printf("  %-11s %s\n", name, value.c_str());
}

/// Verifies as a device does, with these keys as anchors. Prints the outcome.
bool verify(const octets& envelope, const std::vector<std::string>& files,
            std::vector<public_key>& keys) {
    host_crypto crypto;
    std::vector<femto::update::trust_anchor> anchors;
    for (const auto& file : files) keys.push_back(read_public_key(file));
    for (const auto& key : keys) anchors.push_back({key.type, key.key});
    femto::update::limits bounds;
    bounds.envelope = envelope.size();
    bounds.legacy_algorithms = true;
    const auto found = femto::update::authenticate(crypto.both, anchors, envelope, bounds);
    if (!found) {
        row("signature", "NOT VERIFIED: " + in_words(found.error()));
        return false;
    }
    const auto n = static_cast<std::size_t>(found->anchor - anchors.data());
    row("signature", "verified: by " + files[n] + " (" + name_of(keys[n].type) + " key " +
                         fingerprint(keys[n]) + ")");
    return true;
}

}  // namespace

int show_manifest(const show_options& o) {
    start_crypto();
    const auto envelope = read_octets(o.envelope);
    const auto view = read_envelope(envelope, o.envelope);
    std::printf("%s: %zu bytes, a SUIT envelope (draft-ietf-suit-manifest-37)\n", o.envelope.c_str(),
                envelope.size());
    bool verified = true;
    if (o.trust.empty()) {
        std::string how;
        for (const auto algorithm : view.algorithms) {
            how += (how.empty() ? "" : ", ") +
                   std::string{algorithm == -9 || algorithm == -7      ? "ECDSA on P-256"
                               : algorithm == -19 || algorithm == -8 ? "Ed25519"
                                                                     : "unknown algorithm"};
        }
        row("signature", how.empty() ? "none: devices refuse it"
                                     : how + "; not checked, name the key with --trust");
    } else {
        std::vector<public_key> keys;
        verified = verify(envelope, o.trust, keys);
    }
    row("sequence", std::to_string(view.manifest.sequence_number) +
                        ": devices that have a higher one refuse it");
    const auto vendor = vendor_id(default_vendor);
    row("vendor", id_text(view.vendor, default_vendor, vendor));
    row("class", id_text(view.device_class, default_class, class_id(vendor, default_class)));
    if (!view.device.empty()) row("device", id_text(view.device, "", {}));
    std::string component;
    for (const auto& part : view.component) {
        femto::uuid u;
        if (part.size() == u.bytes.size()) std::copy(part.begin(), part.end(), u.bytes.begin());
        component += (component.empty() ? "" : " / ") +
                     (part.size() == u.bytes.size()
                          ? to_string(u) +
                                (hook_title(u) != to_string(u) ? " (" + hook_title(u) + ")" : "")
                          : hex(part));
    }
    row("hook", component.empty() ? "none" : component);
    row("image", std::to_string(view.image_size) + " bytes, SHA-256 " + hex(view.image_digest));
    if (view.uri.starts_with("#")) {
        const auto digest = digest_of(view.payload);
        const bool right = view.payload.size() == view.image_size &&
                           std::equal(digest.begin(), digest.end(), view.image_digest.begin(),
                                      view.image_digest.end());
        row("", "inside this envelope, " + std::string{right ? "and it is the one named"
                                                             : "BUT NOT THE ONE NAMED"});
        verified = verified && right;
    } else if (!view.uri.empty()) {
        row("", "fetched from " + view.uri);
    }
    std::printf("  what a device does:\n");
    for (const auto& step : view.steps) std::printf("    %s\n", step.c_str());
    return verified ? 0 : 1;
}

}  // namespace femto_tool
