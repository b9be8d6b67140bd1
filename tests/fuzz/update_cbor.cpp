// SPDX-License-Identifier: Apache-2.0
// Fuzz target: any bytes as CBOR and as a COSE_Sign1.
#include <femto/update/cose.hpp>

#include <cstdlib>

using namespace femto;
using namespace femto::update;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    error first;
    cbor_reader reader{{{data, size}, 0}, first};
    reader.skip(8);
    reader.end();
    if (first.address > size) std::abort();

    error second;
    cbor_reader other{{{data, size}, 0}, second};
    const auto message = read_sign1(other);
    if (second.code == errc::ok &&
        (message.signed_by.size() != 64 || message.protected_header.size() > 23))
        std::abort();
    if (second.code == errc::ok) {
        const signed_message whole{message.protected_header, {message.signed_by.data(), 36}};
        if (whole.get().size() > signed_message::capacity) std::abort();
    }
    return 0;
}
