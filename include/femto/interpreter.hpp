// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/helper.hpp>
#include <femto/memory.hpp>
#include <femto/semantics.hpp>
#include <femto/verifier.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#if defined(__GNUC__)
#define FEMTO_ALWAYS_INLINE [[gnu::always_inline]] inline
#define FEMTO_COLD [[gnu::noinline]]
#else
#define FEMTO_ALWAYS_INLINE inline
#define FEMTO_COLD
#endif

namespace femto {

/// How the interpreter finds the code for an opcode.
enum class dispatch : std::uint8_t {
    compact,   ///< one shared body that decodes by class and operand form: smallest
    threaded,  ///< a body for each opcode and a jump through a table at the end of each: fastest
};

/// What survives between `run` and `resume`: 88 bytes of registers, 12 of position, and 40 for each
/// level of local calls.
template <std::size_t MaxCallDepth>
struct machine {
    struct frame {
        std::array<std::uint64_t, 4> saved;  ///< r6 to r9 of the caller
        std::uint32_t return_pc;
    };
    std::array<std::uint64_t, 11> r{};
    std::array<frame, MaxCallDepth> frames{};
    std::uint32_t pc = 0;
    std::int32_t fuel = 0;  ///< instructions left; negative if the last straight stretch overdrew it
    std::uint8_t depth = 0;
    errc state = errc::ok;  ///< `suspended` and `out_of_fuel` can be resumed
};

namespace detail {

/// Where a run is. A local of the dispatcher whose address never leaves inlined code, so that its
/// members live in registers of the host; `machine` has them between stretches.
/// Fuel is charged where control is transferred, for the instructions since the last transfer:
/// `origin` is where the current stretch began (moved by one for the second slot of each lddw).
struct position {
    const instruction* pc;
    const instruction* origin;
    std::int32_t fuel;
};

/// One run: decodes and executes.
template <rules Rules, class Helpers, class Memory>
class execution {
public:
    using machine_type = machine<Rules.max_call_depth>;

    constexpr execution(const verified_program<Rules, Helpers>& p, machine_type& m,
                        const Memory& memory, void* host, const void* host_type)
        : program_{p}, machine_{m}, memory_{memory}, host_{host}, host_type_{host_type},
          text_{p.source().text.data()} {}

    constexpr void compact() {
        position at = load_position();
        while (true) {
            const instruction i = *at.pc++;
            if (!step(at, i, i.opcode())) break;
        }
        save(at);
    }

#if defined(__GNUC__)
    [[gnu::flatten]] void threaded();
#else
    void threaded() { compact(); }
#endif

    /// The guest address that belongs to the fault in `machine::state`.
    [[nodiscard]] constexpr std::uint64_t address() const { return address_; }

    /// Executes `i`, whose opcode is `opcode`, with `at.pc` already behind it. False if the run
    /// stops; then `machine::state` says why.
    FEMTO_ALWAYS_INLINE constexpr bool step(position& at, instruction i, std::uint8_t opcode) {
        switch (class_of(opcode)) {
            case instruction_class::alu: return arithmetic<std::uint32_t>(i, opcode);
            case instruction_class::alu64: return arithmetic<std::uint64_t>(i, opcode);
            case instruction_class::jmp:
                switch (opcode & 0xf0) {
                    case 0x80: return call(at, i, (opcode & 8) != 0);
                    case 0x90: return exit(at);
                    default: return branch<std::uint64_t>(at, i, opcode);
                }
            case instruction_class::jmp32: return branch<std::uint32_t>(at, i, opcode);
            case instruction_class::ld: return load_imm64(at, i);
            case instruction_class::ldx: return load(at, i, opcode);
            case instruction_class::st: return store(at, i, opcode, immediate(i));
            default:
                if ((opcode & 0xe0) == 0xc0) return atomic(at, i, opcode);
                return store(at, i, opcode, reg(i.src()));
        }
    }

private:
    // Verification proved that register numbers are at most 10 (proofs 1 and 2).
    FEMTO_ALWAYS_INLINE constexpr std::uint64_t& reg(std::uint32_t number) {
        return machine_.r[number];
    }
    FEMTO_ALWAYS_INLINE static constexpr std::uint64_t immediate(instruction i) {
        return static_cast<std::uint64_t>(std::int64_t{i.imm()});
    }
    FEMTO_ALWAYS_INLINE constexpr position load_position() const {
        const instruction* pc = text_ + machine_.pc;
        return {pc, pc, machine_.fuel};
    }
    FEMTO_ALWAYS_INLINE constexpr void save(const position& at) {
        machine_.pc = static_cast<std::uint32_t>(at.pc - text_);
        machine_.fuel = at.fuel;
    }
    FEMTO_COLD constexpr void stop(errc code, std::uint64_t address) {
        machine_.state = code;
        address_ = address;
    }
    FEMTO_ALWAYS_INLINE constexpr bool fail(position& at, errc code, std::uint64_t address = 0) {
        charge(at);
        --at.pc;  // faults are reported at the instruction, not behind it
        stop(code, address);
        return false;
    }
    FEMTO_ALWAYS_INLINE static constexpr void charge(position& at) {
        at.fuel -= static_cast<std::int32_t>(at.pc - at.origin);
        at.origin = at.pc;
    }
    FEMTO_ALWAYS_INLINE constexpr bool has_fuel(const position& at) {
        if (at.fuel > 0) return true;
        machine_.state = errc::out_of_fuel;
        return false;
    }
    /// Goes to `at.pc + distance`, proved to be an instruction of this function (proof 3).
    FEMTO_ALWAYS_INLINE constexpr bool transfer(position& at, std::int32_t distance) {
        charge(at);
        at.pc += distance;
        at.origin = at.pc;
        return has_fuel(at);
    }

    /// The operation of bits 4 to 7 of an ALU opcode, told from the offset where they are shared.
    FEMTO_ALWAYS_INLINE static constexpr operation alu_operation(std::uint8_t opcode,
                                                                std::int32_t offset) {
        using enum operation;
        constexpr std::array<operation, 16> names{add, sub, mul, div, or_,  and_, lsh, rsh,
                                                  neg, mod, xor_, mov, arsh, mov, mov, mov};
        const operation named = names[opcode >> 4];
        if (named == div && offset != 0) return sdiv;
        if (named == mod && offset != 0) return smod;
        return named;
    }

    template <class T>
    FEMTO_ALWAYS_INLINE constexpr bool arithmetic(instruction i, std::uint8_t opcode) {
        std::uint64_t& to = reg(i.dst());
        const bool from_register = (opcode & 8) != 0;
        if ((opcode & 0xf0) == 0xd0) {
            const auto op = sizeof(T) == 8  ? operation::bswap
                            : from_register ? operation::be
                                            : operation::le;
            to = semantics::swap(op, to, static_cast<std::uint32_t>(i.imm()));
            return true;
        }
        std::uint64_t operand = from_register ? reg(i.src()) : immediate(i);
        if ((opcode & 0xf0) == 0xb0 && from_register && i.offset() != 0) {
            operand = semantics::sign_extend(operand, static_cast<std::uint32_t>(i.offset()));
        }
        to = semantics::alu<T>(alu_operation(opcode, i.offset()), static_cast<T>(to),
                               static_cast<T>(operand));
        return true;
    }

    template <class T>
    FEMTO_ALWAYS_INLINE constexpr bool branch(position& at, instruction i, std::uint8_t opcode) {
        using enum operation;
        constexpr std::array<operation, 16> names{ja,   jeq,  jgt, jge, jset, jne,  jsgt, jsge,
                                                  call_, exit_, jlt, jle, jslt, jsle, ja,   ja};
        if ((opcode & 0xf0) == 0) {
            return transfer(at, sizeof(T) == 8 ? i.offset() : i.imm());
        }
        const std::uint64_t operand = (opcode & 8) != 0 ? reg(i.src()) : immediate(i);
        if (!semantics::compare<T>(names[opcode >> 4], static_cast<T>(reg(i.dst())),
                                   static_cast<T>(operand))) {
            return true;
        }
        return transfer(at, i.offset());
    }
    static constexpr operation call_ = operation::call;
    static constexpr operation exit_ = operation::exit;

    FEMTO_ALWAYS_INLINE constexpr bool load_imm64(position& at, instruction i) {
        const instruction next = *at.pc++;
        ++at.origin;  // two slots, one instruction
        const auto high = static_cast<std::uint32_t>(next.imm());
        std::uint64_t value = static_cast<std::uint32_t>(i.imm()) | std::uint64_t{high} << 32;
        if (i.src() == 4) {
            value = code_address(static_cast<std::uint32_t>(at.pc - 1 - text_ + i.imm()));
        } else if (i.src() != 0) {
            const auto number = static_cast<std::uint32_t>(i.imm());
            value = memory_.address_of(region_number::rodata + number) + high;
        }
        reg(i.dst()) = value;
        return true;
    }

    FEMTO_ALWAYS_INLINE constexpr bool load(position& at, instruction i, std::uint8_t opcode) {
        const std::uint64_t address = reg(i.src()) + immediate_offset(i);
        const std::uint32_t width = access_width(opcode);
        const std::byte* from = memory_.template find<false>(address, width);
        if (from == nullptr) return fail(at, errc::illegal_memory, address);
        std::uint64_t value = 0;
        switch (width) {
            case 1: value = load_little<std::uint8_t>(from); break;
            case 2: value = load_little<std::uint16_t>(from); break;
            case 4: value = load_little<std::uint32_t>(from); break;
            default: value = load_little<std::uint64_t>(from); break;
        }
        if ((opcode & 0xe0) == 0x80) value = semantics::sign_extend(value, width * 8);
        reg(i.dst()) = value;
        return true;
    }

    FEMTO_ALWAYS_INLINE constexpr bool store(position& at, instruction i,
                                             std::uint8_t opcode, std::uint64_t value) {
        const std::uint32_t width = access_width(opcode);
        std::byte* to = writable(at, reg(i.dst()) + immediate_offset(i), width);
        if (to == nullptr) return false;
        put(to, width, value);
        return true;
    }

    FEMTO_ALWAYS_INLINE static constexpr std::uint64_t immediate_offset(instruction i) {
        return static_cast<std::uint64_t>(std::int64_t{i.offset()});
    }
    FEMTO_ALWAYS_INLINE static constexpr void put(std::byte* to, std::uint32_t width,
                                                  std::uint64_t value) {
        switch (width) {
            case 1: store_little(to, static_cast<std::uint8_t>(value)); break;
            case 2: store_little(to, static_cast<std::uint16_t>(value)); break;
            case 4: store_little(to, static_cast<std::uint32_t>(value)); break;
            default: store_little(to, value); break;
        }
    }
    /// A place to write to, or the fault that says why there is none.
    FEMTO_ALWAYS_INLINE constexpr std::byte* writable(position& at, std::uint64_t address,
                                                      std::uint32_t width) {
        std::byte* to = memory_.template find<true>(address, width);
        if (to == nullptr) {
            const bool exists = memory_.template find<false>(address, width) != nullptr;
            fail(at, exists ? errc::illegal_write : errc::illegal_memory, address);
        }
        return to;
    }

    /// RFC 9669, section 5.3. Atomic towards other guests' runs on the same core only: a run is not
    /// interrupted between the read and the write by another run of the same machine.
    FEMTO_ALWAYS_INLINE constexpr bool atomic(position& at, instruction i, std::uint8_t opcode) {
        const std::uint32_t width = access_width(opcode);
        const std::uint64_t address = reg(i.dst()) + immediate_offset(i);
        std::byte* to = writable(at, address, width);
        if (to == nullptr) return false;
        if (memory_.template find<false>(address, width) == nullptr) {
            return fail(at, errc::illegal_memory, address);  // write-only
        }
        exchange(static_cast<std::uint32_t>(i.imm()), reg(i.src()), to, width);
        return true;
    }
    FEMTO_COLD constexpr void exchange(std::uint32_t imm, std::uint64_t& source, std::byte* to,
                            std::uint32_t width) {
        const std::uint64_t old = width == 4 ? load_little<std::uint32_t>(to)
                                             : load_little<std::uint64_t>(to);
        if (imm == 0xf1) {
            const std::uint64_t expected =
                width == 4 ? semantics::zero_extend(reg(0), 32) : reg(0);
            if (old == expected) put(to, width, source);
            reg(0) = old;
            return;
        }
        const std::uint64_t value =
            imm == 0xe1 ? source
                        : semantics::alu<std::uint64_t>(
                              alu_operation(static_cast<std::uint8_t>(imm & 0xf0), 0), old, source);
        put(to, width, value);
        if ((imm & 1) != 0) source = old;
    }

    FEMTO_ALWAYS_INLINE constexpr bool call(position& at, instruction i, bool by_register) {
        if (!by_register) {
            if (i.src() == 0) return call_helper(at, static_cast<std::uint32_t>(i.imm()));
            return call_local(at, static_cast<std::uint32_t>(at.pc - text_ + i.imm()));
        }
        if constexpr (contains(Rules.allowed, group::callx)) {
            // One of the two is 0: the register lies in the one or the other.
            const std::uint64_t to = reg(i.dst() | static_cast<std::uint32_t>(i.imm()));
            if ((to >> 32) == region_number::code) {
                const auto offset = static_cast<std::uint32_t>(to);
                if (offset % 8 != 0 || !program_.is_function(offset / 8)) {
                    return fail(at, errc::illegal_call, to);
                }
                return call_local(at, offset / 8);
            }
            if (to <= 0xffffffff) {
                const auto id = static_cast<std::uint32_t>(to);
                if ((Helpers::bit_of(id) & program_.granted()) != 0) return call_helper(at, id);
            }
            return fail(at, errc::illegal_call, to);
        }
        return true;
    }

    /// `pc` is the start of a function (proof 4, or the check in `call`).
    FEMTO_ALWAYS_INLINE constexpr bool call_local(position& at, std::uint32_t pc) {
        if constexpr (Rules.max_call_depth == 0) {
            return fail(at, errc::call_too_deep);  // only callx gets here (proof 7)
        } else {
            const std::uint32_t used = (machine_.depth + 2u) * program_.frame_size();
            if (machine_.depth >= Rules.max_call_depth || used > Rules.stack_size) {
                return fail(at, errc::call_too_deep);
            }
            auto& frame = machine_.frames[machine_.depth++];
            for (std::uint32_t n = 0; n < 4; ++n) frame.saved[n] = reg(6 + n);
            frame.return_pc = static_cast<std::uint32_t>(at.pc - text_);
            reg(10) -= program_.frame_size();
            return transfer(at, static_cast<std::int32_t>(pc) -
                            static_cast<std::int32_t>(at.pc - text_));
        }
    }

    FEMTO_ALWAYS_INLINE constexpr bool exit(position& at) {
        if constexpr (Rules.max_call_depth != 0) {
            if (machine_.depth != 0) {
                const auto& frame = machine_.frames[--machine_.depth];
                for (std::uint32_t n = 0; n < 4; ++n) reg(6 + n) = frame.saved[n];
                reg(10) += program_.frame_size();
                return transfer(at, static_cast<std::int32_t>(frame.return_pc) -
                                static_cast<std::int32_t>(at.pc - text_));
            }
        }
        charge(at);
        machine_.state = errc::ok;
        return false;
    }

    FEMTO_ALWAYS_INLINE constexpr bool call_helper(position& at, std::uint32_t id) {
        charge(at);
        save(at);
        const bool goes_on = helper_called(id);
        at = load_position();
        return goes_on;
    }
    FEMTO_COLD constexpr bool helper_called(std::uint32_t id) {
        caller from{machine_.fuel, host_, host_type_};
        std::uint64_t address = 0;
        errc code = Helpers::call(id, from, machine_.r.data(), memory_, address);
        machine_.fuel = from.fuel();
        if (code == errc::ok && !from.finished()) {
            code = from.request();
            address = from.address();
            if (code == errc::ok && machine_.fuel > 0) return true;
            if (code == errc::ok) code = errc::out_of_fuel;
        }
        stop(code, address);
        // A fault is reported at the call; a run that can be resumed goes on behind it.
        if (code != errc::ok && code != errc::suspended && code != errc::out_of_fuel) --machine_.pc;
        return false;
    }

    const verified_program<Rules, Helpers>& program_;
    machine_type& machine_;
    const Memory& memory_;
    void* host_;
    const void* host_type_;
    const instruction* text_;
    std::uint64_t address_ = 0;
};

#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"  // labels as values, which is the point
#define FEMTO_16(row, at) \
    at(row, 0) at(row, 1) at(row, 2) at(row, 3) at(row, 4) at(row, 5) at(row, 6) at(row, 7) \
    at(row, 8) at(row, 9) at(row, a) at(row, b) at(row, c) at(row, d) at(row, e) at(row, f)
#define FEMTO_256(at) \
    FEMTO_16(0, at) FEMTO_16(1, at) FEMTO_16(2, at) FEMTO_16(3, at) FEMTO_16(4, at) \
    FEMTO_16(5, at) FEMTO_16(6, at) FEMTO_16(7, at) FEMTO_16(8, at) FEMTO_16(9, at) \
    FEMTO_16(a, at) FEMTO_16(b, at) FEMTO_16(c, at) FEMTO_16(d, at) FEMTO_16(e, at) \
    FEMTO_16(f, at)

/// Computed goto (GNU C): a copy of the jump at the end of each body, so that no body returns to a
/// common place. Bodies of opcodes that verification refuses are left out (proof 1).
template <rules Rules, class Helpers, class Memory>
void execution<Rules, Helpers, Memory>::threaded() {
#define FEMTO_LABEL(high, low) &&opcode_##high##low,
    static const void* const table[256] = {FEMTO_256(FEMTO_LABEL)};
#undef FEMTO_LABEL
    position at = load_position();
    // Two words instead of an instruction: GCC would keep a copy of the aggregate on the stack, five
    // instructions of each dispatch on a Cortex-M4.
    std::uint32_t fields = at.pc->fields;
    std::uint32_t immediate = at.pc++->immediate;
    goto* table[instruction{fields, immediate}.opcode()];
#define FEMTO_BODY(high, low)                                                              \
    opcode_##high##low : if constexpr (opcodes<Rules.allowed>[0x##high##low].refusal ==    \
                                       errc::ok) {                                         \
        if (!step(at, {fields, immediate}, 0x##high##low)) goto stopped;                   \
        fields = at.pc->fields;                                                            \
        immediate = at.pc++->immediate;                                                    \
        goto* table[instruction{fields, immediate}.opcode()];                              \
    }
    FEMTO_256(FEMTO_BODY)
#undef FEMTO_BODY
stopped:
    save(at);
}
#undef FEMTO_256
#undef FEMTO_16
#pragma GCC diagnostic pop
#endif

}  // namespace detail

/// Runs `m` from its position until it ends, faults, is suspended or has no fuel left.
/// A run stops at the first transfer of control (taken jump, call, return, helper call) at which its
/// fuel is used up, so it executes at most one straight stretch more than its fuel; `m.fuel` says
/// exactly how many instructions were executed. An instruction that faults counts as executed.
/// Returns r0. Errors: `error.pc` is the instruction, `error.address` the guest address.
template <dispatch Dispatch, rules Rules, class Helpers, class Memory>
[[nodiscard]] constexpr result<std::uint64_t> interpret(const verified_program<Rules, Helpers>& p,
                                                        machine<Rules.max_call_depth>& m,
                                                        const Memory& memory, void* host = nullptr,
                                                        const void* host_type = nullptr) {
    detail::execution<Rules, Helpers, Memory> run{p, m, memory, host, host_type};
    if (std::is_constant_evaluated() || Dispatch == dispatch::compact) {
        run.compact();
    } else {
        run.threaded();
    }
    if (m.state != errc::ok) return fail(m.state, m.pc, run.address());
    return m.r[0];
}

}  // namespace femto
