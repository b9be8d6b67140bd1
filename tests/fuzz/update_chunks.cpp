// SPDX-License-Identifier: Apache-2.0
// Fuzz target: whatever a transport may do to an updater: pieces of envelopes and images from several
// senders, of any offset and length, in any order, with time going on. The floor never sinks, and an
// image that is committed is the one that was matched.
#include "any_component.hpp"
#include "any_crypto.hpp"

using namespace femto;
using namespace femto::update;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static constexpr std::uint8_t key[32]{}, first_id[16]{1}, second_id[16]{2}, same_id[16]{};
    static constexpr std::string_view schemes[]{"coap:"};
    static const bytes rights[]{first_id, second_id};
    const trust_anchor anchors[]{{key_type::ed25519, key, {}, rights}};
    const update_policy policy{anchors, {same_id, same_id, same_id}, schemes};
    fuzz::any_crypto backend;
    fuzz::any_component first{first_id}, second{second_id};
    fuzz::require(first.kept.format().has_value() && second.kept.format().has_value(), "format");
    constexpr limits wide{.envelope = 700, .components = 2};
    updater<wide, fuzz::any_crypto, fuzz::any_component, fuzz::any_component> updates{backend, policy,
                                                                                     first, second};

    fuzz::reader in{data, size};
    std::uint64_t floors[2]{};
    std::uint32_t now = 0;
    while (!in.rest().empty()) {
        const auto what = in.byte();
        const auto length = std::min<std::size_t>(in.byte() * 4u, in.rest().size());
        std::vector<std::uint8_t> piece;
        for (std::size_t n = 0; n < length; ++n) piece.push_back(in.byte());
        fuzz::any_crypto::look(piece);
        const auto wanted = updates.wanted();
        const std::uint64_t next = wanted ? wanted->at : updates.received();
        const update_chunk chunk{(what & 8) != 0 ? in.value<std::uint64_t>() : next, piece,
                                 (what & 16) != 0};
        switch (what & 7) {
        case 0: updates.poll(now += in.byte()); break;
        case 1: updates.abort(); break;
        case 2: static_cast<void>(updates.restart_image()); break;
        case 3:
        case 4: static_cast<void>(updates.image_chunk(chunk)); break;
        default: static_cast<void>(updates.envelope_chunk(what >> 7, chunk)); break;
        }
        fuzz::require(updates.received() <= wide.envelope, "the envelope fits");
        fuzz::any_component* const all[]{&first, &second};
        for (std::size_t n = 0; n < 2; ++n) {
            const auto record = all[n]->kept.load();
            fuzz::require(record.has_value(), "there is a record");
            fuzz::require(record->sequence_number >= floors[n], "the floor does not sink");
            floors[n] = record->sequence_number;
        }
    }
    return 0;
}
