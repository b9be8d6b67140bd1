// SPDX-License-Identifier: Apache-2.0
// The instructions of RFC 9669 once more, written from its text without a thought of speed and without
// a line of the library: what the library must agree with. Memory is one context, at any address, and
// one stack; fuel, calls and helpers are not modelled.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace model {

struct slot {
    std::uint8_t opcode, registers;
    std::int16_t offset;
    std::int32_t imm;
};

enum class end { exit, memory_fault, step_limit };

struct outcome {
    end how = end::exit;
    std::uint64_t pc = 0;        // of the fault
    std::uint64_t executed = 0;
    std::array<std::uint64_t, 11> r{};
};

struct memory {
    std::uint64_t context_at, stack_at;
    std::vector<std::uint8_t>& context;
    std::array<std::uint8_t, 512> stack{};

    std::uint8_t* find(std::uint64_t address, std::uint64_t size) {
        // Byte by byte, so that no sum can wrap around unnoticed.
        std::uint8_t* first = nullptr;
        for (std::uint64_t n = 0; n < size; ++n) {
            const std::uint64_t a = address + n;
            std::uint8_t* at = nullptr;
            if (a >= context_at && a - context_at < context.size()) at = &context[a - context_at];
            if (a >= stack_at && a - stack_at < stack.size()) at = &stack[a - stack_at];
            if (at == nullptr) return nullptr;
            if (n == 0) first = at;
            if (at != first + n) return nullptr;
        }
        return first;
    }
};

inline std::uint64_t load(const std::uint8_t* from, int size) {
    std::uint64_t value = 0;
    for (int n = 0; n < size; ++n) value += std::uint64_t{from[n]} << (8 * n);
    return value;
}
inline void store(std::uint8_t* to, int size, std::uint64_t value) {
    for (int n = 0; n < size; ++n) to[n] = static_cast<std::uint8_t>(value >> (8 * n));
}
inline std::uint64_t extend(std::uint64_t value, int bits) {
    if (bits == 64) return value;
    const std::uint64_t sign = std::uint64_t{1} << (bits - 1);
    value &= (sign << 1) - 1;
    return (value ^ sign) - sign;
}

/// Arithmetic on `bits` bits; -1 in `offset` never occurs.
inline std::uint64_t arithmetic(int code, int offset, std::uint64_t a, std::uint64_t b, int bits) {
    const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : 0xffffffffu;
    a &= mask;
    b &= mask;
    const auto sa = static_cast<std::int64_t>(extend(a, bits));
    const auto sb = static_cast<std::int64_t>(extend(b, bits));
    const auto magnitude = [](std::int64_t v) {
        return v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
    };
    const int shift = static_cast<int>(b % static_cast<unsigned>(bits));
    std::uint64_t r = 0;
    switch (code) {
        case 0x0: r = a + b; break;
        case 0x1: r = a - b; break;
        case 0x2: r = a * b; break;
        case 0x3:
            if (b == 0) {
                r = 0;
            } else if (offset == 0) {
                r = a / b;
            } else {
                r = magnitude(sa) / magnitude(sb);
                if ((sa < 0) != (sb < 0)) r = 0 - r;
            }
            break;
        case 0x4: r = a | b; break;
        case 0x5: r = a & b; break;
        case 0x6: r = a << shift; break;
        case 0x7: r = a >> shift; break;
        case 0x8: r = 0 - a; break;
        case 0x9:
            if (b == 0) {
                r = a;
            } else if (offset == 0) {
                r = a % b;
            } else {
                r = magnitude(sa) % magnitude(sb);
                if (sa < 0) r = 0 - r;
            }
            break;
        case 0xa: r = a ^ b; break;
        case 0xb: r = offset == 0 ? b : extend(b, offset); break;
        case 0xc:
            r = a >> shift;
            if (sa < 0 && shift != 0) r |= ~(mask >> shift);
            break;
        default: break;
    }
    return r & mask;
}

inline bool condition(int code, std::uint64_t a, std::uint64_t b, int bits) {
    const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : 0xffffffffu;
    a &= mask;
    b &= mask;
    const auto sa = static_cast<std::int64_t>(extend(a, bits));
    const auto sb = static_cast<std::int64_t>(extend(b, bits));
    switch (code) {
        case 0x1: return a == b;
        case 0x2: return a > b;
        case 0x3: return a >= b;
        case 0x4: return (a & b) != 0;
        case 0x5: return a != b;
        case 0x6: return sa > sb;
        case 0x7: return sa >= sb;
        case 0xa: return a < b;
        case 0xb: return a <= b;
        case 0xc: return sa < sb;
        default: return sa <= sb;
    }
}

inline std::uint64_t swap_bytes(std::uint64_t value, int bits) {
    std::uint64_t r = 0;
    for (int n = 0; n < bits; n += 8) r |= ((value >> n) & 0xff) << (bits - 8 - n);
    return r;
}

/// Runs a program that the verifier has accepted.
inline outcome run(const std::vector<slot>& text, memory& m, std::uint64_t limit) {
    outcome o;
    auto& r = o.r;
    r[1] = m.context_at;
    r[2] = m.context.size();
    r[10] = m.stack_at + m.stack.size();
    std::uint64_t pc = 0;
    const auto fault = [&](std::uint64_t at) {
        o.how = end::memory_fault;
        o.pc = at;
    };
    while (o.executed < limit) {
        const std::uint64_t here = pc;
        const slot i = text[pc++];
        ++o.executed;
        const std::size_t dst = i.registers & 15u, src = i.registers >> 4u;
        const int kind = i.opcode & 7;
        const int code = i.opcode >> 4;
        const std::uint64_t imm = static_cast<std::uint64_t>(std::int64_t{i.imm});
        const std::uint64_t operand = (i.opcode & 8) != 0 ? r[src] : imm;
        const std::uint64_t distance = static_cast<std::uint64_t>(std::int64_t{i.offset});
        constexpr int sizes[]{4, 2, 1, 8};
        const int size = sizes[(i.opcode >> 3) & 3];
        if (kind == 4 || kind == 7) {
            if (code == 0xd) {
                const int bits = i.imm;
                const bool truncate = kind == 4 && (i.opcode & 8) == 0;
                const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0}
                                                      : (std::uint64_t{1} << bits) - 1;
                r[dst] = truncate ? r[dst] & mask : swap_bytes(r[dst], bits);
            } else {
                r[dst] = arithmetic(code, i.offset, r[dst], operand, kind == 7 ? 64 : 32);
            }
        } else if (kind == 5 || kind == 6) {
            if (i.opcode == 0x95) return o;
            if (code == 0) {
                pc += kind == 5 ? distance : imm;
            } else if (condition(code, r[dst], operand, kind == 5 ? 64 : 32)) {
                pc += distance;
            }
        } else if (kind == 0) {
            r[dst] = static_cast<std::uint32_t>(i.imm) +
                     (static_cast<std::uint64_t>(static_cast<std::uint32_t>(text[pc++].imm)) << 32);
        } else if (kind == 1) {
            const std::uint8_t* from = m.find(r[src] + distance, static_cast<unsigned>(size));
            if (from == nullptr) return fault(here), o;
            r[dst] = load(from, size);
            if ((i.opcode & 0xe0) == 0x80) r[dst] = extend(r[dst], size * 8);
        } else {
            std::uint8_t* to = m.find(r[dst] + distance, static_cast<unsigned>(size));
            if (to == nullptr) return fault(here), o;
            if ((i.opcode & 0xe0) != 0xc0) {
                store(to, size, kind == 2 ? imm : r[src]);
                continue;
            }
            const std::uint64_t old = load(to, size);
            if (i.imm == 0xf1) {
                if (old == (size == 4 ? r[0] & 0xffffffffu : r[0])) store(to, size, r[src]);
                r[0] = old;
            } else {
                const std::uint64_t now =
                    i.imm == 0xe1 ? r[src] : arithmetic((i.imm >> 4) & 15, 0, old, r[src], 64);
                store(to, size, now);
                if ((i.imm & 1) != 0) r[src] = old;
            }
        }
    }
    o.how = end::step_limit;
    return o;
}

}  // namespace model
