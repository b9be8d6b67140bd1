// SPDX-License-Identifier: Apache-2.0
// The instructions of RFC 9669 once more, written from its text without a thought of speed and without
// a line of the library: what the library must agree with. Registers, memory in regions, local calls,
// calls through registers, helpers, fuel, suspension and faults.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

namespace model {

struct slot {
    std::uint8_t opcode, registers;
    std::int16_t offset;
    std::int32_t imm;
};

/// The numbers are those of `femto::errc`, which are documented and never change.
enum class end { exit = 0, illegal_memory = -2, illegal_call = -4, out_of_fuel = -8,
                 call_too_deep = -19, illegal_write = -21, helper_failed = -22, suspended = -23 };

/// Bytes that the guest may reach, from guest address `at` on.
struct region {
    std::uint64_t at;
    std::vector<std::uint8_t>* bytes;
    bool readable, writable;
};

/// What a program is given beside its text.
struct environment {
    std::vector<region> regions;
    std::uint64_t rodata_at = 0, data_at = 0;
    std::set<std::uint64_t> entries;  ///< slots at which functions begin
    int frame_size = 0;
    std::size_t call_limit = 8;

    /// Where `size` bytes from `address` on lie, all in one region; byte by byte, so that no sum can
    /// wrap around unnoticed. nullptr if they may not be accessed so.
    std::uint8_t* find(std::uint64_t address, std::uint64_t size, bool write) const {
        for (const auto& r : regions) {
            if (!(write ? r.writable : r.readable)) continue;
            bool all = size > 0;
            for (std::uint64_t n = 0; n < size && all; ++n) {
                all = address + n >= r.at && address + n - r.at < r.bytes->size();
            }
            if (all) return r.bytes->data() + (address - r.at);
        }
        return nullptr;
    }
};

class machine;
/// What helper `id` does: it reads r[1] to r[5], sets r[0], and may end or suspend the run.
using helper_function = std::function<void(machine&, std::uint32_t id)>;

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

/// A run of a program that the verifier has accepted.
class machine {
public:
    machine(const std::vector<slot>& text, const environment& around,
            const std::set<std::uint32_t>& granted, helper_function helpers)
        : text_{text}, around_{around}, granted_{granted}, helpers_{std::move(helpers)} {}

    std::array<std::uint64_t, 11> r{};
    std::uint64_t pc = 0;          ///< of the next instruction, or of the one that faulted
    std::int64_t fuel = 0;         ///< left; negative if overdrawn
    std::uint64_t executed = 0;    ///< since `go`, with what helpers charged
    std::uint64_t address = 0;     ///< that a fault tells of

    // For helpers.
    void charge(std::uint64_t instructions) {
        fuel -= static_cast<std::int64_t>(instructions);
        executed += instructions;
    }
    void request(end how, std::uint64_t at = 0) { requested_ = how, address = at; }
    void finish() { finished_ = true; }
    const environment& around() const { return around_; }

    /// Runs on with `instructions` more, less what was overdrawn.
    end go(std::int64_t instructions) {
        fuel = instructions + (fuel < 0 ? fuel : 0);
        executed = 0;
        address = 0;
        end how = end::out_of_fuel;
        if (fuel > 0) {
            while (!step(how)) {
            }
        }
        return how;
    }

private:
    /// Executes one instruction; true if the run stops, and why in `how`.
    bool step(end& how) {
        const std::uint64_t here = pc;
        const slot i = text_[pc++];
        --fuel;
        ++executed;
        const auto fault = [&](end why, std::uint64_t at) {
            how = why;
            address = at;
            pc = here;
            return true;
        };
        // Fuel is looked at where control is transferred.
        const auto transferred = [&] {
            how = end::out_of_fuel;
            return fuel <= 0;
        };
        const std::size_t dst = i.registers & 15u, src = i.registers >> 4u;
        const int kind = i.opcode & 7;
        const int code = i.opcode >> 4;
        const std::uint64_t imm = static_cast<std::uint64_t>(std::int64_t{i.imm});
        const std::uint64_t operand = (i.opcode & 8) != 0 ? r[src] : imm;
        const std::uint64_t distance = static_cast<std::uint64_t>(std::int64_t{i.offset});
        constexpr int sizes[]{4, 2, 1, 8};
        const int size = sizes[(i.opcode >> 3) & 3];
        const auto width = static_cast<std::uint64_t>(size);
        const auto call_local = [&](std::uint64_t to) {
            if (frames_.size() == around_.call_limit) return fault(end::call_too_deep, 0);
            frames_.push_back({{r[6], r[7], r[8], r[9], r[10]}, pc});
            r[10] -= static_cast<std::uint64_t>(around_.frame_size);
            pc = to;
            return transferred();
        };
        const auto call_helper = [&](std::uint32_t id) {
            requested_ = end::exit;
            finished_ = false;
            helpers_(*this, id);
            if (requested_ == end::suspended) return how = end::suspended, true;
            if (requested_ != end::exit) return fault(requested_, address);
            if (finished_) return how = end::exit, true;
            return transferred();
        };
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
        } else if (i.opcode == 0x95) {
            if (frames_.empty()) return how = end::exit, true;
            const frame back = frames_.back();
            frames_.pop_back();
            for (std::size_t n = 0; n < 5; ++n) r[6 + n] = back.saved[n];
            pc = back.return_pc;
            return transferred();
        } else if (i.opcode == 0x85) {
            if (src == 1) return call_local(pc + imm);
            return call_helper(static_cast<std::uint32_t>(i.imm));
        } else if (i.opcode == 0x8d) {
            const std::uint64_t to = r[i.imm == 0 ? dst : static_cast<std::size_t>(i.imm)];
            if (to >> 32 == 0xC0DE) {
                const std::uint64_t bytes = to & 0xffffffffu;
                if (bytes % 8 != 0 || around_.entries.count(bytes / 8) == 0) {
                    return fault(end::illegal_call, to);
                }
                return call_local(bytes / 8);
            }
            if (to > 0xffffffffu || granted_.count(static_cast<std::uint32_t>(to)) == 0) {
                return fault(end::illegal_call, to);
            }
            return call_helper(static_cast<std::uint32_t>(to));
        } else if (kind == 5 || kind == 6) {
            if (code == 0) {
                pc += kind == 5 ? distance : imm;
                return transferred();
            }
            if (condition(code, r[dst], operand, kind == 5 ? 64 : 32)) {
                pc += distance;
                return transferred();
            }
        } else if (kind == 0) {
            const auto second = static_cast<std::uint32_t>(text_[pc++].imm);
            const auto first = static_cast<std::uint32_t>(i.imm);
            if (src == 0) r[dst] = first + (std::uint64_t{second} << 32);
            if (src == 2 || src == 6) r[dst] = (first == 0 ? around_.rodata_at : around_.data_at) + second;
            if (src == 4) r[dst] = (std::uint64_t{0xC0DE} << 32) + (here + 1 + imm) * 8;
        } else if (kind == 1) {
            const std::uint64_t from = r[src] + distance;
            const std::uint8_t* bytes = around_.find(from, width, false);
            if (bytes == nullptr) return fault(end::illegal_memory, from);
            r[dst] = load(bytes, size);
            if ((i.opcode & 0xe0) == 0x80) r[dst] = extend(r[dst], size * 8);
        } else {
            const std::uint64_t to = r[dst] + distance;
            std::uint8_t* bytes = around_.find(to, width, true);
            const bool readable = around_.find(to, width, false) != nullptr;
            if (bytes == nullptr) {
                return fault(readable ? end::illegal_write : end::illegal_memory, to);
            }
            if ((i.opcode & 0xe0) != 0xc0) {
                store(bytes, size, kind == 2 ? imm : r[src]);
                return false;
            }
            if (!readable) return fault(end::illegal_memory, to);
            const std::uint64_t old = load(bytes, size);
            if (i.imm == 0xf1) {
                if (old == (size == 4 ? r[0] & 0xffffffffu : r[0])) store(bytes, size, r[src]);
                r[0] = old;
            } else {
                const std::uint64_t now =
                    i.imm == 0xe1 ? r[src] : arithmetic((i.imm >> 4) & 15, 0, old, r[src], 64);
                store(bytes, size, now);
                if ((i.imm & 1) != 0) r[src] = old;
            }
        }
        return false;
    }

    struct frame {
        std::array<std::uint64_t, 5> saved;
        std::uint64_t return_pc;
    };
    const std::vector<slot>& text_;
    const environment& around_;
    const std::set<std::uint32_t>& granted_;
    helper_function helpers_;
    std::vector<frame> frames_;
    end requested_ = end::exit;
    bool finished_ = false;
};

}  // namespace model
