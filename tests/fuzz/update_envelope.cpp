// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as an envelope, with cryptography that accepts everything, so that what
// follows a signature is reached.
#include <femto/update/processor.hpp>

#include <cstdlib>

using namespace femto;
using namespace femto::update;

namespace {

/// Its digest is what the wrapper most likely holds in a mutated vector: anything, so all zero.
struct no_crypto {
    struct hash {
        bool update(bytes) { return true; }
        bool finish(sha256_digest& out) { return out.fill(0), true; }
    };
    static constexpr bool supports(key_type) { return true; }
    bool verify(key_type, bytes, bytes, signature_bytes) { return true; }
};

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
    no_crypto backend;
    device target;
    constexpr limits wide{.envelope = 4096, .components = 4, .legacy_algorithms = true};
    const auto plan = prepare_update<wide>(backend, anchors, {id, id, id}, target, input);
    if (plan.has_value() && plan->count == 0) std::abort();
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
        detail::dry_pass<wide, device>{target, {id, id, id}, envelope, out, first}.run(*steps);
        if (first.address > size) std::abort();
    }
    return 0;
}
