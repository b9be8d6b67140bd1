// SPDX-License-Identifier: Apache-2.0
#include "catch.hpp"

#include <femto/assembler.hpp>
#include <femto/disassembler.hpp>

#include <array>
#include <string>
#include <vector>

using namespace femto;

namespace {

struct llvm_text {
    instruction i;
    std::string_view text;
};
const llvm_text llvm_texts[]{
#define LLVM_TEXT(row, opcode, dst, src, offset, immediate, text) \
    {instruction::make(opcode, dst, src, offset, immediate), text},
#include "llvm_text.def"
#undef LLVM_TEXT
};

std::vector<instruction> assembled(std::string_view source) {
    std::vector<instruction> text(64);
    const auto size = assemble(source, text);
    INFO(source);
    REQUIRE(size.has_value());
    text.resize(*size);
    return text;
}

error refusal(std::string_view source, std::size_t space = 8) {
    std::vector<instruction> text(space);
    const auto size = assemble(source, text);
    REQUIRE(!size.has_value());
    return size.error();
}

/// Rows whose LLVM text leaves something out: which section or offset a lddw means, whether a call is
/// local, the fields that legacy instructions carry along.
bool llvm_text_is_lossy(const instruction_info& row) {
    return (row.format == format::load_imm64 || row.format == format::call ? row.selector != 0
                                                                            : false) ||
           row.format == format::legacy;
}

}  // namespace

TEST_CASE("disassembler: every instruction as llvm-objdump prints it") {
    REQUIRE(std::size(llvm_texts) == instruction_list.size());
    for (const auto& expected : llvm_texts) {
        const std::array<instruction, 2> text{expected.i, instruction::make(0, 0, 0, 0, 7)};
        CHECK(disassemble(text, 0).text() == expected.text);
    }
}

TEST_CASE("disassembler: numbers at the ends of their ranges") {
    const auto text = [](instruction i) { return std::string{disassemble({&i, 1}, 0).text()}; };
    CHECK(text(instruction::make(0xb7, 1, 0, 0, -2147483647 - 1)) == "r1 = -0x80000000");
    CHECK(text(instruction::make(0x79, 1, 2, -8)) == "r1 = *(u64 *)(r2 - 0x8)");
    CHECK(text(instruction::make(0x79, 1, 2, -32768)) == "r1 = *(u64 *)(r2 - 0x8000)");
    CHECK(text(instruction::make(0x05, 0, 0, 0)) == "goto +0x0");
    CHECK(text(instruction::make(0x05, 0, 0, -2)) == "goto -0x2");
    CHECK(text(instruction::make(0x8d, 0, 0, 0, 3)) == "callx r3");
    CHECK(text(instruction::make(0xff)) == "<unknown>");
    CHECK(text(instruction::make(0x18, 1)) == "<unknown>");  // without its second slot
    const auto all_ones = assembled("lddw r1, -1");
    CHECK(disassemble(all_ones, 0).text() == "r1 = -0x1 ll");
    CHECK(disassemble(all_ones, 0).slots == 2);
}

TEST_CASE("assembler: what the disassembler prints, for every instruction and field value") {
    for (const auto& row : instruction_list) {
        const field_rules& uses = rules_of(row.format);
        for (const std::int32_t value : {0, 1, -1, 5, 0x7fff, -0x8000}) {
            for (const unsigned reg : {0u, 3u, 10u}) {
                const auto selector = static_cast<std::int32_t>(row.selector);
                const std::array<instruction, 2> text{
                    instruction::make(
                        row.opcode, uses.destination == use::none ? 0 : reg,
                        uses.source == use::none       ? 0
                        : uses.source == use::selector ? row.selector
                                                       : 10 - reg,
                        uses.offset == use::none       ? 0
                        : uses.offset == use::selector ? selector
                                                       : value,
                        uses.immediate == use::none || row.format == format::call_register ? 0
                        : uses.immediate == use::selector ? selector
                                                          : value),
                    instruction::make(0, 0, 0, 0, value)};
                const std::size_t slots = row.format == format::load_imm64 ? 2 : 1;
                for (const auto s : {syntax::llvm, syntax::mnemonic}) {
                    if (row.format == format::legacy ||
                        (s == syntax::llvm && llvm_text_is_lossy(row))) {
                        continue;
                    }
                    const auto printed = disassemble(text, 0, s);
                    INFO(printed.text());
                    const auto again = assembled(printed.text());
                    REQUIRE(again.size() == slots);
                    CHECK(again[0] == text[0]);
                    if (slots == 2) CHECK(again[1] == text[1]);
                }
            }
        }
    }
}

TEST_CASE("assembler: labels, comments and the ways people write instructions") {
    const auto text = assembled(R"(
        # a comment
        start: mov %r1, 0x10   ; another
        again:
            add r1, -1         // and another
            jne r1, 0, again
            call local f
            ja done
        f:  lddw r0, 0x1122334455667788
            bswap16 r0
            call r3
            exit
        done: if w1 s> 5 goto start
            goto exit
            r2 = *(u32*)(r1+4)
            *(u8 *)(r10 - 1) = r2
            exit
    )");
    const std::vector<instruction> expected{
        instruction::make(0xb7, 1, 0, 0, 16),  instruction::make(0x07, 1, 0, 0, -1),
        instruction::make(0x55, 1, 0, -2, 0),  instruction::make(0x85, 0, 1, 0, 1),
        instruction::make(0x05, 0, 0, 5),      instruction::make(0x18, 0, 0, 0, 0x55667788),
        instruction::make(0, 0, 0, 0, 0x11223344), instruction::make(0xd7, 0, 0, 0, 16),
        instruction::make(0x8d, 3),            instruction::make(0x95),
        instruction::make(0x66, 1, 0, -11, 5), instruction::make(0x05, 0, 0, 2),
        instruction::make(0x61, 2, 1, 4),      instruction::make(0x73, 10, 2, -1),
        instruction::make(0x95)};
    CHECK(text == expected);
}

TEST_CASE("assembler: refusals with line and column") {
    CHECK(refusal("mov r0, 1\n  ad r0, 9") == error{errc::syntax_error, 2, 5});
    CHECK(refusal("mov r0") == error{errc::syntax_error, 1, 7});
    CHECK(refusal("mov r0, 1 2") == error{errc::syntax_error, 1, 11});
    CHECK(refusal("r1 = r") == error{errc::syntax_error, 1, 7});
    CHECK(refusal("r1 = le16 r2") == error{errc::syntax_error, 1, 13});
    CHECK(refusal("mov r0, 4294967296") == error{errc::value_out_of_range, 1, 9});
    CHECK(refusal("mov r0, -2147483649") == error{errc::value_out_of_range, 1, 9});
    CHECK(refusal("mov r0, 18446744073709551617") == error{errc::value_out_of_range, 1, 9});
    CHECK(refusal("ja a_label_with_thirty_characters_") == error{errc::undefined_label, 1, 4});
    CHECK(refusal("mov r0, 99999999999999999999999") == error{errc::value_out_of_range, 1, 9});
    CHECK(refusal("lddw r0, 0x10000000000000000") == error{errc::value_out_of_range, 1, 10});
    CHECK(refusal("ldxw r0, [r1+32768]") == error{errc::value_out_of_range, 1, 13});
    CHECK(refusal("\n\nx: ja nowhere") == error{errc::undefined_label, 3, 7});
    CHECK(refusal("mov r0, 1\nexit", 1) == error{errc::no_space, 2, 2});
    CHECK(refusal("lddw r0, 1", 1) == error{errc::no_space, 1, 2});
}

TEST_CASE("assembler: a jump over too many lines is out of range") {
    std::string source = "ja far\n";
    for (int n = 0; n < 32769; ++n) source += "exit\n";
    source += "far: exit";
    std::vector<instruction> text(1);
    const auto size = assemble(source, text);
    REQUIRE(!size.has_value());
    CHECK(size.error() == error{errc::value_out_of_range, 1, 4});
}

namespace {
constexpr bool assembles_at_compile_time() {
    std::array<instruction, 4> text{};
    const auto size = assemble("r0 = 0x2\nadd r0, 3\nexit", text);
    return size.has_value() && *size == 3 && text[1] == instruction::make(0x07, 0, 0, 0, 3);
}
static_assert(assembles_at_compile_time());
}  // namespace
