// SPDX-License-Identifier: Apache-2.0
// Block options, and both transfers over a transport that loses, repeats, reorders and changes blocks:
// what has no effect, and each refusal with code and place. The updater is the real one.
#include "../fuzz/any_component.hpp"
#include "../fuzz/any_crypto.hpp"
#include "catch.hpp"

#include <femto/update/blockwise.hpp>

#include <string>
#include <vector>

using namespace femto;
using namespace femto::update;

namespace {

using raw = std::vector<std::uint8_t>;

error at(errc code, stage where, std::uint64_t address) {
    return {code, static_cast<std::uint32_t>(where), address};
}

/// `size` bytes that are all different from their neighbours.
raw body_of(std::size_t size) {
    raw body(size);
    for (std::size_t n = 0; n < size; ++n) body[n] = static_cast<std::uint8_t>(n * 7 + n / 256);
    return body;
}

/// A server of one resource, and what arrived of it.
struct transfer {
    raw body;
    block_fetch fetch;
    raw etag = body_of(3);
    raw arrived{};
    error sink_fails{};

    transfer(std::size_t size, std::uint8_t exponent) : body{body_of(size)}, fetch{size, exponent} {}

    /// Block `number` of the size that `exponent` says, as it should be.
    [[nodiscard]] block_option option(std::uint32_t number, std::uint8_t exponent) const {
        const block_option block{number, false, exponent};
        return {number, block.offset() + block.size() < body.size(), exponent};
    }
    [[nodiscard]] bytes payload(const block_option& block) const {
        return bytes{body}.subspan(block.offset(),
                                   std::min<std::size_t>(block.size(), body.size() - block.offset()));
    }
    result<bool> give(std::optional<block_option> option, bytes data) {
        return fetch.on_block(option, etag, data,
                              [&](std::uint64_t offset, bytes chunk, bool more) -> result<void> {
                                  if (sink_fails.code != errc::ok) return failure{sink_fails};
                                  CHECK(offset == arrived.size());
                                  CHECK(more == (offset + chunk.size() < body.size()));
                                  arrived.insert(arrived.end(), chunk.begin(), chunk.end());
                                  return {};
                              });
    }
    result<bool> give(std::uint32_t number, std::uint8_t exponent) {
        const auto block = option(number, exponent);
        return give(block, payload(block));
    }
    /// The refusal, after which nothing more has arrived.
    error refused(std::optional<block_option> option, bytes data) {
        const auto before = fetch.received();
        const auto r = give(option, data);
        REQUIRE(!r.has_value());
        CHECK(fetch.received() == before);
        CHECK(arrived.size() == before);
        return r.error();
    }
    void finish() {
        while (!fetch.done()) {
            const auto next = fetch.next();
            REQUIRE(*give(next.number, next.size_exponent));
        }
        CHECK(arrived == body);
    }
};

}  // namespace

TEST_CASE("update blockwise: an option is decoded and encoded at every limit of its fields") {
    for (std::uint8_t szx = 0; szx < 7; ++szx) {
        for (const std::uint32_t number : {0u, 1u, 15u, 16u, 4095u, 4096u, block_option::max_number}) {
            for (const bool more : {false, true}) {
                const block_option block{number, more, szx};
                const std::uint32_t value = block.encode();
                CHECK(value == (number << 4 | (more ? 8u : 0u) | szx));
                REQUIRE(value < 1u << 24);
                const raw all{static_cast<std::uint8_t>(value >> 16),
                              static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
                CHECK(block_option::decode(all) == block);
                // As it is sent: without leading zeros.
                const std::size_t zeros = value == 0 ? 3 : value < 0x100 ? 2 : value < 0x10000 ? 1 : 0;
                CHECK(block_option::decode(bytes{all}.subspan(zeros)) == block);
                CHECK(block.size() == 16u << szx);
                CHECK(block.offset() == std::uint64_t{number} * block.size());
            }
        }
    }
    static_assert(block_option{block_option::max_number, false, 6}.offset() == (1u << 30) - 1024);
}

TEST_CASE("update blockwise: an option of no bytes is 0, of more than three or with SZX 7 is none") {
    CHECK(block_option::decode({}) == block_option{0, false, 0});
    CHECK(block_option::decode(raw{0x0e}) == block_option{0, true, 6});
    CHECK(block_option::decode(raw{0x01, 0x1a}) == block_option{17, true, 2});
    CHECK(block_option::decode(raw{0xff, 0xff, 0xfe}) ==
          block_option{block_option::max_number, true, 6});
    CHECK_FALSE(block_option::decode(raw{0, 0, 0, 0}));
    for (const auto& reserved : {raw{0x07}, raw{0x0f}, raw{0x01, 0x17}, raw{0xff, 0xff, 0xff}})
        CHECK_FALSE(block_option::decode(reserved));
}

TEST_CASE("update blockwise: a fetch of every block size brings the body, and asks for what is next") {
    for (std::uint8_t exponent = 0; exponent < 7; ++exponent) {
        const std::size_t size = 16u << exponent;
        for (const std::size_t length : {std::size_t{1}, size - 1, size, size + 1, 3 * size}) {
            transfer t{length, exponent};
            CHECK(t.fetch.next() == block_option{0, false, exponent});
            t.finish();
            CHECK_FALSE(*t.give(0, exponent));  // done: nothing has an effect any more
        }
    }
    transfer whole{100, 2};
    CHECK(*whole.give(std::nullopt, whole.body));  // no option: the body in one piece
    CHECK(whole.fetch.done());
    CHECK(block_fetch{0}.done());
}

TEST_CASE("update blockwise: lost, repeated and reordered blocks have no effect on a fetch") {
    transfer t{200, 2};
    CHECK_FALSE(*t.give(1, 2));  // the first one was lost
    CHECK(t.fetch.next() == block_option{0, false, 2});
    CHECK(*t.give(0, 2));
    CHECK_FALSE(*t.give(0, 2));
    CHECK_FALSE(*t.give(3, 2));
    CHECK(*t.give(1, 2));
    CHECK_FALSE(*t.give(0, 2));
    CHECK_FALSE(*t.give(1, 2));
    CHECK_FALSE(*t.give(std::nullopt, t.body));
    // Not even those that would be refused in their turn.
    CHECK_FALSE(*t.give(block_option{7, true, 6}, {}));
    CHECK(t.fetch.received() == 128);
    block_fetch kept = t.fetch;  // interrupted: its state is all that is needed
    t.fetch = kept;
    t.finish();
}

TEST_CASE("update blockwise: a server may make blocks smaller, but not larger") {
    transfer t{300, 4};
    CHECK(*t.give(0, 2));  // asked for 256, sent 64
    CHECK(t.fetch.next() == block_option{1, false, 2});
    CHECK(*t.give(1, 2));
    CHECK(*t.give(8, 0));  // 16 at 128
    CHECK(t.fetch.next() == block_option{9, false, 0});
    CHECK(*t.give(9, 0));
    CHECK_FALSE(*t.give(2, 2));  // at 128
    CHECK(*t.give(10, 0));
    CHECK(*t.give(11, 0));
    CHECK(t.refused(t.option(3, 2), t.payload(t.option(3, 2))) ==
          at(errc::update_fetch_failed, stage::fetch, 192));
    t.finish();
    transfer first{300, 2};
    CHECK(first.refused(first.option(0, 3), first.payload(first.option(0, 3))) ==
          at(errc::update_fetch_failed, stage::fetch, 0));
}

TEST_CASE("update blockwise: a fetch ends when the body is another one") {
    transfer t{200, 2};
    CHECK(*t.give(0, 2));
    const raw same = t.etag;
    for (const raw& other : {raw{}, body_of(2), raw(3), body_of(4), raw(8), raw(9)}) {
        t.etag = other;
        CHECK(t.refused(t.option(1, 2), t.payload(t.option(1, 2))) ==
              at(errc::update_fetch_failed, stage::fetch, 64));
    }
    t.etag = same;
    t.finish();
    transfer none{200, 2};
    none.etag = {};
    CHECK(*none.give(0, 2));
    none.etag = same;
    CHECK(none.refused(none.option(1, 2), none.payload(none.option(1, 2))) ==
          at(errc::update_fetch_failed, stage::fetch, 64));
    transfer longest{200, 2};
    longest.etag = raw(9, 1);  // RFC 7252: at most 8
    CHECK(longest.refused(longest.option(0, 2), longest.payload(longest.option(0, 2))) ==
          at(errc::update_fetch_failed, stage::fetch, 0));
    longest.etag = raw(8, 1);
    longest.finish();
}

TEST_CASE("update blockwise: a block of another length than its option says is refused") {
    transfer t{200, 2};
    CHECK(*t.give(0, 2));
    for (const std::size_t size : {0u, 63u, 65u})
        CHECK(t.refused(block_option{1, true, 2}, bytes{t.body}.first(size)) ==
              at(errc::update_fetch_failed, stage::fetch, 64));
    CHECK(t.refused(block_option{1, false, 2}, bytes{t.body}.first(65)) ==
          at(errc::update_fetch_failed, stage::fetch, 64));
    t.finish();
}

TEST_CASE("update blockwise: a body longer or shorter than announced is refused") {
    transfer t{200, 2};
    for (const std::size_t size : {0u, 199u, 201u}) {
        CHECK(t.refused(std::nullopt, body_of(size)) == at(errc::update_size_mismatch, stage::fetch, 0));
    }
    CHECK(*t.give(0, 2));
    CHECK(t.refused(block_option{1, false, 2}, bytes{t.body}.first(64)) ==
          at(errc::update_size_mismatch, stage::fetch, 64));
    CHECK(*t.give(1, 2));
    CHECK(*t.give(2, 2));
    for (const std::size_t size : {0u, 7u, 9u})
        CHECK(t.refused(block_option{3, false, 2}, bytes{t.body}.first(size)) ==
              at(errc::update_size_mismatch, stage::fetch, 192));
    CHECK(t.refused(block_option{3, true, 2}, bytes{t.body}.first(64)) ==
          at(errc::update_size_mismatch, stage::fetch, 192));
    t.finish();
    transfer full{128, 2};
    CHECK(*full.give(0, 2));
    CHECK(full.refused(block_option{1, true, 2}, bytes{full.body}.first(64)) ==
          at(errc::update_size_mismatch, stage::fetch, 64));
}

TEST_CASE("update blockwise: a fetch ends where options cannot count on") {
    const raw block(16);
    const auto run = [&](std::uint64_t size) {
        block_fetch fetch{size, 0};
        const auto sink = [](std::uint64_t, bytes, bool) -> result<void> { return {}; };
        for (;;) {
            const auto next = fetch.next();
            const bool more = next.offset() + std::uint64_t{16} < size;
            const auto r = fetch.on_block(block_option{next.number, more, 0}, {}, block, sink);
            if (!r.has_value()) return r.error();
            if (fetch.done()) return error{};
        }
    };
    constexpr std::uint64_t most = 16ull << 20;
    CHECK(run(most) == error{});
    CHECK(run(most + 16) == at(errc::update_size_mismatch, stage::fetch, most - 16));
}

TEST_CASE("update blockwise: an error of the sink comes back, and its block can come again") {
    transfer t{200, 2};
    CHECK(*t.give(0, 2));
    t.sink_fails = at(errc::update_storage, stage::commit, 77);
    CHECK(t.refused(t.option(1, 2), t.payload(t.option(1, 2))) == t.sink_fails);
    t.sink_fails = {};
    t.finish();
}

namespace {

constexpr std::uint8_t first_id[16]{1}, same_id[16]{};
constexpr limits small{.envelope = 200, .components = 1};
constexpr std::uint8_t code(unsigned whole, unsigned detail) {
    return static_cast<std::uint8_t>(whole << 5 | detail);
}

/// An updater to push to. Bodies here are no envelopes: one that is whole is refused with the error
/// below. tests/update pushes a signed one.
struct receiver {
    fuzz::any_crypto backend{};
    fuzz::any_component component{first_id};
    update_policy policy{{}, {same_id, same_id, same_id}, {}};
    updater<small, fuzz::any_crypto, fuzz::any_component> updates{backend, policy, component};
    block_push push{};
    raw body = body_of(150);

    receiver() { REQUIRE(component.kept.format().has_value()); }

    push_answer give(std::optional<block_option> option, bytes data, std::uint32_t sender = 1,
                     std::optional<std::uint64_t> announced = {}) {
        return push.on_block(updates, sender, option, announced, data);
    }
    /// Block `number` of 64 bytes of the body, which has three.
    push_answer give(std::uint32_t number, std::uint32_t sender = 1) {
        const block_option block{number, number < 2, 2};
        return give(block, bytes{body}.subspan(block.offset()).first(number < 2 ? 64 : 22), sender);
    }
};
const error no_envelope = at(errc::update_malformed_cbor, stage::envelope, 0);

bool goes_on(const push_answer& answer) {
    return answer.code == push_answer::go_on && !answer.ended && answer.why == error{};
}
bool is(const push_answer& answer, std::uint8_t code, bool ended, const error& why) {
    CHECK(int{answer.code} == int{code});
    CHECK(answer.ended == ended);
    CHECK(answer.why == why);
    return true;
}

}  // namespace

TEST_CASE("update blockwise: a push goes block by block, and the last one is answered with the outcome") {
    receiver r;
    const auto outcome = [&] {
        const auto answer = r.give(2);
        CHECK(answer.ended);
        CHECK(answer.why.code != errc::ok);
        CHECK(answer.why == r.updates.last_error());
        CHECK(int{answer.code} == int{response_code(answer.why.code)});
        return answer;
    };
    CHECK(goes_on(r.give(0)));
    CHECK(goes_on(r.give(1)));
    CHECK(r.updates.received() == 128);
    const auto answer = outcome();
    CHECK(r.updates.idle());
    // Its answer was lost: the same, whatever happened meanwhile to the updater.
    is(r.give(2), answer.code, true, answer.why);
    // Not for others, nor for another block there.
    is(r.give(2, 2), code(4, 8), false, at(errc::update_fetch_failed, stage::envelope, 128));
    is(r.give(block_option{2, false, 2}, bytes{r.body}.first(22)), code(4, 8), false,
       at(errc::update_fetch_failed, stage::envelope, 128));
    is(r.give(2), answer.code, true, answer.why);
    // A new envelope ends that.
    CHECK(goes_on(r.give(0)));
    is(r.give(2), code(4, 8), false, at(errc::update_fetch_failed, stage::envelope, 128));
    CHECK(goes_on(r.give(1)));
    outcome();
}

TEST_CASE("update blockwise: lost, repeated and reordered blocks of a push") {
    receiver r;
    is(r.give(1), code(4, 8), false, at(errc::update_fetch_failed, stage::envelope, 64));
    CHECK(goes_on(r.give(0)));
    is(r.give(2), code(4, 8), false, at(errc::update_fetch_failed, stage::envelope, 128));
    CHECK(r.updates.received() == 64);  // nothing was lost by that
    CHECK(goes_on(r.give(1)));
    CHECK(goes_on(r.give(1)));
    CHECK(r.updates.received() == 128);
    CHECK(goes_on(r.give(0)));  // begins again
    CHECK(r.updates.received() == 64);
    CHECK(goes_on(r.give(1)));
    CHECK(r.give(2).ended);
}

TEST_CASE("update blockwise: the length of a pushed block is that of its option") {
    receiver r;
    CHECK(goes_on(r.give(0)));
    for (const std::size_t size : {0u, 63u, 65u})
        is(r.give(block_option{1, true, 2}, bytes{r.body}.first(size)), code(4, 0), false,
           at(errc::update_bad_envelope, stage::envelope, 64));
    is(r.give(block_option{1, false, 2}, bytes{r.body}.first(65)), code(4, 0), false,
       at(errc::update_bad_envelope, stage::envelope, 64));
    CHECK(r.updates.received() == 64);
    // Smaller ones from here on, as the sender likes.
    CHECK(goes_on(r.give(block_option{4, true, 0}, bytes{r.body}.subspan(64, 16))));
    CHECK(r.updates.received() == 80);
}

TEST_CASE("update blockwise: an envelope that is too long is refused as soon as that is known") {
    receiver r;
    const block_option first{0, true, 2};
    is(r.give(first, bytes{r.body}.first(64), 1, 201), code(4, 13), false,
       at(errc::update_too_large, stage::envelope, 201));
    is(r.give(first, bytes{r.body}.first(64), 1, ~std::uint64_t{0}), code(4, 13), false,
       at(errc::update_too_large, stage::envelope, ~std::uint64_t{0}));
    CHECK(r.updates.idle());
    CHECK(goes_on(r.give(first, bytes{r.body}.first(64), 1, 200)));
    for (std::uint32_t number = 1; number < 3; ++number)
        CHECK(goes_on(r.give(block_option{number, true, 2}, bytes{r.body}.first(64))));
    is(r.give(block_option{3, true, 2}, bytes{r.body}.first(64)), code(4, 13), true,
       at(errc::update_too_large, stage::envelope, 256));
    CHECK(r.updates.idle());
    is(r.give(std::nullopt, body_of(201)), code(4, 13), true,
       at(errc::update_too_large, stage::envelope, 201));
    is(r.give(block_option{block_option::max_number, true, 6}, body_of(1024)), code(4, 8), false,
       at(errc::update_fetch_failed, stage::envelope, (1u << 30) - 1024));
}

TEST_CASE("update blockwise: one sender at a time, until its patience is over") {
    receiver r;
    r.policy.patience = 60;
    r.updates.poll(1000);
    CHECK(goes_on(r.give(0, 1)));
    for (const std::uint32_t number : {0u, 1u, 2u})
        is(r.give(number, 2), code(5, 3), false, at(errc::update_busy, stage::envelope, 0));
    CHECK(goes_on(r.give(1, 1)));  // not disturbed by that
    r.updates.poll(1060);
    is(r.give(0, 2), code(5, 3), false, at(errc::update_busy, stage::envelope, 0));
    r.updates.poll(1061);
    CHECK(r.updates.idle());
    CHECK(goes_on(r.give(0, 2)));
    // The first comes back too late.
    is(r.give(2, 1), code(5, 3), false, at(errc::update_busy, stage::envelope, 0));
    CHECK(goes_on(r.give(1, 2)));
    CHECK(r.give(2, 2).ended);
    // And is told to begin again when there is room.
    is(r.give(2, 1), code(4, 8), false, at(errc::update_fetch_failed, stage::envelope, 128));
    CHECK(goes_on(r.give(0, 1)));
}

TEST_CASE("update blockwise: a body in one piece is looked at each time") {
    receiver r;
    const auto once = r.give(std::nullopt, r.body);
    CHECK(once.ended);
    is(r.give(std::nullopt, r.body), once.code, true, once.why);
    is(r.give(block_option{0, false, 2}, bytes{r.body}.first(64)), once.code, true, once.why);
    CHECK(r.give(std::nullopt, {}).ended);
}

TEST_CASE("update blockwise: each outcome has a response code of CoAP") {
    CHECK(int{push_answer::go_on} == int{code(2, 31)});
    const std::pair<errc, std::uint8_t> codes[]{
        {errc::ok, code(2, 4)},
        {errc::update_already_current, code(2, 3)},
        {errc::update_truncated, code(4, 0)},
        {errc::update_malformed_cbor, code(4, 0)},
        {errc::update_non_canonical, code(4, 0)},
        {errc::update_bad_envelope, code(4, 0)},
        {errc::update_unsigned, code(4, 1)},
        {errc::update_unsupported_auth, code(4, 1)},
        {errc::update_unsupported_algorithm, code(4, 1)},
        {errc::update_unknown_key, code(4, 1)},
        {errc::update_bad_signature, code(4, 1)},
        {errc::update_manifest_digest, code(4, 1)},
        {errc::update_not_authorised, code(4, 3)},
        {errc::update_fetch_failed, code(4, 8)},
        {errc::update_rollback, code(4, 9)},
        {errc::update_sequence_conflict, code(4, 9)},
        {errc::update_too_large, code(4, 13)},
        {errc::update_image_too_large, code(4, 13)},
        {errc::update_storage, code(5, 0)},
        {errc::update_crypto, code(5, 0)},
        {errc::update_busy, code(5, 3)},
        {errc::update_program_rejected, code(4, 22)},
        {errc::update_vendor_mismatch, code(4, 22)},
    };
    for (const auto& [why, expected] : codes) CHECK(int{response_code(why)} == int{expected});
}
