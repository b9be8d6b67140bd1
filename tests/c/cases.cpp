// SPDX-License-Identifier: Apache-2.0
// The cases of firmware.c as tests, and the containers that it loads.
#include "../unit/catch.hpp"
#include "helpers.h"

#include <femto/image_writer.hpp>

#include <vector>

using femto::instruction;

namespace {

instruction op(std::uint8_t opcode, unsigned dst = 0, unsigned src = 0, std::int32_t offset = 0,
               std::int32_t imm = 0) {
    return instruction::make(opcode, dst, src, offset, imm);
}
instruction call(std::int32_t id) { return op(0x85, 0, 0, 0, id); }
instruction set(unsigned r, std::int32_t value) { return op(0xb7, r, 0, 0, value); }
const instruction leave = op(0x95);
// r = address of rodata + offset
instruction rodata(unsigned r) { return op(0x18, r, 2, 0, 0); }
instruction second(std::int32_t offset) { return op(0, 0, 0, 0, offset); }

std::vector<instruction> text_of(test_program p) {
    switch (p) {
        case RETURN_7: return {set(0, 7), leave};
        case RETURN_NEGATIVE: return {set(0, -1), leave};
        case SUM: return {rodata(1), second(8), set(2, 3), call(0x80), leave};
        case SUM_OUTSIDE: return {op(0xbf, 1, 10), op(0x07, 1, 0, 0, -8), set(2, 9), call(0x80), leave};
        case FILL: return {set(2, 6), set(3, 0xab), call(0x81), leave};
        case FILL_RODATA: return {rodata(1), second(0), set(2, 1), set(3, 0), call(0x81), leave};
        case LENGTH: return {rodata(1), second(0), call(0x82), leave};
        case LENGTH_OPEN: return {rodata(1), second(6), call(0x82), leave};
        case READING:
            return {set(1, 3), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -8), call(0x83), op(0xbf, 1, 10),
                    op(0x07, 1, 0, 0, -8), call(0x84), leave};
        case READING_MISALIGNED:
            return {set(1, 3), op(0xbf, 2, 10), op(0x07, 2, 0, 0, -11), call(0x83), leave};
        case READING_OUTSIDE: return {set(1, 3), set(2, 0), call(0x83), leave};
        case PAUSE: return {set(1, 50), call(0x85), set(1, 5), set(2, 50), call(0x11), leave};
        case REFUSE: return {set(1, -1000), call(0x86), leave};
        case INTERRUPTED: return {call(0x87), set(0, 0), leave};
        case ENDLESS: return {op(0x05, 0, 0, -1)};
        case READ_REGION: return {op(0x18, 1), op(0, 0, 0, 0, 5), op(0x71, 0, 1), leave};
        case WRITE_REGION: return {op(0x18, 1), op(0, 0, 0, 0, 5), op(0x73, 1, 0), leave};
        case STORE_GLOBAL: return {set(1, 5), set(2, 50), call(0x11), leave};
    }
    return {};
}

}  // namespace

struct test_image image_of(test_program p) {
    static std::array<std::uint64_t, 40> flash[2];
    static unsigned turn = 0;  // two live at once
    auto& to = flash[turn++ % 2];
    const auto text = text_of(p);
    std::vector<std::uint32_t> ids;
    for (const auto& i : text) {
        if (i.opcode() == 0x85) ids.push_back(static_cast<std::uint32_t>(i.imm()));
    }
    constexpr char constants[]{'h', 'e', 'l', 'l', 'o', 0, 'x', 'y', 3, 4, 5};
    const femto::image_contents::entry entry{femto::small_uuid(1), 0};
    const femto::image::region_request region{7, femto::permission::read};
    const bool wants_region = p == READ_REGION || p == WRITE_REGION;
    const femto::image_contents contents{
        text, std::as_bytes(std::span{constants}), {}, 0, {&entry, 1},
        {&region, wants_region ? 1u : 0u}, ids, {5000, 64, 0, p == PAUSE}};
    const auto size = femto::write_image(contents, std::as_writable_bytes(std::span{to}));
    return {to.data(), size ? *size : 0};
}

TEST_CASE("c: load, attach, fire, detach, unload") { CHECK(c_lifecycle() == 0); }
TEST_CASE("c: what a hook offers to whom") { CHECK(c_contract() == 0); }
TEST_CASE("c: helpers in C get checked memory") { CHECK(c_helpers() == 0); }
TEST_CASE("c: pointers that are refused, with place and address") { CHECK(c_refused_pointers() == 0); }
TEST_CASE("c: a container waits and is resumed") { CHECK(c_waiting() == 0); }
TEST_CASE("c: quotas, stores, limits") { CHECK(c_quotas_and_limits() == 0); }
TEST_CASE("c: images of both kinds, and broken ones") { CHECK(c_images() == 0); }
TEST_CASE("c: replace and detach during a run") { CHECK(c_exchange() == 0); }
