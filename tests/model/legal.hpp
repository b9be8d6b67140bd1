// SPDX-License-Identifier: Apache-2.0
// The verifier once more: which programs are legal, from RFC 9669 and the list in `verified_program`,
// as one naive question after the other, without a line of the library.
#pragma once

#include "model.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace model {

/// Bytes of the stack that each call takes beside a frame: five registers' worth.
inline constexpr int saved_by_call = 40;

struct limits {
    std::size_t max_instructions = 4096;
    int stack_size = 512;
    int max_call_depth = 8;
    std::set<std::uint32_t> helpers{};
};

/// What a legal program needs to run.
struct legality {
    bool legal = false;
    int frame_size = 0;
    int call_limit = 0;  ///< how many calls may nest: those by number, with callx as many as fit
    std::set<std::uint64_t> entries{};  ///< slots at which functions begin
};

namespace detail {

/// RFC 9669, table by table: is this one of its instructions, with every field as it must be?
inline bool well_formed(const slot& i) {
    const int cls = i.opcode & 7, code = i.opcode >> 4;
    const bool x = (i.opcode & 8) != 0;
    const int dst = i.registers & 15, src = i.registers >> 4;
    const auto none = [](auto... fields) { return ((fields == 0) && ...); };
    if (dst > 10) return false;
    if (cls == 4 || cls == 7) {  // section 4.1
        if (dst == 10 || code > 13) return false;
        if (code == 13) {  // section 4.2
            return (cls == 4 || !x) && none(src, i.offset) &&
                   (i.imm == 16 || i.imm == 32 || i.imm == 64);
        }
        if (code == 8) return !x && none(src, i.offset, i.imm);
        if (x ? (src > 10 || i.imm != 0) : src != 0) return false;
        if (code == 3 || code == 9) return i.offset == 0 || i.offset == 1;
        if (code == 11 && x) {
            return i.offset == 0 || i.offset == 8 || i.offset == 16 || (i.offset == 32 && cls == 7);
        }
        return i.offset == 0;
    }
    if (cls == 5 || cls == 6) {  // section 4.3
        if (code == 0) {
            return !x && none(dst, src) && (cls == 5 ? i.imm == 0 : i.offset == 0);
        }
        if (code == 8 || code == 9) {
            if (cls == 6) return false;
            if (code == 9) return !x && none(dst, src, i.offset, i.imm);
            if (!x) return none(dst, i.offset) && src <= 1;
            // callx: the register is dst or imm, the other one 0
            return none(src, i.offset) && i.imm >= 0 && i.imm <= 10 && (dst == 0 || i.imm == 0);
        }
        if (code > 13) return false;
        return x ? src <= 10 && i.imm == 0 : src == 0;
    }
    if (cls == 0) return i.opcode == 0x18 && dst != 10 && i.offset == 0;  // section 5.4
    const int mode = i.opcode >> 5, size = (i.opcode >> 3) & 3;
    if (cls == 1) return (mode == 3 || (mode == 4 && size != 3)) && dst != 10 && src <= 10 && i.imm == 0;
    if (cls == 2) return mode == 3 && src == 0;
    if (src > 10) return false;
    if (mode == 3) return i.imm == 0;
    if (mode != 6 || (size != 0 && size != 3)) return false;  // section 5.3
    switch (i.imm) {
        case 0x00: case 0x40: case 0x50: case 0xa0: case 0xf1: return true;
        case 0x01: case 0x41: case 0x51: case 0xa1: case 0xe1: return src != 10;
        default: return false;
    }
}

inline bool is_lddw(const slot& i) { return i.opcode == 0x18; }
inline bool is_local_call(const slot& i) { return i.opcode == 0x85 && (i.registers >> 4) == 1; }
inline bool leaves(const slot& i) { return i.opcode == 0x95 || i.opcode == 5 || i.opcode == 6; }

/// How deep the calls of the function at `entry` nest, or -1 if they recurse (or nest too deep for any
/// configuration). `heights` remembers functions that are done.
inline int height(const std::vector<slot>& text, const std::set<std::uint64_t>& entries,
                  std::uint64_t entry, std::map<std::uint64_t, int>& heights, int callers = 0) {
    if (heights.count(entry) != 0) return heights[entry];
    if (callers > 100) return -1;
    const auto next = entries.upper_bound(entry);
    const std::uint64_t end = next == entries.end() ? text.size() : *next;
    int most = 0;
    for (std::uint64_t pc = entry; pc < end; pc += is_lddw(text[pc]) ? 2 : 1) {
        if (!is_local_call(text[pc])) continue;
        const auto to = pc + 1 + static_cast<std::uint64_t>(std::int64_t{text[pc].imm});
        const int below = height(text, entries, to, heights, callers + 1);
        if (below < 0) return -1;
        most = std::max(most, below + 1);
    }
    return heights[entry] = most;
}

}  // namespace detail

inline legality judge(const std::vector<slot>& text, const std::vector<std::uint32_t>& functions,
                      const limits& allowed) {
    using namespace detail;
    legality result;
    const auto size = static_cast<std::int64_t>(text.size());
    if (text.empty() || text.size() > allowed.max_instructions) return result;

    // Each instruction by itself; second slots are remembered, functions collected.
    std::set<std::int64_t> seconds;
    std::set<std::uint64_t> entries{0};
    for (const auto f : functions) {
        if (f >= size) return result;
        entries.insert(f);
    }
    int frame = 0;
    bool calls_registers = false;
    for (std::int64_t pc = 0; pc < size; ++pc) {
        const slot& i = text[static_cast<std::size_t>(pc)];
        if (!well_formed(i)) return result;
        const int dst = i.registers & 15, src = i.registers >> 4;
        const int cls = i.opcode & 7;
        if (is_lddw(i)) {
            if (pc + 1 == size) return result;
            const slot& second = text[static_cast<std::size_t>(pc + 1)];
            if (second.opcode != 0 || second.registers != 0 || second.offset != 0) return result;
            seconds.insert(pc + 1);
            if (src == 2 || src == 6) {
                if (i.imm != 0 && i.imm != 1) return result;
            } else if (src == 4) {
                const std::int64_t to = pc + 1 + i.imm;
                if (second.imm != 0 || to < 0 || to >= size) return result;
                entries.insert(static_cast<std::uint64_t>(to));
            } else if (src != 0) {
                return result;
            }
            ++pc;
            continue;
        }
        if (i.opcode == 0x85 && src == 0 &&
            allowed.helpers.count(static_cast<std::uint32_t>(i.imm)) == 0) {
            return result;
        }
        if (i.opcode == 0x8d) calls_registers = true;
        if (is_local_call(i)) {
            const std::int64_t to = pc + 1 + i.imm;
            if (to < 0 || to >= size) return result;
            entries.insert(static_cast<std::uint64_t>(to));
        }
        const int base = cls == 1 ? src : cls == 2 || cls == 3 ? dst : -1;
        if (base == 10) {
            constexpr int sizes[]{4, 2, 1, 8};
            const int width = sizes[(i.opcode >> 3) & 3];
            if (i.offset > -width || i.offset < -allowed.stack_size) return result;
            if (-i.offset > frame) frame = -i.offset;
        }
        // mov64 rX, r10; add64 rX, -n
        if (i.opcode == 0x07 && pc > 0 && seconds.count(pc - 1) == 0) {
            const slot& before = text[static_cast<std::size_t>(pc - 1)];
            if (before.opcode == 0xbf && before.registers >> 4 == 10 &&
                (before.registers & 15) == dst && before.offset == 0 && i.imm < 0 &&
                i.imm >= -allowed.stack_size && -i.imm > frame) {
                frame = -i.imm;
            }
        }
    }
    frame = (frame + 7) / 8 * 8;

    for (const auto e : entries) {
        if (seconds.count(static_cast<std::int64_t>(e)) != 0) return result;
    }
    // Each function: jumps stay inside and off second slots, the last instruction leaves.
    for (auto e = entries.begin(); e != entries.end(); ++e) {
        const auto next = std::next(e);
        const auto begin = static_cast<std::int64_t>(*e);
        const auto end = next == entries.end() ? size : static_cast<std::int64_t>(*next);
        std::int64_t last = begin;
        for (std::int64_t pc = begin; pc < end; pc += is_lddw(text[static_cast<std::size_t>(pc)]) ? 2 : 1) {
            const slot& i = text[static_cast<std::size_t>(pc)];
            last = pc;
            const int cls = i.opcode & 7, code = i.opcode >> 4;
            if ((cls != 5 && cls != 6) || code == 8 || code == 9) continue;
            const std::int64_t to = pc + 1 + (i.opcode == 6 ? i.imm : i.offset);
            if (to < begin || to >= end || seconds.count(to) != 0) return result;
        }
        if (!leaves(text[static_cast<std::size_t>(last)])) return result;
    }
    int depth = 0;
    std::map<std::uint64_t, int> heights;
    for (const auto e : entries) {
        const int h = height(text, entries, e, heights);
        if (h < 0) return result;
        depth = std::max(depth, h);
    }
    if (depth > allowed.max_call_depth) return result;
    const auto fits = [&](int calls) {
        return (calls + 1) * frame + calls * saved_by_call <= allowed.stack_size;
    };
    if (!fits(depth)) return result;
    result.call_limit = depth;
    if (calls_registers) {
        for (int more = depth; more <= allowed.max_call_depth && fits(more); ++more) {
            result.call_limit = more;
        }
    }
    result.legal = true;
    result.frame_size = frame;
    result.entries = entries;
    return result;
}

}  // namespace model
