// SPDX-License-Identifier: Apache-2.0
// What the bytes of a fuzzer mean to the targets that run programs: 12 bytes that say what memory and
// fuel there is, then the text. The mutator works on instructions, since dumb bytes get no further
// than the verifier's first refusal.
#pragma once

#include "../model/generator.hpp"
#include "../model/machines.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max);

namespace fuzz {

inline constexpr std::size_t header_size = 12;
inline constexpr std::size_t most_slots = 256;

inline std::vector<model::slot> read_text(const std::uint8_t* data, std::size_t size) {
    std::vector<model::slot> text(std::min(size / 8, most_slots));
    for (auto& i : text) {
        i.opcode = data[0];
        i.registers = data[1];
        i.offset = static_cast<std::int16_t>(data[2] | data[3] << 8);
        i.imm = static_cast<std::int32_t>(model::load(data + 4, 4));
        data += 8;
    }
    return text;
}

inline model::scenario read_scenario(const std::uint8_t* data, std::size_t size) {
    model::scenario s;
    if (size < header_size) return s;
    model::random r{data[0]};
    const auto bytes = [&](std::size_t count) {
        std::vector<std::uint8_t> made(count);
        for (auto& b : made) b = static_cast<std::uint8_t>(r.one_in(4) ? 0 : r.next());
        return made;
    };
    s.context = bytes(data[1]);
    s.rodata = bytes(data[2] % 64);
    s.data = bytes(data[3] % 64);
    s.extra = bytes(data[4] % 32);
    s.extra_permission = data[5] & 3;
    s.context_writable = (data[5] & 4) == 0;
    s.granted = (data[5] & 8) == 0 ? ~std::uint64_t{0} : model::load(data + 6, 2);
    s.fuel = 1u + data[8] * 16u;
    s.portion = 1u + data[9] % 64u;
    s.text = read_text(data + header_size, size - header_size);
    if ((data[5] & 16) != 0) s.functions = {data[10], data[11]};
    return s;
}

/// Changes some instructions, then makes the program legal again, mostly.
inline std::size_t mutate_program(std::uint8_t* data, std::size_t size, std::size_t max,
                                  std::uint32_t seed, std::uint32_t leave_illegal_one_in) {
    model::random r{seed};
    if (size < header_size + 8 || max < header_size + 64 || r.one_in(8)) {
        if (size < header_size) {
            std::memset(data, 0, header_size);
            data[1] = 64;
            data[8] = 100;
            return header_size;
        }
        if (r.one_in(4) || max < header_size + 64) return LLVMFuzzerMutate(data, size, max);
        data[r.below(header_size)] = static_cast<std::uint8_t>(r.next());
    }
    auto text = read_text(data + header_size, size - header_size);
    const auto some = [&] { return text.begin() + r.below(static_cast<std::uint32_t>(text.size())); };
    for (std::uint32_t n = 1 + r.below(4); n-- > 0;) {
        std::vector<model::slot> fresh;
        model::append_instruction(r, fresh);
        switch (text.empty() ? 0 : r.below(6)) {
            case 0: text.insert(text.empty() ? text.end() : some(), fresh.begin(), fresh.end()); break;
            case 1: *some() = fresh[0]; break;
            case 2: text.erase(some()); break;
            case 3: some()->imm = r.value(); break;
            case 4: some()->offset = static_cast<std::int16_t>(r.one_in(2) ? static_cast<std::int32_t>(r.below(64)) : r.value()); break;
            default: some()->registers = static_cast<std::uint8_t>(r.below(11) | r.below(11) << 4); break;
        }
    }
    if (!r.one_in(leave_illegal_one_in)) model::repair(r, text);
    text.resize(std::min({text.size(), most_slots, (max - header_size) / 8}));
    std::uint8_t* to = data + header_size;
    for (const auto& i : text) {
        to[0] = i.opcode;
        to[1] = i.registers;
        model::store(to + 2, 2, static_cast<std::uint16_t>(i.offset));
        model::store(to + 4, 4, static_cast<std::uint32_t>(i.imm));
        to += 8;
    }
    return static_cast<std::size_t>(to - data);
}

}  // namespace fuzz
