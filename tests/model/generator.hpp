// SPDX-License-Identifier: Apache-2.0
// Random programs that the verifier mostly accepts: for the differential test and for the fuzzers'
// mutators. The rows of opcodes.def are used as a list of what exists, not of what it means.
#pragma once

#include "model.hpp"
#include "random.hpp"

#include <femto/isa.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

namespace model {

/// Helpers that generated programs call: 1 to this; see machines.hpp.
inline constexpr std::uint32_t helper_count = 11;

/// One instruction with legal fields (two slots for lddw), as far as it can be told without the
/// program around it; `repair` does the rest.
inline void append_instruction(random& r, std::vector<slot>& text) {
    if (r.one_in(40)) {  // the address of a variable in the frame, as compilers take it
        const auto to = static_cast<std::uint8_t>(r.below(10));
        text.push_back({0xbf, static_cast<std::uint8_t>(0xa0 | to), 0, 0});
        text.push_back({0x07, to, 0, -static_cast<std::int32_t>(r.below(r.one_in(4) ? 600 : 100))});
        return;
    }
    if (r.one_in(80)) {  // a place in any region of the segmented space, and an access to it
        constexpr std::uint8_t accesses[]{0x71, 0x69, 0x61, 0x79, 0x72, 0x7a, 0x73, 0x7b};
        const auto to = static_cast<std::uint8_t>(2 + r.below(8));
        text.push_back({0x18, to, 0, static_cast<std::int32_t>(r.below(20))});
        text.push_back({0, 0, 0, static_cast<std::int32_t>(r.below(7))});
        const std::uint8_t opcode = accesses[r.below(std::size(accesses))];
        const bool load = (opcode & 7) == 1;
        text.push_back({opcode, static_cast<std::uint8_t>(load ? to << 4 : to), 0, 0});
        return;
    }
    using femto::format;
    using femto::use;
    const auto* row = &femto::instruction_list[r.below(femto::instruction_list.size())];
    while (row->group == femto::group::packet || (row->format == format::exit && !r.one_in(4)) ||
           (row->format == format::call && row->selector == 2)) {
        row = &femto::instruction_list[r.below(femto::instruction_list.size())];
    }
    const auto& uses = femto::rules_of(row->format);
    auto dst = static_cast<std::uint8_t>(r.below(10));
    auto src = static_cast<std::uint8_t>(r.below(10));
    std::int32_t offset = 0, imm = 0;
    if (uses.offset == use::selector) offset = row->selector;
    if (uses.offset == use::jump) offset = r.one_in(8) ? -2 : static_cast<int>(r.below(6));
    if (uses.offset == use::value) {
        auto& base = row->format == format::load ? src : dst;
        if (!r.one_in(40)) base = r.one_in(4) ? 10 : 1;
        offset = r.one_in(60) ? static_cast<std::int16_t>(r.value()) : static_cast<int>(r.below(r.one_in(8) ? 64 : 56));
        if (base == 10) offset = -8 * (1 + static_cast<int>(r.below(8)));
    }
    if (uses.immediate == use::value) imm = r.value();
    if (uses.immediate == use::selector) imm = row->selector;
    if (uses.immediate == use::jump) imm = static_cast<std::int32_t>(r.below(6));
    if (uses.destination == use::none) dst = 0;
    if (uses.source == use::selector) src = row->selector;
    if (uses.source == use::none) src = 0;
    // r1 stays a pointer most of the time.
    if (uses.destination == use::write && dst == 1 && !r.one_in(10)) dst = 2;
    std::int32_t second = 0;
    if (row->format == format::load_imm64) {
        second = r.value();
        if (src == 1 || src == 3 || src == 5) src = r.one_in(2) ? 2 : 6;
        if (src == 2 || src == 6) imm = static_cast<std::int32_t>(r.below(2)), second = static_cast<std::int32_t>(r.below(40));
        if (src == 4) imm = static_cast<std::int32_t>(r.below(20)), second = 0;
    }
    if (row->format == format::call) {
        imm = static_cast<std::int32_t>(src == 0 ? 1 + r.below(helper_count) : r.below(20));
    }
    const auto move = [&](std::uint8_t to, std::int32_t value) {
        text.push_back({0xb7, to, 0, value});
    };
    if (row->format == format::call && src == 0 && !r.one_in(8)) {
        // Pointers and lengths that are mostly right.
        if (imm == 6 || imm == 10) move(2, static_cast<std::int32_t>(r.below(20)));
        if (imm == 6) {
            text.push_back({0xbf, 0x13, 0, 0});  // r3 = r1
            move(4, static_cast<std::int32_t>(r.below(20)));
        }
    }
    if (row->format == format::call_register) {
        imm = 0;
        if (r.one_in(2)) move(dst, static_cast<std::int32_t>(1 + r.below(helper_count)));
        else if (!r.one_in(4)) text.insert(text.end(), {{0x18, static_cast<std::uint8_t>(0x40 | dst), 0, 0}, {}});
    }
    text.push_back({row->opcode, static_cast<std::uint8_t>(dst | src << 4),
                    static_cast<std::int16_t>(offset), imm});
    if (row->format == format::load_imm64) text.push_back({0, 0, 0, second});
}

/// A copy or a constant and arithmetic on it, as compilers emit them one behind the other.
inline void append_pair(random& r, std::vector<slot>& text) {
    const auto reg = [&] { return static_cast<std::uint8_t>(r.below(10)); };
    const auto dst = static_cast<std::uint8_t>(2 + r.below(8));
    const int width = r.one_in(2) ? 7 : 4;  // ALU64 or ALU
    if (r.one_in(4)) {
        text.push_back({0x18, dst, 0, r.value()});
        text.push_back({0, 0, 0, r.value()});
    } else {
        text.push_back({static_cast<std::uint8_t>(0xb8 | width),
                        static_cast<std::uint8_t>(dst | reg() << 4), 0, 0});
    }
    constexpr int codes[]{0, 0, 1, 2, 4, 5, 6, 7, 10, 12};  // no division: its offset has a meaning
    const int code = codes[r.below(std::size(codes))] << 4 | width;
    if (r.one_in(2)) {
        text.push_back({static_cast<std::uint8_t>(code | 8),
                        static_cast<std::uint8_t>(dst | reg() << 4), 0, 0});
    } else {
        text.push_back({static_cast<std::uint8_t>(code), dst, 0, r.value()});
    }
}

/// What loops are made of: an access at an index, a value mixed with itself, a step and a jump.
inline void append_sequence(random& r, std::vector<slot>& text) {
    const auto dst = static_cast<std::uint8_t>(2 + r.below(8));
    const auto other = static_cast<std::uint8_t>(r.below(10));
    const auto registers = static_cast<std::uint8_t>(dst | other << 4);
    const std::int32_t step = r.one_in(4) ? r.value() : static_cast<std::int32_t>(r.below(20));
    const int wide = r.one_in(2) ? 3 : 0;  // ALU64 and JMP, or ALU and JMP32
    const auto alu = [&](int code) { return static_cast<std::uint8_t>(code | 4 | wide); };
    switch (r.below(3)) {
        case 0: {
            constexpr std::uint8_t accesses[]{0x71, 0x69, 0x61, 0x79, 0x73, 0x6b, 0x63, 0x7b};
            const auto access = accesses[r.below(std::size(accesses))];
            const auto value = static_cast<std::uint8_t>(r.one_in(2) ? dst : other);
            text.push_back({0xb7, other, 0, step});
            text.push_back({0x18, dst, 0, static_cast<std::int32_t>(r.below(20))});
            text.push_back({0, 0, 0, static_cast<std::int32_t>(r.below(7))});
            text.push_back({0x0f, registers, 0, 0});
            text.push_back({access, static_cast<std::uint8_t>((access & 7) == 1 ? value | dst << 4 : dst | value << 4),
                            static_cast<std::int16_t>(r.below(12)), 0});
            break;
        }
        case 1:
            text.push_back({alu(0xb8), registers, 0, 0});
            text.push_back({alu(r.one_in(2) ? 0x60 : 0x70), dst, 0, static_cast<std::int32_t>(r.below(wide != 0 ? 64 : 32))});
            text.push_back({alu(0xa8), static_cast<std::uint8_t>(dst | (r.one_in(4) ? dst : other) << 4), 0, 0});
            break;
        default: {
            constexpr int conditions[]{0x10, 0x50, 0xa0, 0xa8, 0x18, 0x58, 0x20, 0xb8};
            const int condition = conditions[r.below(std::size(conditions))] | (wide != 0 ? 5 : 6);
            const std::uint32_t start = r.below(20);
            const std::uint32_t near = start + static_cast<std::uint32_t>(step) + r.below(3) - 1;
            text.push_back({alu(0xb0), dst, 0, static_cast<std::int32_t>(start)});
            text.push_back({alu(0xb0), other, 0, static_cast<std::int32_t>(near)});
            text.push_back({alu(0x00), dst, 0, step});
            const auto distance = static_cast<std::int16_t>(r.below(6));
            if ((condition & 8) != 0) {
                text.push_back({static_cast<std::uint8_t>(condition), registers, distance, 0});
            } else {
                text.push_back({static_cast<std::uint8_t>(condition), dst, distance, static_cast<std::int32_t>(near)});
            }
            break;
        }
    }
}

/// Makes calls and jumps of `text` lead where they may: calls forward to what follows an exit or a
/// jump, jumps to an instruction of their own function. Ends it with an exit.
inline void repair(random& r, std::vector<slot>& text) {
    const auto is_lddw = [&](std::size_t pc) { return text[pc].opcode == 0x18; };
    for (std::size_t pc = 0; pc < text.size(); ++pc) {
        if (!is_lddw(pc)) continue;
        if (pc + 1 == text.size()) text.push_back({});
        text[pc + 1] = {0, 0, 0, text[pc + 1].imm};
        ++pc;
    }
    if (text.empty() || text.back().opcode != 0x95 || (text.size() > 1 && is_lddw(text.size() - 2))) {
        text.push_back({0x95, 0, 0, 0});
    }
    std::vector<std::size_t> starts, entries{0};  // where an instruction begins; where a function does
    std::vector<std::size_t> behind;              // what follows an instruction that leaves
    for (std::size_t pc = 0; pc < text.size(); pc += is_lddw(pc) ? 2 : 1) {
        starts.push_back(pc);
        const auto o = text[pc].opcode;
        if ((o == 0x95 || o == 5 || o == 6) && pc + 1 < text.size()) behind.push_back(pc + 1);
    }
    for (const auto pc : starts) {
        slot& i = text[pc];
        const bool code = i.opcode == 0x18 && i.registers >> 4 == 4;
        const bool local = i.opcode == 0x85 && i.registers >> 4 == 1;
        if (!code && !local) continue;
        const auto first = std::upper_bound(behind.begin(), behind.end(), pc);
        std::size_t to = 0;
        if (first != behind.end()) {
            const auto left = static_cast<std::uint32_t>(behind.end() - first);
            to = *(first + r.below(std::min<std::uint32_t>(left, 3)));
        } else if (local) {
            i = {0x85, 0, 0, static_cast<std::int32_t>(1 + r.below(helper_count))};
            continue;
        }
        i.imm = static_cast<std::int32_t>(to) - static_cast<std::int32_t>(pc) - 1;
        entries.push_back(to);
    }
    std::sort(entries.begin(), entries.end());
    for (const auto pc : starts) {
        slot& i = text[pc];
        const int kind = i.opcode & 7, code = i.opcode >> 4;
        if ((kind != 5 && kind != 6) || code == 8 || code == 9) continue;
        const auto next = std::upper_bound(entries.begin(), entries.end(), pc);
        const auto low = std::lower_bound(starts.begin(), starts.end(), *(next - 1));
        const auto high = std::lower_bound(starts.begin(), starts.end(),
                                           next == entries.end() ? text.size() : *next);
        const auto here = std::lower_bound(starts.begin(), starts.end(), pc);
        const std::int64_t wanted = static_cast<std::int64_t>(pc) + 1 + (i.opcode == 6 ? i.imm : i.offset);
        auto to = std::lower_bound(starts.begin(), starts.end(), static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0)));
        if (to < low || to >= high) {  // somewhere near
            const auto span = std::min<std::ptrdiff_t>(high - here, 6);
            to = here + static_cast<std::ptrdiff_t>(r.below(static_cast<std::uint32_t>(span)));
        }
        const auto distance = static_cast<std::int32_t>(*to) - static_cast<std::int32_t>(pc) - 1;
        if (i.opcode == 6) {
            i.imm = distance;
        } else {
            i.offset = static_cast<std::int16_t>(distance);
        }
    }
}

inline std::vector<slot> make_program(random& r) {
    std::vector<slot> text;
    const std::uint32_t length = 5 + r.below(60);
    while (text.size() < length) {
        if (r.one_in(6)) {
            append_pair(r, text);
        } else if (r.one_in(12)) {
            append_sequence(r, text);
        } else {
            append_instruction(r, text);
        }
    }
    for (int n = 0; n < 4; ++n) text.push_back({0x95, 0, 0, 0});  // where forward jumps may land
    repair(r, text);
    return text;
}

}  // namespace model
