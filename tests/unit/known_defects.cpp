// SPDX-License-Identifier: Apache-2.0
// What the reference engine of Femto-Containers (future-proof-iot/Femto-Container, 6987a20) gets wrong,
// each as a test of what is right.
#include "catch.hpp"
#include "every_vm.hpp"

#include <femto/rbpf_image.hpp>

#include <array>

using namespace femto;
using test::op;

namespace {

constexpr std::uint8_t mov = 0xb7, mov_reg = 0xbf, exit_op = 0x95, ja = 0x05, lddw = 0x18, neg = 0x87,
                       call = 0x85, add = 0x07, lsh = 0x67, ldxb = 0x71, ldxdw = 0x79, jlt = 0xa5;

std::uint64_t five(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                   std::uint64_t e) {
    return a + b * 10 + c * 100 + d * 1000 + e * 10000;
}
std::uint32_t first(guest_span<const std::uint8_t> bytes) { return bytes.size() != 0 ? bytes[0] : 0; }
using helpers = helper_set<helper<1, "five", &five>, helper<2, "first", &first>>;

/// What becomes of a program with 8 bytes of context: its error, or its result.
struct outcome {
    error refused{};
    error fault{};
    std::uint64_t value = 0;
};
template <class Kind>
outcome outcome_of(std::vector<instruction> text, std::uint32_t fuel = 1000) {
    using machine = typename Kind::template vm<helpers>;
    outcome o;
    test::loaded<machine> program{std::move(text)};
    const auto verified = program.verify();
    if (!verified.has_value()) {
        o.refused = verified.error();
        return o;
    }
    machine m;
    std::array<std::byte, 8> context{std::byte{7}};
    const auto r = m.run(*verified, verified->entry(), context, fuel);
    if (r.has_value()) {
        o.value = *r;
    } else {
        o.fault = r.error();
    }
    return o;
}
/// The verdict must be the same for every machine.
void refuses(const std::vector<instruction>& text, error expected) {
    test::on_every_vm<config{}>(
        [&](auto c) { CHECK(outcome_of<decltype(c)>(text).refused == expected); });
}
void gives(const std::vector<instruction>& text, std::uint64_t value) {
    test::on_every_vm<config{}>([&](auto c) {
        const auto o = outcome_of<decltype(c)>(text);
        CHECK(o.refused == error{});
        CHECK(o.fault == error{});
        CHECK(o.value == value);
    });
}
void faults(const std::vector<instruction>& text, errc code, std::uint32_t pc) {
    test::on_every_vm<config{}>([&](auto c) {
        const auto o = outcome_of<decltype(c)>(text);
        CHECK(o.refused == error{});
        CHECK(o.fault.code == code);
        CHECK(o.fault.pc == pc);
    });
}

}  // namespace

TEST_CASE("known defect: a jump to one past the end ran what follows") {
    refuses({op(ja, 0, 0, 1), op(exit_op)}, {errc::illegal_jump, 0, 2});
}

TEST_CASE("known defect: a jump into the second slot of lddw was accepted") {
    refuses({op(ja, 0, 0, 1), op(lddw), op(0), op(exit_op)}, {errc::jump_into_load, 0, 2});
}

TEST_CASE("known defect: r10 could be written") {
    refuses({op(mov, 10), op(exit_op)}, {errc::frame_pointer_write, 0, 0});
    refuses({op(ldxdw, 10, 1), op(exit_op)}, {errc::frame_pointer_write, 0, 0});
    refuses({op(lddw, 10), op(0), op(exit_op)}, {errc::frame_pointer_write, 0, 0});
}

TEST_CASE("known defect: unknown opcodes were accepted") {
    std::array<bool, 256> defined{};
    for (const auto& row : instruction_list) defined[row.opcode] = true;
    for (unsigned opcode = 0; opcode < 256; ++opcode) {
        if (defined[opcode]) continue;
        refuses({op(mov), op(static_cast<std::uint8_t>(opcode)), op(exit_op)},
                {errc::illegal_instruction, 1, opcode});
    }
}

TEST_CASE("known defect: a legal jump to instruction 0 was refused") {
    gives({op(add, 0, 0, 0, 1), op(jlt, 0, 0, -2, 3), op(exit_op)}, 3);
}

TEST_CASE("known defect: lddw sign-extended its low word") {
    gives({op(lddw, 0, 0, 0, -1), op(0, 0, 0, 0, 1), op(exit_op)}, 0x1ffffffff);
}

TEST_CASE("known defect: neg64 was illegal") {
    gives({op(mov, 0, 0, 0, 5), op(neg), op(exit_op)}, ~std::uint64_t{0} - 4);
}

TEST_CASE("known defect: addresses in data and rodata counted from the wrong end of the header") {
    // r1 = &data[0]; r0 = *(u8 *)r1; r2 = &rodata[1]; r2 = *(u8 *)r2; r0 = r0 << 8 + r2
    const std::array text{op(0xb8, 1), op(0), op(ldxb, 0, 1), op(0xd8, 2, 0, 0, 1), op(0),
                          op(ldxb, 2, 2), op(lsh, 0, 0, 0, 8), op(0x0f, 0, 2), op(exit_op)};
    std::vector<std::byte> image;
    const auto put = [&](std::uint64_t value, int bytes) {
        for (int n = 0; n < bytes; ++n) image.push_back(static_cast<std::byte>(value >> (8 * n)));
    };
    for (const std::uint64_t word : {0x46504272ull, 0ull, 0ull, 2ull, 2ull, text.size() * 8ull, 0ull}) {
        put(word, 4);
    }
    put(0x1122, 2);  // data
    put(0x3344, 2);  // rodata
    for (const auto& i : text) {
        put(instruction::guest(i.fields), 4);
        put(instruction::guest(i.immediate), 4);
    }
    std::array<std::byte, 8> data{};
    std::array<instruction, text.size()> slots{};
    const auto loaded = load_rbpf(image, {data, {}, slots});
    REQUIRE(loaded.has_value());
    test::on_every_vm<config{}>([&](auto c) {
        using machine = typename decltype(c)::template vm<helpers>;
        std::array<std::uint8_t, text.size()> scratch{};
        const auto verified = machine::verify(*loaded, scratch);
        REQUIRE(verified.has_value());
        machine m;
        CHECK(*m.run(*verified, verified->entry(), 100) == 0x2233);
    });
}

TEST_CASE("known defect: the budget of branches could be switched off") {
    test::on_every_vm<config{}>([](auto c) {
        const auto o = outcome_of<decltype(c)>({op(ja, 0, 0, -1)}, 50);
        CHECK(o.fault == error{errc::out_of_fuel, 0, 0});
    });
}

TEST_CASE("known defect: helpers saw r0 to r4 instead of r1 to r5") {
    gives({op(mov, 0, 0, 0, 9), op(mov, 1, 0, 0, 1), op(mov, 2, 0, 0, 2), op(mov, 3, 0, 0, 3),
           op(mov, 4, 0, 0, 4), op(mov, 5, 0, 0, 5), op(call, 0, 0, 0, 1), op(exit_op)},
          54321);
}

TEST_CASE("known defect: helpers bypassed the check of memory") {
    // 8 bytes of the context are granted, nine are not, and nothing is at 0
    gives({op(mov, 2, 0, 0, 8), op(call, 0, 0, 0, 2), op(exit_op)}, 7);
    faults({op(mov, 2, 0, 0, 9), op(call, 0, 0, 0, 2), op(exit_op)}, errc::illegal_memory, 1);
    faults({op(mov, 1), op(mov, 2, 0, 0, 1), op(call, 0, 0, 0, 2), op(exit_op)},
           errc::illegal_memory, 2);
}

TEST_CASE("known defect: the high word of a pointer was ignored on a 32-bit core") {
    // r3 = r1 + (1 << 40): the low word is that of the context
    faults({op(mov_reg, 3, 1), op(mov, 4, 0, 0, 1), op(lsh, 4, 0, 0, 40), op(0x0f, 3, 4),
            op(ldxb, 0, 3), op(exit_op)},
           errc::illegal_memory, 4);
}

TEST_CASE("known defect: address + size could wrap around") {
    // The last bytes of the address space, and those of the segment, with every width.
    for (const auto width : {0x71, 0x69, 0x61, 0x79}) {
        const auto load = static_cast<std::uint8_t>(width);
        faults({op(mov, 3, 0, 0, -1), op(load, 0, 3), op(exit_op)}, errc::illegal_memory, 1);
        faults({op(mov_reg, 3, 1), op(mov, 4, 0, 0, 0), op(lddw, 4, 0, 0, -1), op(0),
                op(0x4f, 3, 4), op(load, 0, 3), op(exit_op)},
               errc::illegal_memory, 5);
    }
    // A span whose length makes up for it.
    faults({op(lddw, 2, 0, 0, -1), op(0), op(call, 0, 0, 0, 2), op(exit_op)}, errc::illegal_memory, 2);
    faults({op(mov, 2, 0, 0, -1), op(call, 0, 0, 0, 2), op(exit_op)}, errc::illegal_memory, 1);
}
