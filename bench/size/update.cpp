// SPDX-License-Identifier: Apache-2.0
// One part of an update, for size.py: FRAMING is envelope, COSE_Sign1 and the members of the manifest;
// PROCESSOR that and everything up to the plan; SLOTS the storage; UPDATER all of it, with one component.
// Without cryptography: hashing and verifying are somebody else's.
#include <femto/update/updater.hpp>

using namespace femto;
using namespace femto::update;

namespace measured {

struct backend {
    struct hash {
        bool update(bytes data);
        bool finish(sha256_digest& out);
        std::uint32_t state = 0;
    };
    static constexpr bool supports(key_type) { return true; }
    bool verify(key_type type, bytes key, bytes message, signature_bytes signed_by);
};
struct device {
    std::optional<std::size_t> find(bytes id);
    std::uint64_t capacity(std::size_t component);
    result<update_floor> floor(std::size_t component);
    bool fetches(bytes uri);
};
struct flash {
    static constexpr std::size_t erase_size = 4096, program_size = 8;
    static constexpr bool volatile_floor = false;
    bool read(std::size_t at, std::span<std::uint8_t> to);
    bool program(std::size_t at, bytes from);
    bool erase(std::size_t at);
    bool sync();
};
using slots_type = component_slots<flash, backend::hash, 4096>;
struct component {
    bytes id();
    slots_type& slots();
    bool ready();
    result<void> prepare(std::uint8_t slot, std::uint32_t size);
    result<void> activate();
    void discard();
    void poll();
};
using updater_type = updater<limits{}, backend, component>;

}  // namespace measured

using namespace measured;

#if defined(FRAMING)
extern "C" errc part(backend& b, std::span<const trust_anchor> anchors, bytes envelope, manifest& to) {
    static constexpr limits bounds{};
    detail::authentication<backend> steps{bounds};
    steps.run(b, anchors, envelope);
    if (!steps.failed()) detail::read_manifest(steps.out, to, steps.first);
    return steps.first.code;
}
#elif defined(PROCESSOR)
extern "C" errc part(backend& b, std::span<const trust_anchor> anchors, const device_identity& who,
                     device& d, bytes envelope) {
    const auto plan = prepare_update(b, anchors, who, d, envelope);
    return plan.has_value() ? errc::ok : plan.error().code;
}
#elif defined(SLOTS)
extern "C" errc part(slots_type& s, int what, bytes data, const sha256_digest& digest) {
    const auto code = [](const auto& r) { return r.has_value() ? errc::ok : r.error().code; };
    switch (what) {
    case 0: return code(s.begin(data.size()));
    case 1: return code(s.write_chunk(s.received(), data));
    case 2: return code(s.finish(digest));
    case 3: return code(s.commit(1, digest));
    case 4: return code(s.confirm());
    case 5: return code(s.revert());
    default: return code(s.boot());
    }
}
/// The state of an update is that of an updater beside its envelope and that of the slots.
char ram_of_a_machine[sizeof(slots_type)];
#else
extern "C" errc part(updater_type& u, const update_chunk& chunk, std::uint32_t now) {
    u.poll(now);
    const auto r = u.wanted() ? u.image_chunk(chunk) : u.envelope_chunk(1, chunk);
    return r.has_value() ? errc::ok : r.error().code;
}
char ram_of_a_machine[sizeof(updater_type) - limits{}.envelope];
#endif
