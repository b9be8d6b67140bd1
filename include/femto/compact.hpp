// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/execution.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace femto::detail {

/// One run, decoded as it goes by one body for all instructions: each goes through the same stages
/// (operands, memory or arithmetic, write back), so that each stage exists once. Where speed counts more
/// than bytes, a stage exists once for words and once for double words, once for loads and once for
/// stores. A local whose address never leaves inlined code, so that its members are registers of the
/// host; `machine` has the position between runs.
template <rules Rules, class Helpers, class Memory>
class compact_execution {
    using at_calls = transitions<Rules, Helpers, Memory>;

public:
    using context = run_context<Rules, Helpers, Memory>;

    FEMTO_ALWAYS_INLINE constexpr explicit compact_execution(context& run)
        : run_{run}, r_{run.state.r.data()}, pc_{text() + run.state.pc} {
        take_fuel();
        run.state.state = errc::out_of_fuel;  // why a run stops that says nothing else
    }

    /// The slot of the next instruction.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::uint32_t slot() const {
        return static_cast<std::uint32_t>(pc_ - text());
    }

    /// Executes one instruction. False if the run stops; `machine::state` says why.
    FEMTO_ALWAYS_INLINE constexpr bool step() {
        decoded i{instruction::guest(pc_->fields), pc_->imm(), nullptr, nullptr};
        ++pc_;
        semantics::forget(pc_);  // or GCC keeps two of them
        // Register numbers are at most 10, and r10 is not written (proofs 1 and 2).
        i.to = r_ + (i.fields >> 8 & 15);
        i.from = r_ + (i.fields >> 12 & 15);
        semantics::forget(i.to);  // or GCC adds up the address of each half
        semantics::forget(i.from);
        return for_size ? step_shared(i) : step_by_class(i);
    }

    /// Puts the position back into the machine.
    FEMTO_ALWAYS_INLINE constexpr void save() {
        give_fuel();
        run_.state.pc = static_cast<decltype(run_.state.pc)>(slot());
    }

private:
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr const instruction* text() const {
        return run_.program.source().text.data();
    }
    FEMTO_ALWAYS_INLINE static constexpr std::uint64_t extend(std::int32_t value) {
        return static_cast<std::uint64_t>(std::int64_t{value});
    }

    /// An instruction, as far as all are decoded alike.
    struct decoded {
        std::uint32_t fields;  ///< in host order
        std::int32_t imm;
        std::uint64_t* to;    ///< the destination register
        std::uint64_t* from;  ///< the source register

        [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::int32_t offset() const {
            return static_cast<std::int32_t>(fields) >> 16;
        }
        /// What arithmetic and jumps combine with the destination.
        [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::uint64_t operand() const {
            std::uint64_t value = extend(imm);
            if ((fields & 8) != 0) value = *from;
            return value;
        }
    };

    /// By the bits of the class: 2 tells arithmetic and jumps from loads and stores, of which bit 1 is stores,
    /// and of the former those whose bits 0 and 1 are alike are arithmetic.
    FEMTO_ALWAYS_INLINE constexpr bool step_shared(decoded i) {
        if ((i.fields & 4) == 0) {
            if ((i.fields & 3) == 0) return load_imm64(i);
            std::uint32_t writes = i.fields >> 1 & 1;
            semantics::forget(writes);
            return access(i, writes);
        }
        const std::uint64_t b = i.operand();
        if (((i.fields ^ i.fields >> 1) & 1) == 0) {
            *i.to = semantics::calculate<Rules.allowed>(i.fields, (i.fields & 1) == 0, *i.to, b, i.imm);
            return true;
        }
        return branch_shared(i, b);
    }
    FEMTO_ALWAYS_INLINE constexpr bool step_by_class(decoded i) {
        switch (class_of(static_cast<std::uint8_t>(i.fields))) {
            case instruction_class::ld: return load_imm64(i);
            case instruction_class::ldx: return access(i, 0);
            case instruction_class::st:
            case instruction_class::stx: return access(i, 1);
            case instruction_class::jmp: return branch(i, *i.to, i.operand());
            case instruction_class::jmp32:
                return branch(i, static_cast<std::uint32_t>(*i.to), static_cast<std::uint32_t>(i.operand()));
            case instruction_class::alu:
                *i.to = semantics::calculate<Rules.allowed>(i.fields, true, *i.to, i.operand(), i.imm);
                return true;
            default:
                *i.to = semantics::calculate<Rules.allowed>(i.fields, false, *i.to, i.operand(), i.imm);
                return true;
        }
    }

    /// Jumps of both widths by one comparison.
    FEMTO_ALWAYS_INLINE constexpr bool branch_shared(decoded i, std::uint64_t b) {
        std::uint64_t a = *i.to;
        std::int32_t distance = i.imm;
        if ((i.fields & 0xe0) == 0x80) {  // call, exit
            if (!call_or_exit(i, (i.fields & 0x10) == 0, distance)) return false;
        } else {
            if ((i.fields & 0xf0) == 0x40) {  // jset
                a &= b;
                b = 0;
            }
            if (!semantics::holds(i.fields, a, b)) return true;
            if ((i.fields & 0xff) != opcode::gotol) distance = i.offset();
        }
        return jump(distance);
    }
    template <class T>
    FEMTO_ALWAYS_INLINE constexpr bool branch(decoded i, T a, T b) {
        constexpr bool wide = sizeof(T) == 8;
        std::int32_t distance = i.offset();
        switch (condition_of(i.fields)) {
            case operation::ja:
                if (!wide) distance = i.imm;  // gotol
                break;
            case operation::jeq:
                if (a != b) return true;
                break;
            case operation::jset:
                if ((a & b) == 0) return true;
                break;
            case operation::jne:
                if (a == b) return true;
                break;
            case operation::call:
                if (wide && !call_or_exit(i, true, distance)) return false;
                break;
            case operation::exit:
                if (wide && !call_or_exit(i, false, distance)) return false;
                break;
            default:
                if (!semantics::ordered(i.fields, a, b)) return true;
        }
        return jump(distance);
    }

    // Fuel is a deadline: the place at which it is used up on a straight line. Executing moves towards it
    // for free, a transfer moves both. Places wrap around; what counts is the sign of their distance, as
    // fuel in bytes of text fits 31 bits (`max_fuel`, `caller::charge`).
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::uintptr_t place() const {
        if (std::is_constant_evaluated()) return slot() * sizeof(instruction);
        return reinterpret_cast<std::uintptr_t>(pc_);
    }
    FEMTO_ALWAYS_INLINE static constexpr std::uintptr_t size_of(std::int32_t instructions) {
        return static_cast<std::uintptr_t>(std::intptr_t{instructions}) * sizeof(instruction);
    }
    FEMTO_ALWAYS_INLINE constexpr void take_fuel() { deadline_ = place() + size_of(run_.state.fuel); }
    FEMTO_ALWAYS_INLINE constexpr void give_fuel() {
        run_.state.fuel = static_cast<std::int32_t>(static_cast<std::intptr_t>(deadline_ - place()) >> 3);
    }
    static_assert(sizeof(instruction) == 1 << 3);

    FEMTO_ALWAYS_INLINE constexpr bool fault(errc code, std::uint64_t address) {
        run_.state.state = code;
        run_.address = address;
        step_back();
        return false;
    }
    /// A fault is reported at its instruction, which counts as executed; a run that can be resumed goes on
    /// behind the last one.
    FEMTO_ALWAYS_INLINE constexpr void step_back() {
        --pc_;
        deadline_ -= sizeof(instruction);
    }
    // Where unaligned words trap, guest memory is accessed byte by byte if bytes count: there each width
    // would need a test and two ways, 100 to 170 bytes in all.
    static constexpr bool by_bytes = unaligned_words_trap && for_size;

    FEMTO_ALWAYS_INLINE static constexpr std::uint64_t get(const std::byte* from, std::uint32_t width) {
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
    FEMTO_ALWAYS_INLINE static constexpr void put(std::byte* to, std::uint32_t width, std::uint64_t value) {
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

    FEMTO_ALWAYS_INLINE constexpr bool load_imm64(decoded i) {
        const auto low = static_cast<std::uint32_t>(i.imm);
        const auto high = static_cast<std::uint32_t>(pc_->imm());
        ++pc_;
        deadline_ += sizeof(instruction);  // two slots, one instruction
        const std::uint32_t kind = i.fields >> 12 & 15;
        std::uint64_t value = low | std::uint64_t{high} << 32;
        if (kind == 4) {
            value = code_address(slot() - 1 + low);
        } else if (kind != 0) {
            value = run_.memory.address_of(region_number::rodata + low) + high;
        }
        *i.to = value;
        return true;
    }

    /// `writes` is 1 for stores, 0 for loads.
    FEMTO_ALWAYS_INLINE constexpr bool access(decoded i, std::uint32_t writes) {
        std::uint32_t width = access_width(i.fields);
        semantics::forget(width);  // or GCC keeps its logarithm, too
        // Bit 7: a load that extends the sign, or an atomic store (RFC 9669, section 5).
        const bool atomic =
            (Rules.allowed & groups::atomic) != group::none && writes != 0 && (i.fields & 0x80) != 0;
        const std::uint64_t* base = writes != 0 ? i.to : i.from;
        semantics::forget(base);
        const std::uint64_t address = *base + extend(i.offset());
        std::byte* const at = run_.memory.find(width, address, writes);
        // The second look says why not, and an atomic operation needs both.
        if (at == nullptr || atomic) {
            const errc why = run_.memory.why_refused(address, width);
            if (at == nullptr || why == errc::illegal_memory) return fault(why, address);
        }
        if (for_size) {  // once more, or GCC keeps it across the call
            semantics::forget(i.fields);
            writes = i.fields & 2;
        }
        if (writes == 0) {
            std::uint64_t value = get(at, width);
            if ((i.fields & 0x80) != 0) value = semantics::movsx(value, width * 8);
            *i.to = value;
        } else if (atomic) {
            modify(at, width, i.from);
        } else {
            put(at, width, (i.fields & 1) == 0 ? extend(i.imm) : *i.from);
        }
        return true;
    }
    /// RFC 9669, section 5.3. Atomic towards other guests' runs on the same core only: a run is not
    /// interrupted between the read and the write by another run of the same machine.
    FEMTO_ALWAYS_INLINE constexpr void modify(std::byte* at, std::uint32_t width, std::uint64_t* from) {
        const std::int32_t imm = pc_[-1].imm();  // read again: keeping it costs loads a register
        const std::uint64_t old = get(at, width);
        std::uint64_t value = *from;
        std::uint64_t* result = from;
        if (imm == 0xf1) {
            result = r_;
            if (old != semantics::zero_extend(r_[0], width * 8)) {
                *result = old;
                return;
            }
        }
        switch (imm & 0xf0) {
            case 0x00: value += old; break;
            case 0x40: value |= old; break;
            case 0x50: value &= old; break;
            case 0xa0: value ^= old; break;
            default: break;  // exchanges
        }
        if ((imm & 1) != 0) *result = old;
        put(at, width, value);
    }

    /// Goes `distance` slots on from here, proved to be an instruction of this function (proof 3).
    FEMTO_ALWAYS_INLINE constexpr bool jump(std::int32_t distance) {
        pc_ += distance;
        deadline_ += size_of(distance);
        if (static_cast<std::intptr_t>(place() - deadline_) < 0) [[likely]] return true;
        return false;
    }

    /// Says in `distance` where the run goes on, or returns false if it stops. One body for both, since
    /// what a call does to frames a return undoes.
    FEMTO_ALWAYS_INLINE constexpr bool call_or_exit(decoded i, bool call, std::int32_t& distance) {
        const std::uint32_t here = slot();
        if (call) {
            auto id = static_cast<std::uint32_t>(i.imm);
            // Without helpers all calls are local (proof 6).
            bool local = Helpers::prototypes.empty() || (i.fields & 0xf000) != 0;
            if constexpr (contains(Rules.allowed, group::callx)) {
                if ((i.fields & 8) != 0) {
                    // One of the two is 0: the register lies in the one or the other.
                    const std::uint64_t to = r_[(i.fields >> 8 & 15) | id];
                    id = static_cast<std::uint32_t>(to);
                    local = (to >> 32) == region_number::code && id % 8 == 0 &&
                            run_.program.is_function(id / 8);
                    if (local) {
                        id = id / 8 - here;
                    } else if (to != id || (Helpers::bit_of(id) & run_.program.granted()) == 0) {
                        return fault(errc::illegal_call, to);
                    }
                }
            }
            distance = 0;
            if (!local) return call_helper(id);
            // To the start of a function (proof 4, or the check above).
            distance = static_cast<std::int32_t>(id);
        }
        if (Rules.max_call_depth == 0 || !run_.change_frame(call, here, distance)) {
            if (call) return fault(errc::call_too_deep, 0);
            run_.state.state = errc::ok;
            return false;
        }
        return true;
    }
    FEMTO_ALWAYS_INLINE constexpr bool call_helper(std::uint32_t id) {
        give_fuel();
        const bool goes_on = for_size ? run_.call_helper(id) : at_calls::helper_called(run_, id);
        take_fuel();
        const errc why = run_.state.state;
        if (!goes_on && why != errc::ok && why != errc::suspended && why != errc::out_of_fuel) step_back();
        return goes_on;
    }

    context& run_;
    std::uint64_t* const r_;
    const instruction* pc_;
    std::uintptr_t deadline_ = 0;
};

}  // namespace femto::detail
