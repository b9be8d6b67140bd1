// SPDX-License-Identifier: Apache-2.0
// Each refusal of the verifier, with its code and place.
#include "catch.hpp"

#include <femto/vm.hpp>

#include <array>
#include <vector>

using namespace femto;

namespace {

constexpr std::uint8_t mov_imm = 0xb7;
constexpr std::uint8_t mov_reg = 0xbf;
constexpr std::uint8_t exit_opcode = 0x95;
constexpr std::uint8_t call_opcode = 0x85;
constexpr std::uint8_t lddw = 0x18;
constexpr std::uint8_t ja = 0x05;

constexpr instruction op(std::uint8_t opcode, unsigned dst = 0, unsigned src = 0, std::int32_t offset = 0,
               std::int32_t imm = 0) {
    return instruction::make(opcode, dst, src, offset, imm);
}

std::uint32_t answer() { return 42; }
using helpers = helper_set<helper<7, "answer", &answer>>;

template <config Config = config{}>
error refusal(const std::vector<instruction>& text, std::uint64_t granted = ~std::uint64_t{0}) {
    std::vector<std::uint8_t> scratch(text.size());
    const auto verified = vm<Config, helpers>::verify({text, {}, {}, {}}, scratch, granted);
    return verified.has_value() ? error{} : verified.error();
}

/// The verdict on the first `Size` slots, by the compiler, which sees it if one of those behind is read.
template <std::size_t Size>
constexpr error of_constant(const std::array<instruction, Size>& text) {
    std::array<std::uint8_t, Size> scratch{};
    const auto verified = vm<config{}, helpers>::verify({text, {}, {}, {}}, scratch);
    if (!verified.has_value()) return verified.error();
    const bool in_order = verified->is_function(0) && !verified->is_function(Size) && verified->entry().pc() == 0;
    return in_order && verified->granting(0).has_value() ? error{} : error{errc::illegal_call, 0, 0};
}
static_assert(of_constant(std::array{op(exit_opcode)}) == error{});
static_assert(of_constant(std::array{op(lddw)}) == error{errc::incomplete_load, 0, 0});
static_assert(of_constant(std::array{op(mov_reg, 2, 10)}) == error{errc::no_return, 0, 0});
static_assert(of_constant(std::array{op(ja, 0, 0, 1), op(exit_opcode)}) == error{errc::illegal_jump, 0, 2});
static_assert(of_constant(std::array{op(call_opcode, 0, 1, 0, 1), op(exit_opcode), op(mov_imm)}) ==
              error{errc::no_return, 2, 0});
static_assert(of_constant(std::array{op(call_opcode, 0, 1, 0, 1), op(exit_opcode), op(exit_opcode)}) == error{});
static_assert(of_constant(std::array{op(call_opcode, 0, 1, 0, 2), op(exit_opcode), op(lddw), op(0)}) ==
              error{errc::jump_into_load, 0, 3});

}  // namespace

TEST_CASE("verifier: a program that keeps the rules is accepted") {
    CHECK(refusal({op(mov_imm), op(exit_opcode)}) == error{});
    CHECK(refusal({op(call_opcode, 0, 0, 0, 7), op(exit_opcode)}) == error{});
    CHECK(refusal({op(mov_imm), op(ja, 0, 0, -2), op(exit_opcode)}) == error{});  // to slot 0
}

TEST_CASE("verifier: length") {
    CHECK(refusal({}) == error{errc::illegal_length, 0, 0});
    constexpr config small{.max_instructions = 1};
    CHECK(refusal<small>({op(exit_opcode)}) == error{});
    CHECK(refusal<small>({op(mov_imm), op(exit_opcode)}) == error{errc::illegal_length, 0, 2});
    std::array<std::uint8_t, 1> scratch{};
    const std::vector text{op(mov_imm), op(exit_opcode)};
    CHECK(vm<>::verify({text, {}, {}, {}}, scratch).error() == error{errc::illegal_length, 0, 2});
}

TEST_CASE("verifier: as many bytes as regions may have") {
    constexpr config small{.stack_size = 16, .max_region_size = 16};
    const std::array text{op(exit_opcode)};
    std::array<std::uint8_t, 1> scratch{};
    std::array<std::byte, 17> bytes{};
    const auto sixteen = std::span{bytes}.first(16);
    CHECK(vm<small>::verify({text, sixteen, sixteen, {}}, scratch).has_value());
    CHECK(vm<small>::verify({text, bytes, {}, {}}, scratch).error() == error{errc::region_too_large, 0, 17});
    CHECK(vm<small>::verify({text, {}, bytes, {}}, scratch).error() == error{errc::region_too_large, 0, 17});
}

TEST_CASE("verifier: what nobody says") {
    // Every helper is granted, and calls nest eight deep.
    std::vector<instruction> text;
    for (int n = 0; n < 8; ++n) text.insert(text.end(), {op(call_opcode, 0, 1, 0, 1), op(exit_opcode)});
    text.insert(text.end(), {op(call_opcode, 0, 0, 0, 7), op(exit_opcode)});
    std::vector<std::uint8_t> scratch(text.size() + 2, 0xff);
    const auto p = verify<rules{}, helpers>({text, {}, {}, {}}, scratch);
    REQUIRE(p.has_value());
    CHECK(p->call_depth() == 8);
    CHECK(vm<config{.max_call_depth = 8}, helpers>::verify({text, {}, {}, {}}, scratch).has_value());
    CHECK(p->entry().pc() == 0);
    CHECK(p->is_function(0));
    CHECK(!p->is_function(1));
    CHECK(p->is_function(16));
    CHECK(!p->is_function(18));  // marks of what lies behind in the scratch are none
    text.insert(text.begin(), {op(call_opcode, 0, 1, 0, 1), op(exit_opcode)});
    scratch.resize(text.size());
    CHECK(verify<rules{}, helpers>({text, {}, {}, {}}, scratch).error() == error{errc::call_too_deep, 16, 18});
}

TEST_CASE("verifier: entry points") {
    const std::vector text{op(lddw), op(0), op(exit_opcode)};
    std::array<std::uint8_t, 3> scratch{};
    const auto refused = [&](std::uint32_t start) {
        const function listed[]{{"f", 0}, {"g", start}};
        const auto verified = vm<>::verify({text, {}, {}, listed}, scratch);
        return verified ? error{} : verified.error();
    };
    CHECK(refused(1) == error{errc::jump_into_load, 1, 1});
    CHECK(refused(2) == error{errc::no_return, 0, 0});
    CHECK(refused(3) == error{errc::illegal_call, 0, 3});
    CHECK(refused(0xffffffff) == error{errc::illegal_call, 0, 0xffffffff});
}

TEST_CASE("verifier: helpers that are taken away") {
    const std::vector text{op(call_opcode, 0, 0, 0, 7), op(exit_opcode)}, idle{op(exit_opcode)};
    std::array<std::uint8_t, 2> scratch{};
    const auto p = vm<config{}, helpers>::verify({text, {}, {}, {}}, scratch);
    REQUIRE(p.has_value());
    CHECK(p->granting(1).has_value());
    CHECK(p->granting(0).error() == error{errc::illegal_call, 0, 7});
    const auto one = vm<config{}, helpers>::verify({text, {}, {}, {}}, scratch, 1);
    CHECK(one->granting(0).error() == error{errc::illegal_call, 0, 7});
    CHECK(one->granting(3)->granted() == 3);
    const std::vector later{op(mov_imm), op(mov_imm), op(call_opcode, 0, 0, 0, 7), op(exit_opcode)};
    std::array<std::uint8_t, 4> more{};
    const auto third = vm<config{}, helpers>::verify({later, {}, {}, {}}, more);
    CHECK(third->granting(0).error() == error{errc::illegal_call, 2, 7});
    const auto q = vm<config{}, helpers>::verify({idle, {}, {}, {}}, scratch);
    REQUIRE(q.has_value());
    CHECK(q->granting(0)->granted() == 0);
    CHECK(q->entry(std::size_t{3}).pc() == 0);  // it names no functions
    // A call of a function is none of a helper, whatever its distance.
    const std::vector local{op(call_opcode, 0, 1, 0, 1), op(exit_opcode), op(mov_imm), op(exit_opcode)};
    std::array<std::uint8_t, 4> marks{};
    const auto l = vm<config{}, helpers>::verify({local, {}, {}, {}}, marks);
    REQUIRE(l.has_value());
    CHECK(l->granting(0)->granted() == 0);
}

TEST_CASE("verifier: opcodes") {
    CHECK(refusal({op(mov_imm), op(0xff), op(exit_opcode)}) ==
          error{errc::illegal_instruction, 1, 0xff});
    CHECK(refusal({op(0x20), op(exit_opcode)}) == error{errc::unsupported_instruction, 0, 0x20});
    constexpr config base{.allowed = groups::base};
    CHECK(refusal<base>({op(0x27, 1, 0, 0, 3), op(exit_opcode)}) ==
          error{errc::unsupported_group, 0, 0x27});
}

TEST_CASE("verifier: fields and registers") {
    CHECK(refusal({op(mov_imm, 0, 1), op(exit_opcode)}) == error{errc::nonzero_field, 0, 0});
    CHECK(refusal({op(mov_reg, 0, 1, 0, 1), op(exit_opcode)}) == error{errc::nonzero_field, 0, 0});
    CHECK(refusal({op(exit_opcode, 0, 0, 1)}) == error{errc::nonzero_field, 0, 0});
    CHECK(refusal({op(mov_reg, 0, 11), op(exit_opcode)}) ==
          error{errc::illegal_register, 0, 11});
    CHECK(refusal({op(mov_imm, 10), op(exit_opcode)}) == error{errc::frame_pointer_write, 0, 0});
    for (const int fetches : {0x01, 0x41, 0x51, 0xa1, 0xe1}) {
        CHECK(refusal({op(0xdb, 1, 10, 0, fetches), op(exit_opcode)}) == error{errc::frame_pointer_write, 0, 0});
    }
    CHECK(refusal({op(0xdb, 1, 10, 0, 0), op(0xdb, 1, 10, 0, 0xf1), op(exit_opcode)}) == error{});
    CHECK(refusal({op(mov_reg, 0, 1, 3), op(exit_opcode)}) ==
          error{errc::undefined_variant, 0, 3});
    CHECK(refusal({op(0xdb, 1, 2, 0, 2), op(exit_opcode)}) ==
          error{errc::undefined_variant, 0, 2});
}

TEST_CASE("verifier: lddw") {
    CHECK(refusal({op(lddw)}) == error{errc::incomplete_load, 0, 0});
    CHECK(refusal({op(lddw), op(exit_opcode)}) == error{errc::incomplete_load, 0, 0});
    CHECK(refusal({op(ja, 0, 0, 1), op(lddw), op(0), op(exit_opcode)}) ==
          error{errc::jump_into_load, 0, 2});
    CHECK(refusal({op(lddw, 0, 1), op(0), op(exit_opcode)}) ==
          error{errc::unsupported_instruction, 0, 1});
    for (const unsigned source : {2u, 6u}) {
        CHECK(refusal({op(lddw, 0, source, 0, 1), op(0, 0, 0, 0, 1), op(exit_opcode)}) == error{});
        CHECK(refusal({op(lddw, 0, source, 0, 2), op(0), op(exit_opcode)}) == error{errc::undefined_variant, 0, 2});
    }
    CHECK(refusal({op(lddw, 0, 4, 0, -1), op(0), op(exit_opcode)}) == error{});
    CHECK(refusal({op(lddw, 0, 4, 0, -1), op(0, 0, 0, 0, 1), op(exit_opcode)}) == error{errc::nonzero_field, 0, 0});
    CHECK(refusal({op(lddw, 0, 4, 0, 2), op(0), op(exit_opcode)}) == error{errc::illegal_call, 0, 3});
    CHECK(refusal({op(lddw, 0, 4, 0, 3), op(0), op(exit_opcode), op(lddw), op(0), op(exit_opcode)}) ==
          error{errc::jump_into_load, 0, 4});
    CHECK(refusal({op(lddw), op(mov_imm, 0, 0, 0, 1)}) == error{errc::incomplete_load, 0, 0});
    CHECK(refusal({op(lddw), op(1), op(exit_opcode)}) == error{errc::incomplete_load, 0, 0});
}

TEST_CASE("verifier: jumps, ends and calls") {
    CHECK(refusal({op(ja, 0, 0, 1), op(exit_opcode)}) == error{errc::illegal_jump, 0, 2});
    CHECK(refusal({op(ja, 0, 0, -2), op(exit_opcode)}) == error{errc::illegal_jump, 0, ~std::uint64_t{0}});
    CHECK(refusal({op(mov_imm)}) == error{errc::no_return, 0, 0});
    // Whatever the last one does; 0x06 and 0x07 are ja and one or two more: gotol, which ends a function, and add64_imm.
    for (const instruction last : {op(0x04), op(0x07), op(0x61, 0, 1), op(0x7b, 10, 1, -8), op(0x15, 0, 0, -1),
                                   op(0x1d, 0, 0, -1), op(0x16, 0, 0, -1), op(call_opcode, 0, 0, 0, 7)}) {
        CHECK(refusal({op(mov_imm), last}) == error{errc::no_return, 1, 0});
    }
    CHECK(refusal({op(mov_imm), op(ja, 0, 0, -1)}) == error{});
    CHECK(refusal({op(mov_imm), op(0x06, 0, 0, 0, -1)}) == error{});
    CHECK(refusal({op(call_opcode, 0, 0, 0, 9), op(exit_opcode)}) ==
          error{errc::illegal_call, 0, 9});
    CHECK(refusal({op(call_opcode, 0, 0, 0, 7), op(exit_opcode)}, 0) ==
          error{errc::illegal_call, 0, 7});
    CHECK(refusal({op(call_opcode, 0, 1, 0, -1), op(exit_opcode)}) ==
          error{errc::recursion, 0, 0});
    CHECK(refusal({op(call_opcode, 0, 2, 0, 7), op(exit_opcode)}) == error{errc::unsupported_instruction, 0, 2});
    CHECK(refusal({op(call_opcode, 0, 3, 0, 7), op(exit_opcode)}) == error{errc::undefined_variant, 0, 3});
    constexpr config flat{.max_call_depth = 0};
    CHECK(refusal<flat>({op(call_opcode, 0, 1, 0, 1), op(exit_opcode), op(exit_opcode)}) ==
          error{errc::call_too_deep, 0, 2});
}

TEST_CASE("verifier: a function is as high as what it calls, whoever called that before") {
    // main calls f, g and h in this order; g calls f, h calls g: main, h, g, f.
    const auto leave = op(exit_opcode);
    const std::vector text{op(call_opcode, 0, 1, 0, 3), op(call_opcode, 0, 1, 0, 3), op(call_opcode, 0, 1, 0, 4), leave,
                           leave,                                       // f
                           op(call_opcode, 0, 1, 0, -2), leave,         // g
                           op(call_opcode, 0, 1, 0, -3), leave};        // h
    std::array<std::uint8_t, 9> scratch{};
    const auto verified = vm<config{.max_call_depth = 3}, helpers>::verify({text, {}, {}, {}}, scratch);
    REQUIRE(verified.has_value());
    CHECK(verified->call_depth() == 3);
    CHECK(refusal<config{.max_call_depth = 2}>(text).code == errc::call_too_deep);
}

TEST_CASE("verifier: functions") {
    // Each jump stays in its function, whichever comes first.
    const auto call = op(call_opcode, 0, 1, 0, 1), leave = op(exit_opcode);
    CHECK(refusal({call, leave, op(mov_imm), leave}) == error{});
    CHECK(refusal({call, leave, op(ja, 0, 0, -2), leave}) == error{errc::illegal_jump, 2, 1});
    CHECK(refusal({op(0x15, 0, 0, 2), call, leave, op(mov_imm), leave}) ==
          error{errc::illegal_jump, 0, 3});
    // The end of one that only computes, and of one whose end is in the middle of a load.
    CHECK(refusal({call, op(mov_imm), op(mov_imm), leave}) == error{errc::no_return, 1, 0});
    CHECK(refusal({op(call_opcode, 0, 1, 0, 2), leave, op(lddw), op(0), leave}) ==
          error{errc::jump_into_load, 0, 3});
    CHECK(refusal({op(ja, 0, 0, 4), op(lddw), op(0), op(call_opcode, 0, 1, 0, -2), leave, leave}) ==
          error{errc::illegal_jump, 0, 5});
    CHECK(refusal({op(mov_imm), op(lddw), op(0), op(call_opcode, 0, 1, 0, -2), leave}) ==
          error{errc::no_return, 1, 0});
    CHECK(refusal({op(call_opcode, 0, 1, 0, 5), leave}) == error{errc::illegal_call, 0, 6});
    CHECK(refusal({op(call_opcode, 0, 1, 0, -7), leave}) ==
          error{errc::illegal_call, 0, static_cast<std::uint64_t>(-6)});
}

TEST_CASE("verifier: calls through registers have theirs in one of two fields") {
    const auto callx = [](unsigned dst, std::int32_t imm) { return refusal({op(0x8d, dst, 0, 0, imm), op(exit_opcode)}); };
    CHECK(callx(0, 0) == error{});
    CHECK(callx(9, 0) == error{});
    CHECK(callx(0, 1) == error{});
    CHECK(callx(0, 10) == error{});
    CHECK(callx(0, 11) == error{errc::illegal_register, 0, 11});
    CHECK(callx(0, -1) == error{errc::illegal_register, 0, 0xffffffff});
    for (const unsigned dst : {1u, 2u}) {
        for (const std::int32_t imm : {1, 2}) CHECK(callx(dst, imm) == error{errc::nonzero_field, 0, 0});
    }
}

TEST_CASE("verifier: addresses in the frame") {
    constexpr std::uint8_t add_imm = 0x07;
    const auto frame = [](const std::vector<instruction>& text) {
        std::vector<std::uint8_t> scratch(text.size());
        const auto verified = vm<>::verify({text, {}, {}, {}}, scratch);
        return verified.has_value() ? verified->frame_size() : 0xffff;
    };
    const auto leave = op(exit_opcode);
    CHECK(frame({op(mov_reg, 2, 10), op(add_imm, 2, 0, 0, -20), leave}) == 24);
    CHECK(frame({op(mov_reg, 2, 10), op(add_imm, 2, 0, 0, -512), leave}) == 512);
    CHECK(frame({op(mov_reg, 2, 10), op(add_imm, 2, 0, 0, -513), leave}) == 0);
    CHECK(frame({op(mov_reg, 2, 10), op(add_imm, 3, 0, 0, -20), leave}) == 0);
    CHECK(frame({op(mov_reg, 2, 9), op(add_imm, 2, 0, 0, -20), leave}) == 0);
    CHECK(frame({op(mov_reg, 2, 10, 32), op(add_imm, 2, 0, 0, -20), leave}) == 0);  // sign-extended
    CHECK(frame({op(mov_reg, 2, 10), leave}) == 0);
    CHECK(refusal({op(mov_reg, 2, 10)}) == error{errc::no_return, 0, 0});
    CHECK(refusal({op(mov_reg, 2, 10), op(add_imm, 2, 0, 0, -264), op(call_opcode, 0, 1, 0, 1), leave,
                   leave}) == error{errc::stack_too_small, 1, 568});
}

TEST_CASE("verifier: stack") {
    const auto outside = [](std::int64_t offset) {
        return error{errc::illegal_stack_access, 0, static_cast<std::uint64_t>(offset)};
    };
    CHECK(refusal({op(0x7b, 10, 1, -4), op(exit_opcode)}) == outside(-4));
    CHECK(refusal({op(0x79, 1, 10, 0), op(exit_opcode)}) == outside(0));
    CHECK(refusal({op(0x79, 1, 10, -520), op(exit_opcode)}) == outside(-520));
    CHECK(refusal({op(0x79, 1, 10, -512), op(exit_opcode)}) == error{});
    // The first one that makes the frame as large is at fault.
    CHECK(refusal({op(0x7b, 10, 1, -512), op(0x7b, 10, 1, -512), op(call_opcode, 0, 1, 0, 1), op(exit_opcode),
                   op(exit_opcode)}) == error{errc::stack_too_small, 0, 1024 + 40});
    CHECK(refusal<config{.stack_size = 32}>({op(call_opcode, 0, 1, 0, 1), op(exit_opcode), op(mov_reg, 1, 10),
                                             op(exit_opcode)}) == error{errc::stack_too_small, 0, 40});
    CHECK(refusal({op(0x7b, 10, 1, -512), op(call_opcode, 0, 1, 0, 1), op(exit_opcode),
                   op(exit_opcode)}) == error{errc::stack_too_small, 0, 1024 + 40});

    // (depth + 1) * frame + depth * saved <= stack, exactly.
    const auto calls = [&](std::int32_t frame, bool by_register) {
        return std::vector{op(0x7a, 10, 0, -frame), op(call_opcode, 0, 1, 0, 1), op(exit_opcode),
                           by_register ? op(0x8d) : op(mov_imm), op(exit_opcode)};
    };
    constexpr config one_call{.stack_size = 200, .max_call_depth = 3};
    CHECK(refusal<one_call>(calls(80, false)) == error{});  // 2 * 80 + 40
    CHECK(refusal<one_call>(calls(81, false)) == error{errc::stack_too_small, 0, 2 * 88 + 40});
    const auto limit = [&](const std::vector<instruction>& text) {
        std::vector<std::uint8_t> scratch(text.size());
        const auto verified = vm<one_call, helpers>::verify({text, {}, {}, {}}, scratch);
        REQUIRE(verified.has_value());
        CHECK(verified->stack_needed() == verified->frame_size() * 2u + 40);
        return int{verified->call_limit()};
    };
    CHECK(limit(calls(8, false)) == 1);
    CHECK(limit(calls(8, true)) == 3);   // max_call_depth, 4 * 8 + 3 * 40
    CHECK(limit(calls(24, true)) == 2);  // 3 * 24 + 2 * 40, while 4 * 24 + 3 * 40 > 200
    CHECK(limit(calls(40, true)) == 2);  // 3 * 40 + 2 * 40
    CHECK(limit(calls(48, true)) == 1);
}
