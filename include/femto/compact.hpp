// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/execution.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace femto::detail {

/// One run, decoded as it goes by one body for all instructions: each goes through the same stages
/// (operands, memory, arithmetic, write back), so that each stage exists once. `machine` has the
/// position between runs; in a run it lies in registers of the host.
template <rules Rules, class Helpers, class Memory>
class compact_execution {
public:
    using context = run_context<Rules, Helpers, Memory>;

    constexpr explicit compact_execution(context& run)
        : run_{run}, r_{run.state.r.data()}, pc_{text() + run.state.pc} {
        run.state.state = errc::out_of_fuel;  // why a run stops that says nothing else
    }

    /// The slot of the next instruction.
    [[nodiscard]] constexpr std::uint32_t slot() const {
        return static_cast<std::uint32_t>(pc_ - text());
    }

    /// Executes one instruction. False if the run stops; `machine::state` says why.
    FEMTO_ALWAYS_INLINE constexpr bool step() {
        const instruction i{pc_->fields, pc_->immediate};
        ++pc_;
        --run_.state.fuel;
        const std::uint8_t opcode = i.opcode();
        const auto kind = class_of(opcode);
        // Register numbers are at most 10, and r10 is not written (proofs 1 and 2).
        std::uint64_t& to = r_[i.dst()];
        const std::uint64_t from = r_[i.src()];
        if (kind == instruction_class::ld) {
            to = load_imm64(i);
        } else if (kind <= instruction_class::stx) {
            return access(i, kind, to, from);
        } else {
            const std::uint32_t code = opcode & 0xf0;
            const bool arithmetic = ((instruction::guest(i.fields) + 1) & 2) == 0;
            if (!arithmetic) {
                if (code == 0) return jump(opcode == opcode::ja ? i.offset() : i.imm());
                if (code == 0x80) return call(i, (opcode & 8) != 0);
                if (code == 0x90) return exit();
            }
            if (arithmetic && code == 0xd0) {
                to = semantics::swap(opcode, to, static_cast<std::uint32_t>(i.imm()));
                return true;
            }
            if (semantics::execute<Rules.allowed>(to, instruction::guest(i.fields),
                                                  (opcode & 8) != 0 ? from : extend(i.imm()))) {
                return jump(i.offset());
            }
        }
        return true;
    }

    /// Puts the position back into the machine. A fault is reported at its instruction; a run that can
    /// be resumed goes on behind the last one.
    FEMTO_ALWAYS_INLINE constexpr void save() {
        run_.state.pc = static_cast<decltype(run_.state.pc)>(slot());
    }

private:
    [[nodiscard]] constexpr const instruction* text() const {
        return run_.program.source().text.data();
    }
    static constexpr std::uint64_t extend(std::int32_t value) {
        return static_cast<std::uint64_t>(std::int64_t{value});
    }

    FEMTO_ALWAYS_INLINE constexpr bool fault(errc code, std::uint64_t address) {
        run_.state.state = code;
        run_.address = address;
        --pc_;
        return false;
    }
    // Where unaligned words trap, guest memory is accessed byte by byte: there each width would need a
    // test and two ways, 100 to 170 bytes in all.
    static constexpr bool by_bytes = unaligned_words_trap;

    static constexpr std::uint64_t get(const std::byte* from, std::uint32_t width) {
        if (!by_bytes && width == 1) return load_little<std::uint8_t>(from);
        if (!by_bytes && width == 2) return load_little<std::uint16_t>(from);
        if (!by_bytes && width == 4) return load_little<std::uint32_t>(from);
        if (!by_bytes) return load_little<std::uint64_t>(from);
        std::uint64_t value = 0;
        if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
            move(reinterpret_cast<std::byte*>(&value), from, width);
        } else {
            while (width-- > 0) value = value << 8 | std::to_integer<std::uint64_t>(from[width]);
        }
        return value;
    }
    static constexpr void put(std::byte* to, std::uint32_t width, std::uint64_t value) {
        if (!by_bytes && width == 1) return store_little(to, static_cast<std::uint8_t>(value));
        if (!by_bytes && width == 2) return store_little(to, static_cast<std::uint16_t>(value));
        if (!by_bytes && width == 4) return store_little(to, static_cast<std::uint32_t>(value));
        if (!by_bytes) return store_little(to, value);
        if (!std::is_constant_evaluated() && std::endian::native == std::endian::little) {
            move(to, reinterpret_cast<const std::byte*>(&value), width);
        } else {
            for (std::uint32_t n = 0; n < width; ++n) to[n] = static_cast<std::byte>(value >> (8 * n));
        }
    }
    FEMTO_ALWAYS_INLINE static void move(std::byte* to, const std::byte* from, std::uint32_t width) {
        do {
            *to++ = *from++;
            semantics::forget(to);  // or GCC calls memcpy
        } while (--width != 0);
    }

    FEMTO_ALWAYS_INLINE constexpr std::uint64_t load_imm64(instruction i) {
        const auto low = static_cast<std::uint32_t>(i.imm());
        const auto high = static_cast<std::uint32_t>(pc_->imm());
        ++pc_;
        if (i.src() == 0) return low | std::uint64_t{high} << 32;
        if (i.src() == 4) return code_address(slot() - 1 + low);
        return run_.memory.address_of(region_number::rodata + low) + high;
    }

    FEMTO_ALWAYS_INLINE constexpr bool access(instruction i, instruction_class kind,
                                              std::uint64_t& to, std::uint64_t from) {
        const bool writes = kind != instruction_class::ldx;
        const std::uint32_t width = access_width(i.opcode());
        const std::uint64_t address = (writes ? to : from) + extend(i.offset());
        const bool atomic =
            (Rules.allowed & groups::atomic) != group::none && is_atomic(i.opcode());
        // The second time round says why not, and an atomic operation needs both.
        std::byte* at = run_.memory.find(address, width, writes);
        if (writes && (at == nullptr || atomic)) {
            std::byte* const readable = run_.memory.find(address, width, false);
            if (at == nullptr && readable != nullptr) return fault(errc::illegal_write, address);
            at = readable;
        }
        if (at == nullptr) return fault(errc::illegal_memory, address);
        if (!writes) {
            to = get(at, width);
            if ((i.opcode() & 0xe0) == 0x80) to = semantics::movsx(to, width * 8);
            return true;
        }
        std::uint64_t value = kind == instruction_class::st ? extend(i.imm()) : from;
        if constexpr ((Rules.allowed & groups::atomic) != group::none) {
            // RFC 9669, section 5.3. Atomic towards other guests' runs on the same core only: a run is not
            // interrupted between the read and the write by another run of the same machine.
            if (atomic) {
                const std::uint64_t old = get(at, width);
                std::uint64_t* result = r_ + i.src();
                if (i.imm() == 0xf1) {
                    result = r_;
                    if (old != semantics::zero_extend(r_[0], width * 8)) {
                        *result = old;
                        return true;
                    }
                }
                switch (i.imm() & 0xf0) {
                    case 0x00: value += old; break;
                    case 0x40: value |= old; break;
                    case 0x50: value &= old; break;
                    case 0xa0: value ^= old; break;
                    default: break;  // exchanges
                }
                if ((i.imm() & 1) != 0) *result = old;
            }
        }
        put(at, width, value);
        return true;
    }

    /// Goes `distance` slots on from here, proved to be an instruction of this function (proof 3).
    FEMTO_ALWAYS_INLINE constexpr bool jump(std::int32_t distance) {
        pc_ += distance;
        if (run_.state.fuel > 0) return true;
        return false;
    }

    FEMTO_ALWAYS_INLINE constexpr bool call(instruction i, bool by_register) {
        auto id = static_cast<std::uint32_t>(i.imm());
        bool local = i.src() != 0;
        if constexpr (contains(Rules.allowed, group::callx)) {
            if (by_register) {
                // One of the two is 0: the register lies in the one or the other.
                const std::uint64_t to = r_[i.dst() | id];
                id = static_cast<std::uint32_t>(to);
                local = (to >> 32) == region_number::code && id % 8 == 0 &&
                        run_.program.is_function(id / 8);
                if (local) {
                    id = id / 8 - slot();
                } else if (to != id || (Helpers::bit_of(id) & run_.program.granted()) == 0) {
                    return fault(errc::illegal_call, to);
                }
            }
        }
        if (local) return call_local(static_cast<std::int32_t>(id));
        if (helper_called(run_, id)) return true;
        const errc why = run_.state.state;
        if (why != errc::ok && why != errc::suspended && why != errc::out_of_fuel) --pc_;
        return false;
    }
    static constexpr bool helper_called(context& run, std::uint32_t id) {
        auto& state = run.state;
        caller from{state.fuel, run.host.object, run.host.type};
        std::uint64_t address = 0;
        errc code = Helpers::call(id, from, state.r.data(), run.memory, address);
        state.fuel = from.fuel();
        if (code == errc::ok && !from.finished()) {
            code = from.request();
            address = from.address();
            if (code == errc::ok) return state.fuel > 0;
        }
        run.state.state = code;
        run.address = address;
        return false;
    }

    /// `distance` leads to the start of a function (proof 4, or the check in `call`).
    FEMTO_ALWAYS_INLINE constexpr bool call_local(std::int32_t distance) {
        if (Rules.max_call_depth == 0 || !run_.push_frame(slot())) {
            return fault(errc::call_too_deep, 0);
        }
        return jump(distance);
    }

    FEMTO_ALWAYS_INLINE constexpr bool exit() {
        auto& state = run_.state;
        if (Rules.max_call_depth == 0 || state.depth == 0) {
            state.state = errc::ok;
            return false;
        }
        pc_ = text() + run_.pop_frame();
        return jump(0);
    }

    context& run_;
    std::uint64_t* const r_;
    const instruction* pc_;
};

}  // namespace femto::detail
