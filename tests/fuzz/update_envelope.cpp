// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as an envelope, with cryptography that accepts everything, so that what
// follows a signature is reached.
#include "any_crypto.hpp"

#include <femto/update/processor.hpp>

#include <cstdlib>

using namespace femto;
using namespace femto::update;

namespace {

struct device {
    std::optional<std::size_t> find(bytes id) { return id.empty() ? 0 : id[0] % 4u; }
    std::uint64_t capacity(std::size_t) { return 4096; }
    result<update_floor> floor(std::size_t) { return update_floor{}; }
    bool fetches(bytes) { return true; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const bytes input{data, size};
    static constexpr std::uint8_t key[65]{};
    static const bytes nothing[]{bytes{}};
    const trust_anchor anchors[]{{key_type::ed25519, bytes{key}.first(32), {}, nothing},
                                 {key_type::p256, key, {}, nothing}};
    static constexpr std::uint8_t id[16]{};
    fuzz::any_crypto::look(input);
    fuzz::any_crypto backend;
    device target;
    constexpr limits wide{.envelope = 4096, .components = 4, .legacy_algorithms = true};
    const auto plan = prepare_update<wide>(backend, anchors, {id, id, id}, target, input);
    if (plan.has_value() && (plan->count == 0 || plan->count > 4)) std::abort();
    if (!plan.has_value() && plan.error().address > size) std::abort();

    // The manifest alone, as if it had been signed.
    authenticated envelope;
    envelope.manifest = {input, 0};
    envelope.anchor = anchors;
    const auto steps = read_manifest(envelope);
    if (steps.has_value()) {
        error first;
        update_plan<4> out;
        out.count = 1;
        const device_identity identity{id, id, id};
        detail::planning<wide, device>{target, identity, envelope, out, first}.read_commands(*steps);
        if (first.address > size) std::abort();
    }
    return 0;
}
