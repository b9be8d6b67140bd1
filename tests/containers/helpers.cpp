// SPDX-License-Identifier: Apache-2.0
// The headers with the original's names call the original's helper numbers.
#include "catch.hpp"

#include <support/object.hpp>

#include <vector>

TEST_CASE("containers: each helper of the original is called by its number") {
    const std::vector<std::int32_t> expected{
        0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13, 0x20, 0x30, 0x31, 0x32, 0x33, 0x34,
        0x40, 0x41, 0x42, 0x43, 0x50, 0x51, 0x52, 0x60, 0x61, 0x70, 0x71, 0x72};
    for (const char* path : {
#define FEMTO_OBJECT(compiler, function, path) path,
#include "every_helper.inc"
#undef FEMTO_OBJECT
         }) {
        INFO(path);
        bench::object object{path};
        REQUIRE(object.ok());
        std::vector<std::int32_t> called;
        for (const auto& i : object.program().text) {
            if (i.opcode() == 0x85 && i.src() == 0) called.push_back(i.imm());
        }
        CHECK(called == expected);
    }
}
