// SPDX-License-Identifier: Apache-2.0
// One set of programs whose results, instruction counts and fault addresses are folded into digests,
// which must be the same on the host and on each board.
#include "check.hpp"

#include <femto/vm.hpp>

#include <array>
#include <span>

using namespace femto;

namespace {

/// FNV-1a of everything that was observed.
struct digest {
    std::uint64_t value = 0xcbf29ce484222325;
    void add(std::uint64_t word) {
        for (int i = 0; i < 8; ++i, word >>= 8) value = (value ^ (word & 0xff)) * 0x100000001b3;
    }
};

struct random_words {
    std::uint64_t state;
    std::uint32_t operator()() {
        state = state * 6364136223846793005u + 1442695040888963407u;
        return static_cast<std::uint32_t>(state >> 33);
    }
};

/// Values at which arithmetic, shifts, comparisons and offsets change their minds.
constexpr std::array<std::int32_t, 12> edges{0, 1, -1, 2, 31, 32, 63, 0x7fff, -0x8000,
                                             0x7fffffff, -0x7fffffff - 1, 0x12345678};

constexpr std::array codes{
#define FEMTO_INSTRUCTION(name, opcode, selector, group_, format_, operation_, mnemonic) \
    std::array<std::uint8_t, 3>{opcode, selector, static_cast<std::uint8_t>(format::format_)},
#include <femto/opcodes.def>
};

/// An instance of row `code` with random operands; most are accepted by the verifier, not all.
instruction instance(std::array<std::uint8_t, 3> code, random_words& random) {
    const auto& rules = rules_of(static_cast<format>(code[2]));
    const auto field = [&](use u, std::uint32_t value) {
        return u == use::none ? 0 : u == use::selector ? code[1] : value;
    };
    const auto offset = rules.offset == use::jump ? 1 : random() % 24;
    const auto immediate = rules.immediate == use::jump ? 1u
                           : static_cast<std::uint32_t>(edges[random() % edges.size()]);
    const std::uint32_t destination = random() % 10;  // in this order on every compiler
    const std::uint32_t source = random() % 10;
    return instruction::make(code[0], field(rules.destination, destination),
                             field(rules.source, source),
                             static_cast<std::int32_t>(field(rules.offset, offset)),
                             static_cast<std::int32_t>(field(rules.immediate, immediate)));
}

std::uint64_t mix(std::uint64_t a, std::uint32_t b, std::int8_t c) {
    return (a ^ b) * 31 + static_cast<std::uint64_t>(c);
}
void pause(caller& c) { c.suspend(); }
std::uint64_t total(guest_span<const std::uint32_t> words) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < words.size(); ++i) sum = sum * 3 + words[i];
    return sum;
}
using helpers = helper_set<helper<0, "mix", &mix>, helper<1, "pause", &pause>,
                           helper<2, "total", &total>>;

template <class Vm>
void observe(digest& d, std::span<const instruction> text, std::span<std::byte> context) {
    std::array<std::uint8_t, 128> scratch{};
    const auto verified = Vm::verify({text, {}, {}, {}}, scratch);
    const auto note = [&](const auto& r) {
        const error e = r.has_value() ? error{} : r.error();
        d.add(static_cast<std::uint64_t>(e.code));
        d.add(e.pc);
        d.add(e.address);
    };
    note(verified);
    if (!verified.has_value()) return;
    Vm machine;
    auto r = machine.run(*verified, verified->entry(), context, 40);
    for (int i = 0; i < 3; ++i) {
        note(r);
        d.add(r.has_value() ? *r : 0);
        d.add(machine.executed());
        for (const std::uint64_t value : machine.state().r) d.add(value);
        if (r.has_value()) break;
        r = machine.resume(*verified, 40);
    }
    for (const std::byte b : context) d.add(std::to_integer<std::uint64_t>(b));
}

/// Random programs, each of which begins by filling the registers and keeps r9 as the context.
template <dispatch Dispatch>
std::uint64_t programs(unsigned count, std::uint32_t* accepted) {
    using machine = vm<config{.dispatch = Dispatch, .stack_size = 64}, helpers>;
    digest d;
    random_words random{42};
    std::array<instruction, 64> text{};
    alignas(8) std::array<std::byte, 24> context{};
    for (unsigned n = 0; n < count; ++n) {
        std::size_t size = 0;
        text[size++] = instruction::make(0xbf, 9, 1);
        for (unsigned r = 0; r < 9; ++r) {
            if (random() % 4 == 0) {
                text[size++] = instruction::make(0xbf, r, random() % 2 == 0 ? 9 : 10);
            } else {
                text[size++] = instruction::make(0x18, r, 0, 0, edges[random() % edges.size()]);
                text[size++] = instruction::make(0, 0, 0, 0, edges[random() % edges.size()]);
            }
        }
        const std::size_t body = 1 + random() % 12;
        for (std::size_t i = 0; i < body; ++i) {
            const auto code = codes[random() % codes.size()];
            if (code[2] == static_cast<std::uint8_t>(format::legacy) && random() % 16 != 0) continue;
            text[size++] = instance(code, random);
            if (code[2] == static_cast<std::uint8_t>(format::load_imm64)) {
                text[size++] = instruction::make(0, 0, 0, 0, static_cast<std::int32_t>(random()));
            }
        }
        text[size++] = instruction::make(0xb7, 0, 0, 0, 3);
        text[size++] = instruction::make(0x95);
        for (std::size_t i = 0; i < context.size(); ++i) context[i] = static_cast<std::byte>(i * 37);
        observe<machine>(d, std::span{text}.first(size), context);
        std::array<std::uint8_t, 128> scratch{};
        *accepted += machine::verify({std::span{text}.first(size), {}, {}, {}}, scratch).has_value();
    }
    return d.value;
}

/// Each instruction with each pair of edge values as operands: all arithmetic, all jumps.
template <dispatch Dispatch>
std::uint64_t instructions() {
    using machine = vm<config{.dispatch = Dispatch, .stack_size = 64}, helpers>;
    digest d;
    alignas(8) std::array<std::byte, 24> context{};
    for (const auto& code : codes) {
        const auto& rules = rules_of(static_cast<format>(code[2]));
        const auto field = [&](use u, std::uint32_t value) {
            return u == use::none ? 0 : u == use::selector ? code[1] : value;
        };
        for (const std::int32_t a : edges) {
            for (const std::int32_t b : edges) {
                const bool memory = code[2] >= static_cast<std::uint8_t>(format::load);
                const std::array text{
                    instruction::make(memory ? 0xbf : 0x18, 6, memory ? 1 : 0, 0, memory ? 0 : a),
                    instruction::make(memory ? 0xb7 : 0, memory ? 0 : 0, 0, 0, memory ? a : b),
                    instruction::make(0x18, 7, 0, 0, b),
                    instruction::make(0, 0, 0, 0, a ^ b),
                    instruction::make(code[0], field(rules.destination, 6),
                                      field(rules.source, code[2] == static_cast<std::uint8_t>(
                                                                         format::load) ? 6 : 7),
                                      static_cast<std::int32_t>(field(
                                          rules.offset, rules.offset == use::jump ? 1u
                                                        : static_cast<std::uint32_t>(b) & 15)),
                                      static_cast<std::int32_t>(field(
                                          rules.immediate, rules.immediate == use::jump
                                                               ? 1u
                                                               : static_cast<std::uint32_t>(b)))),
                    instruction::make(0xbf, 0, 6),
                    instruction::make(0x95)};
                observe<machine>(d, text, context);
            }
        }
    }
    return d.value;
}

}  // namespace

TEST_CASE("everywhere: results, instruction counts and fault addresses are the same") {
    std::uint32_t accepted = 0;
    const std::uint64_t expected[]{instructions<dispatch::compact>(),
                                   programs<dispatch::compact>(1000, &accepted)};
    CHECK(instructions<dispatch::threaded>() == expected[0]);
    CHECK(programs<dispatch::threaded>(1000, &accepted) == expected[1]);
    CHECK(accepted >= 200);  // a good part of them runs
    femto_check::print("digest of instructions ");
    femto_check::print_hex(expected[0]);
    femto_check::print("\ndigest of programs ");
    femto_check::print_hex(expected[1]);
    femto_check::print(", verified ");
    femto_check::print_number(accepted);
    femto_check::print("\n");
}
