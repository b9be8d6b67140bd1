// SPDX-License-Identifier: Apache-2.0
// A whole update on the board: envelopes of another author, their signatures checked by PSA Crypto and
// by libsodium, the container on its hook. Prints what each stage costs.
#include "../check.hpp"
#include "clock.hpp"
#include "envelopes.hpp"

#include "../../../ports/host/simulated_flash.hpp"

#include <femto/helpers/store.hpp>
#include <femto/update/hook_component.hpp>
#include <femto/update/psa_crypto.hpp>
#include <femto/update/sodium.hpp>
#include <femto/update/updater.hpp>

#include <mbedtls/memory_buffer_alloc.h>

using namespace femto;
using namespace femto::update;

// What the libraries want of a system. Checking a signature takes no random number: these fail.
extern "C" psa_status_t mbedtls_psa_external_get_random(mbedtls_psa_external_random_context_t*,
                                                        std::uint8_t*, std::size_t, std::size_t*) {
    return PSA_ERROR_INSUFFICIENT_ENTROPY;
}
extern "C" void randombytes_buf(void*, std::size_t) {
    femto_check::failed_for_good("", 0, "randombytes_buf");
}
// Mbed TLS has a heap of its own here, and libsodium needs none to verify.
extern "C" void* malloc(std::size_t) { femto_check::failed_for_good("", 0, "malloc"); }
extern "C" void* calloc(std::size_t, std::size_t) { femto_check::failed_for_good("", 0, "calloc"); }
extern "C" void free(void*) {}
extern "C" [[noreturn]] void exit(int) { femto_check::failed_for_good("", 0, "exit"); }
extern "C" void sodium_misuse() { femto_check::failed_for_good("", 0, "sodium_misuse"); }

namespace {

constexpr std::uint8_t vendor[]{0xcf, 0xbf, 0xf0, 0xd1, 0x93, 0x75, 0x56, 0x85,
                                0x96, 0x8c, 0x48, 0xce, 0x8b, 0x15, 0xae, 0x17};
constexpr std::uint8_t device_class[]{0x16, 0x5a, 0x5b, 0x96, 0xb9, 0x01, 0x5f, 0x3a,
                                      0x90, 0xb8, 0x17, 0xef, 0x18, 0xb9, 0xc0, 0x3d};
constexpr uuid hook_id{{0xe4, 0xfe, 0xe9, 0x62, 0x66, 0x55, 0x51, 0x57, 0xab, 0x26, 0x1a, 0x59, 0x56,
                        0x1b, 0xb5, 0x71}};
constexpr std::uint8_t p256_key[]{
    0x04, 0x84, 0x96, 0x81, 0x1a, 0xae, 0x0b, 0xaa, 0xab, 0xd2, 0x61, 0x57, 0x18, 0x9e, 0xec, 0xda, 0x26,
    0xbe, 0xaa, 0x8b, 0xf1, 0x1b, 0x6f, 0x3f, 0xe6, 0xe2, 0xb5, 0x65, 0x9c, 0x85, 0xdb, 0xc0, 0xad, 0x3b,
    0x1f, 0x2a, 0x4b, 0x6c, 0x09, 0x81, 0x31, 0xc0, 0xa3, 0x6d, 0xac, 0xd1, 0xd7, 0x8b, 0xd3, 0x81, 0xdc,
    0xdf, 0xb0, 0x9c, 0x05, 0x2d, 0xb3, 0x39, 0x91, 0xdb, 0x73, 0x38, 0xb4, 0xa8, 0x96};
constexpr std::uint8_t ed25519_key[]{0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
                                     0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
                                     0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};

struct platform {
    using guard = no_critical_section;
    store_pool<4, guard> stores;
};
using engine_type = engine<platform, helpers::stores<platform>,
                           engine_config{.machine = {.dispatch = dispatch::compact, .stack_size = 64},
                                         .sleepers = 0, .containers = 2, .tenants = 1}>;
using flash = port::host::simulated_flash<1024>;
using slots_type = component_slots<flash, psa_crypto::hash, 256>;

unsigned char crypto_heap[8192];

struct device {
    platform host{};
    engine_type engine{host};
    tenant_offer everyone[1]{{}};
    hook_declaration declared{hook_id, hook_policy::all, everyone};
    engine_type::hook<std::uint64_t, 1> hook{declared};
    flash memory{};
    slots_type slots{memory};
    hook_component<engine_type, decltype(hook), slots_type> component{engine, hook, slots};

    psa_crypto psa{};
    sodium_crypto sodium{};
    either_crypto<psa_crypto, sodium_crypto> both{psa, sodium};
    bytes rights[1]{hook_id.bytes};
    trust_anchor anchors[2]{{key_type::p256, p256_key, {}, rights},
                            {key_type::ed25519, ed25519_key, {}, rights}};
    update_policy policy{anchors, {vendor, device_class, {}}};
    updater<limits{}, decltype(both), decltype(component)> updates{both, policy, component};

    device() {
        std::ranges::fill(crypto_heap, std::uint8_t{0});
        mbedtls_memory_buffer_alloc_init(crypto_heap, sizeof crypto_heap);
        REQUIRE(psa_crypto_init() == PSA_SUCCESS);
        REQUIRE(slots.format().has_value());
    }
    ~device() {
        mbedtls_psa_crypto_free();
        mbedtls_memory_buffer_alloc_free();
    }
    error send(bytes envelope) {
        for (std::size_t at = 0; at < envelope.size(); at += 64) {
            const auto length = std::min<std::size_t>(64, envelope.size() - at);
            const auto r = updates.envelope_chunk(
                1, {at, envelope.subspan(at, length), at + length < envelope.size()});
            if (!r.has_value()) return r.error();
        }
        return {};
    }
    std::int64_t fire() {
        std::uint64_t context = 0;
        return engine.fire(hook, context).value;
    }
};

void replace_twice(bytes first, bytes second) {
    device d;
    CHECK(d.fire() == 0);
    CHECK(d.send(first) == error{});
    CHECK(d.fire() == 1);
    CHECK(d.send(second) == error{});
    CHECK(d.fire() == 2);
    CHECK(d.send(first).code == errc::update_rollback);
    CHECK(d.fire() == 2);
    d.updates.poll(0);
    CHECK_FALSE(d.memory.misused());
}

template <class Step>
auto measured(const char* name, Step step) {
    const auto before = instructions();
    const auto r = step();
    const auto after = instructions();
    femto_check::print(name);
    femto_check::print(": ");
    femto_check::print_number(after - before);
    femto_check::print(" instructions\n");
    return r;
}

}  // namespace

TEST_CASE("target update: PSA Crypto checks P-256, and the container is replaced while its hook fires") {
    replace_twice(envelopes::container_9_1, envelopes::container_9_2);
}

TEST_CASE("target update: libsodium checks Ed25519") {
    replace_twice(envelopes::container_19_1, envelopes::container_19_2);
}

TEST_CASE("target update: no flipped bit of a signature is accepted") {
    device d;
    std::uint8_t envelope[sizeof envelopes::container_9_1];
    std::ranges::copy(envelopes::container_9_1, envelope);
    error first;
    const auto wrapper = bytes{envelope};
    // The signature is the last 64 bytes of the wrapper, which is member 2 of the envelope.
    const std::size_t end = 6 + wrapper[5];
    for (std::size_t bit = 0; bit < 512; bit += 73) {
        envelope[end - 1 - bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        CHECK(d.send(envelope).code == errc::update_bad_signature);
        envelope[end - 1 - bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    }
    CHECK(d.fire() == 0);
    CHECK(d.send(envelope) == error{});
    CHECK(d.fire() == 1);
}

TEST_CASE("target update: what each stage costs") {
    device d;
    const auto signed_by = measured("authenticate, P-256", [&] {
        return authenticate(d.both, d.anchors, envelopes::container_9_1);
    });
    const auto used = std::find_if(std::rbegin(crypto_heap), std::rend(crypto_heap),
                                   [](auto byte) { return byte != 0; });
    CHECK(measured("authenticate, Ed25519", [&] {
        return authenticate(d.both, d.anchors, envelopes::container_19_1);
    }).has_value());
    REQUIRE(signed_by.has_value());
    CHECK(measured("read the manifest", [&] { return read_manifest(*signed_by); }).has_value());
    const auto plan = measured("all of the above and the dry pass", [&] {
        return prepare_update(d.both, d.anchors, d.policy.identity, d.updates,
                              envelopes::container_9_1);
    });
    REQUIRE(plan.has_value());
    const auto& one = plan->components[0];
    CHECK(measured("erase a slot", [&] { return d.slots.begin(one.size); }).has_value());
    CHECK(measured("stage the image", [&] { return d.slots.write_chunk(0, one.payload); }).has_value());
    sha256_digest digest{};
    std::copy_n(one.image_digest, digest.size(), digest.begin());
    const auto slot = measured("match the image", [&] { return d.slots.finish(digest); });
    REQUIRE(slot.has_value());
    CHECK(measured("parse, verify and check the contract", [&] {
        return d.component.prepare(*slot, one.size);
    }).has_value());
    CHECK(measured("commit", [&] {
        return d.slots.commit(plan->sequence_number, plan->manifest_digest);
    }).has_value());
    CHECK(measured("switch the hook", [&] { return d.component.activate(); }).has_value());
    CHECK(d.fire() == 1);
    femto_check::print("RAM: updater ");
    femto_check::print_number(sizeof d.updates - limits{}.envelope);
    femto_check::print(" bytes beside the envelope, slots ");
    femto_check::print_number(sizeof d.slots);
    femto_check::print(", component ");
    femto_check::print_number(sizeof d.component);
    femto_check::print(", heap of PSA Crypto ");
    femto_check::print_number(static_cast<std::uint64_t>(std::rend(crypto_heap) - used));
    femto_check::print("\n");
}
