// SPDX-License-Identifier: Apache-2.0
// What the CBOR reader returns, and each of its refusals with code and offset.
#include "catch.hpp"

#include <femto/update/cbor.hpp>

#include <vector>

using namespace femto;
using namespace femto::update;

namespace {

using raw = std::vector<std::uint8_t>;

/// Skips one item and expects the end: the error, ok for a well-formed document. Stage 9.
error skipped(const raw& document, unsigned depth = 4) {
    error first;
    cbor_reader reader{{document, 0}, first, 9};
    reader.skip(depth);
    reader.end();
    return first.code == errc::ok ? error{} : first;
}

error refused(errc code, std::uint64_t at) { return {code, 9, at}; }

}  // namespace

TEST_CASE("update cbor: the shortest heads and the limits of integers") {
    const raw document{0x17, 0x18, 0x18, 0x19, 1, 0, 0x1a, 0, 1, 0, 0, 0x20, 0x3b, 0x7f, 255,
                       255,  255,  255,  255,  255, 255, 0x41, 7, 0x61, 'a', 0xf6};
    error first;
    cbor_reader reader{{document, 100}, first};
    CHECK(reader.uint() == 23);
    CHECK(reader.uint() == 24);
    CHECK(reader.uint() == 256);
    CHECK(reader.uint() == 65536);
    CHECK(reader.integer() == -1);
    CHECK(reader.integer() == INT64_MIN);
    const auto string = reader.byte_string();
    CHECK(string.offset == 122);
    CHECK(same(string.data, raw{7}));
    CHECK(same(reader.text().data, raw{'a'}));
    reader.null();
    reader.end();
    CHECK(first.code == errc::ok);
}

TEST_CASE("update cbor: heads longer than needed and indefinite lengths are refused") {
    CHECK(skipped({0x18, 0x17}) == refused(errc::update_non_canonical, 0));
    CHECK(skipped({0x19, 0, 255}) == refused(errc::update_non_canonical, 0));
    CHECK(skipped({0x1a, 0, 0, 255, 255}) == refused(errc::update_non_canonical, 0));
    CHECK(skipped({0x1b, 0, 0, 0, 0, 255, 255, 255, 255}) ==
          refused(errc::update_non_canonical, 0));
    for (const auto head : raw{0x5f, 0x7f, 0x9f, 0xbf})
        CHECK(skipped({head, 0xff}) == refused(errc::update_non_canonical, 0));
}

TEST_CASE("update cbor: keys of a map are sorted and differ") {
    CHECK(skipped({0xa2, 1, 0, 2, 0}) == error{});
    CHECK(skipped({0xa2, 2, 0, 1, 0}) == refused(errc::update_non_canonical, 3));
    CHECK(skipped({0xa2, 1, 0, 1, 0}) == refused(errc::update_non_canonical, 3));
}

TEST_CASE("update cbor: what reaches past the end is refused") {
    CHECK(skipped({}) == refused(errc::update_truncated, 0));
    CHECK(skipped({0x19, 1}) == refused(errc::update_truncated, 0));
    CHECK(skipped({0x42, 1}) == refused(errc::update_truncated, 0));
    CHECK(skipped({0x5b, 255, 255, 255, 255, 255, 255, 255, 255}) ==
          refused(errc::update_truncated, 0));
    CHECK(skipped({0x82, 1}) == refused(errc::update_truncated, 0));
    CHECK(skipped({0xbb, 255, 255, 255, 255, 255, 255, 255, 255}) ==
          refused(errc::update_truncated, 0));
}

TEST_CASE("update cbor: reserved heads, floats, bad text and bytes after the item are refused") {
    CHECK(skipped({0x1c}) == refused(errc::update_malformed_cbor, 0));
    CHECK(skipped({0xf9, 0, 0}) == refused(errc::update_malformed_cbor, 0));
    CHECK(skipped({0xe0}) == refused(errc::update_malformed_cbor, 0));
    CHECK(skipped({0x00, 0x00}) == refused(errc::update_malformed_cbor, 1));
    CHECK(skipped({0x62, 0xc3, 0xa4}) == error{});
    CHECK(skipped({0x62, 0xc0, 0x80}) == refused(errc::update_malformed_cbor, 0));
    CHECK(skipped({0x63, 0xed, 0xa0, 0x80}) == refused(errc::update_malformed_cbor, 0));
}

TEST_CASE("update cbor: nesting is bounded") {
    CHECK(skipped({0x81, 0x81, 0x00}, 2) == error{});
    CHECK(skipped({0x81, 0x81, 0x00}, 1) == refused(errc::update_too_complex, 1));
}

TEST_CASE("update cbor: the first error stays and nothing is read after it") {
    const raw document{0x01, 0x02};
    error first;
    cbor_reader reader{{document, 0}, first, 9};
    CHECK(reader.byte_string().data.empty());
    CHECK(reader.uint() == 0);
    CHECK(reader.array() == 0);
    reader.refuse(errc::update_busy);
    CHECK(first == refused(errc::update_malformed_cbor, 0));
}
