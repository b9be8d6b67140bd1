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

namespace femto {

/// The most fuel that a run can be given at once: counted in bytes of text, it fits 31 bits.
inline constexpr std::uint32_t max_fuel = 0x0fffffff;

/// What survives between `run` and `resume`: 88 bytes of registers, 12 of position, and 40 for each
/// level of local calls.
template <std::size_t MaxCallDepth>
struct machine {
    struct frame {
        std::array<std::uint64_t, 4> saved;  ///< r6 to r9 of the caller
        std::uint32_t return_pc;
    };
    std::array<std::uint64_t, 11> r{};
    std::uint32_t pc = 0;
    std::int32_t fuel = 0;  ///< instructions left; negative if the last straight stretch overdrew it
    std::uint8_t depth = 0;
    errc state = errc::ok;  ///< `suspended` and `out_of_fuel` can be resumed
    std::array<frame, MaxCallDepth> frames{};
};

namespace detail {

/// What a run consists of beside the few values that its hot path keeps in registers.
template <rules Rules, class Helpers, class Memory>
struct run_context {
    const verified_program<Rules, Helpers>& program;
    machine<Rules.max_call_depth>& state;
    const Memory& memory;
    void* host;
    const void* host_type;
    std::uint64_t address = 0;  ///< belongs to the fault in `state`
};

/// One run: decodes and executes. The object is a local of a dispatcher, its members that change are
/// scalars and everything that gets `this` is inlined, so that they live in registers of the host;
/// `machine` has them between runs.
///
/// Fuel costs nothing between transfers of control: `deadline` is the place at which it would be used
/// up if all text from here on were one straight stretch, so executing moves `pc` towards it, and a
/// jump moves both.
template <rules Rules, class Helpers, class Memory>
class execution {
public:
    using context = run_context<Rules, Helpers, Memory>;

    FEMTO_ALWAYS_INLINE constexpr explicit execution(context& run)
        : run_{run}, memory_{run.memory}, r_{run.state.r.data()}, pc_{text() + run.state.pc},
          deadline_{place(pc_) + fuel_size(run.state.fuel)} {
        keep(zero_);
        run.state.state = errc::out_of_fuel;  // why a run stops that says nothing else
    }

    /// The slot of the next instruction.
    [[nodiscard]] constexpr std::uint32_t slot() const {
        return static_cast<std::uint32_t>(pc_ - text());
    }

    /// The first word of the next instruction, with `pc` moved behind it. The second is read by the
    /// handlers that need it: half of them do not.
    FEMTO_ALWAYS_INLINE constexpr instruction fetch() {
        const std::uint32_t fields = pc_->fields;
        ++pc_;
        keep(pc_);
        return {fields, 0};
    }

    /// Executes the instruction with first word `i`. False if the run stops; `machine::state` says
    /// why. With a constant opcode what is left of this is one handler; with `Shared` it is the code
    /// for all of them.
    template <bool Shared>
    FEMTO_ALWAYS_INLINE constexpr bool step(instruction i, std::uint8_t opcode) {
        using narrow = std::conditional_t<Shared, void, std::uint32_t>;
        using wide = std::conditional_t<Shared, void, std::uint64_t>;
        switch (class_of(opcode)) {
            case instruction_class::alu:
                if constexpr (!Shared) return arithmetic<narrow>(i, opcode);
                [[fallthrough]];
            case instruction_class::alu64: return arithmetic<wide>(i, opcode);
            case instruction_class::jmp:
                switch (opcode & 0xf0) {
                    case 0x80: return call(i, (opcode & 8) != 0);
                    case 0x90: return exit();
                    default: break;
                }
                if constexpr (!Shared) return branch<wide>(i, opcode);
                [[fallthrough]];
            case instruction_class::jmp32: return branch<narrow>(i, opcode);
            case instruction_class::ld: return load_imm64(i);
            case instruction_class::ldx: return load(i, opcode);
            case instruction_class::stx:
                if ((opcode & 0xe0) == 0xc0) return atomic(i, opcode);
                if constexpr (!Shared) return store(i, opcode, r_[i.src()]);
                [[fallthrough]];
            default:
                return store(i, opcode, (opcode & 1) != 0 ? r_[i.src()] : immediate());
        }
    }

    /// Puts the position back into the machine. A fault is reported at its instruction; a run that can
    /// be resumed goes on behind the last one.
    constexpr void save() {
        auto& state = run_.state;
        const bool fault = state.state != errc::ok && state.state != errc::suspended &&
                           state.state != errc::out_of_fuel;
        state.fuel = fuel();
        state.pc = static_cast<std::uint32_t>(pc_ - text()) - (fault ? 1 : 0);
    }

private:
    /// Makes GCC forget how it got `value`, so that it does not compute it twice: without this it
    /// keeps the old and the new `pc`, and addresses both halves of a register one by one.
    template <class T>
    FEMTO_ALWAYS_INLINE static constexpr void keep([[maybe_unused]] T& value) {
#if defined(__GNUC__)
        if (!std::is_constant_evaluated()) asm("" : "+r"(value));
#endif
    }
    [[nodiscard]] constexpr const instruction* text() const {
        return run_.program.source().text.data();
    }
    /// An address, except in a constant expression, which has none.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::uintptr_t place(const instruction* at) const {
        if (std::is_constant_evaluated()) return fuel_size(at - text());
        return reinterpret_cast<std::uintptr_t>(at);
    }
    template <class T>
    [[nodiscard]] static constexpr std::uintptr_t fuel_size(T instructions) {
        return static_cast<std::uintptr_t>(instructions) * sizeof(instruction);
    }
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr std::intptr_t left() const {
        return static_cast<std::intptr_t>(deadline_ - place(pc_));
    }
    [[nodiscard]] constexpr std::int32_t fuel() const {
        return static_cast<std::int32_t>(left() / std::intptr_t{sizeof(instruction)});
    }

    FEMTO_ALWAYS_INLINE constexpr std::int32_t imm() {
        const std::int32_t value = pc_[-1].imm();
#if defined(__GNUC__)
        // Read it before `fetch` moves on, or GCC keeps two copies of `pc`.
        if (!std::is_constant_evaluated()) asm("" : "+r"(pc_) : "r"(value));
#endif
        return value;
    }
    FEMTO_ALWAYS_INLINE constexpr std::uint64_t immediate() {
        return static_cast<std::uint64_t>(std::int64_t{imm()});
    }
    FEMTO_ALWAYS_INLINE static constexpr std::uint64_t offset(instruction i) {
        return static_cast<std::uint64_t>(std::int64_t{i.offset()});
    }

    FEMTO_COLD static constexpr bool fault(context& run, errc code, std::uint64_t address) {
        run.state.state = code;
        run.address = address;
        return false;
    }

    /// Goes `distance` slots on from here, proved to be an instruction of this function (proof 3).
    FEMTO_ALWAYS_INLINE constexpr bool transfer(std::int32_t distance) {
        pc_ += distance;
        deadline_ += fuel_size(distance);
        return left() > 0;
    }

    // Register numbers are at most 10, and r10 is not written (proofs 1 and 2).
    FEMTO_ALWAYS_INLINE constexpr std::uint64_t* destination(instruction i) {
        std::uint64_t* at = r_ + i.dst();
        keep(at);
        return at;
    }
    /// Arithmetic with the width in `Width`: uint32_t, uint64_t, or void if only `opcode` tells.
    template <class Width>
    FEMTO_ALWAYS_INLINE constexpr bool arithmetic(instruction i, std::uint8_t opcode) {
        const bool wide = (opcode & 3) == 3;
        std::uint64_t* const to = destination(i);
        const bool from_register = (opcode & 8) != 0;
        if ((opcode & 0xf0) == 0xd0) {
            const auto op = wide            ? operation::bswap
                            : from_register ? operation::be
                                            : operation::le;
            *to = semantics::swap(op, *to, static_cast<std::uint32_t>(imm()));
            return true;
        }
        std::uint64_t operand = from_register ? r_[i.src()] : immediate();
        if ((opcode & 0xf8) == 0xb8) {
            if (i.offset() != 0) [[unlikely]] {
                operand = semantics::sign_extend(operand, static_cast<std::uint32_t>(i.offset()));
            }
            *to = wide ? operand : extend(static_cast<std::uint32_t>(operand));
            return true;
        }
        // Only division and modulo have variants (proof 1).
        const bool variants = (opcode & 0xf0) == 0x30 || (opcode & 0xf0) == 0x90;
        const operation op = arithmetic_of(opcode, variants ? i.offset() : 0);
        if constexpr (std::is_void_v<Width>) {
            *to = semantics::alu(wide, op, *to, operand);
        } else {
            *to = extend(semantics::alu<Width>(op, static_cast<Width>(*to),
                                               static_cast<Width>(operand)));
        }
        return true;
    }

    template <class Width>
    FEMTO_ALWAYS_INLINE constexpr bool branch(instruction i, std::uint8_t opcode) {
        const bool wide = (opcode & 3) == 1;
        if ((opcode & 0xf0) == 0) return transfer(wide ? i.offset() : imm());
        const std::uint64_t operand = (opcode & 8) != 0 ? r_[i.src()] : immediate();
        bool taken = false;
        if constexpr (std::is_void_v<Width>) {
            taken = semantics::compare(wide, condition_of(opcode), r_[i.dst()], operand);
        } else {
            taken = semantics::compare<Width>(condition_of(opcode),
                                              static_cast<Width>(r_[i.dst()]),
                                              static_cast<Width>(operand));
        }
        return taken ? transfer(i.offset()) : true;
    }

    FEMTO_ALWAYS_INLINE constexpr bool load_imm64(instruction i) {
        const auto low = static_cast<std::uint32_t>(imm());
        ++pc_;
        deadline_ += sizeof(instruction);  // two slots, one instruction
        const auto high = static_cast<std::uint32_t>(imm());
        std::uint64_t value = low | std::uint64_t{high} << 32;
        if (i.src() != 0) value = pseudo_address(run_, i.src(), low, high, pc_);
        *destination(i) = value;
        return true;
    }
    FEMTO_COLD static constexpr std::uint64_t pseudo_address(const context& run, std::uint32_t kind,
                                                             std::uint32_t low, std::uint32_t high,
                                                             const instruction* behind) {
        if (kind == 4) {
            const instruction* text = run.program.source().text.data();
            return code_address(static_cast<std::uint32_t>(behind - 1 - text) + low);
        }
        return run.memory.address_of(region_number::rodata + low) + high;
    }

    FEMTO_ALWAYS_INLINE constexpr bool load(instruction i, std::uint8_t opcode) {
        const std::uint64_t address = r_[i.src()] + offset(i);
        const std::uint32_t width = access_width(opcode);
        const auto from = memory_.template locate<false>(address, width);
        if (!from.granted) [[unlikely]] return fault(run_, errc::illegal_memory, address);
        std::uint64_t value = get(from.at, width);
        if ((opcode & 0xe0) == 0x80) {
            value = semantics::sign_extend(value, width * 8);
        } else if (width < 8) {
            value = extend(static_cast<std::uint32_t>(value));
        }
        *destination(i) = value;
        return true;
    }

    FEMTO_ALWAYS_INLINE constexpr bool store(instruction i, std::uint8_t opcode,
                                             std::uint64_t value) {
        const std::uint64_t address = r_[i.dst()] + offset(i);
        const std::uint32_t width = access_width(opcode);
        const auto to = memory_.template locate<true>(address, width);
        if (!to.granted) [[unlikely]] return unwritable(run_, address, width);
        put(to.at, width, value);
        return true;
    }
    FEMTO_COLD static constexpr bool unwritable(context& run, std::uint64_t address,
                                                std::uint32_t width) {
        const bool exists = run.memory.template find<false>(address, width) != nullptr;
        return fault(run, exists ? errc::illegal_write : errc::illegal_memory, address);
    }

    FEMTO_ALWAYS_INLINE static constexpr std::uint64_t get(const std::byte* from,
                                                           std::uint32_t width) {
        switch (width) {
            case 1: return load_little<std::uint8_t>(from);
            case 2: return load_little<std::uint16_t>(from);
            case 4: return load_little<std::uint32_t>(from);
            default: return load_little<std::uint64_t>(from);
        }
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

    /// RFC 9669, section 5.3. Atomic towards other guests' runs on the same core only: a run is not
    /// interrupted between the read and the write by another run of the same machine.
    FEMTO_ALWAYS_INLINE constexpr bool atomic(instruction i, std::uint8_t opcode) {
        if constexpr ((Rules.allowed & groups::atomic) == group::none) return false;  // proof 1
        else return exchange(run_, i, pc_[-1].imm(), access_width(opcode));
    }
    FEMTO_COLD static constexpr bool exchange(context& run, instruction i, std::int32_t selector,
                                              std::uint32_t width) {
        auto& r = run.state.r;
        const std::uint64_t address = r[i.dst()] + offset(i);
        std::byte* to = run.memory.template find<true>(address, width);
        if (to == nullptr) return unwritable(run, address, width);
        if (run.memory.template find<false>(address, width) == nullptr) {
            return fault(run, errc::illegal_memory, address);  // write-only
        }
        const std::uint64_t old = get(to, width);
        std::uint64_t& source = r[i.src()];
        const auto imm = static_cast<std::uint32_t>(selector);
        if (imm == 0xf1) {
            const std::uint64_t expected = width == 4 ? semantics::zero_extend(r[0], 32) : r[0];
            if (old == expected) put(to, width, source);
            r[0] = old;
            return true;
        }
        put(to, width, imm == 0xe1 ? source
                                   : semantics::alu<std::uint64_t>(arithmetic_of(imm), old, source));
        if ((imm & 1) != 0) source = old;
        return true;
    }

    FEMTO_ALWAYS_INLINE constexpr bool call(instruction i, bool by_register) {
        if (!by_register) {
            if (i.src() == 0) return call_helper(static_cast<std::uint32_t>(imm()));
            return call_local(imm());
        }
        if constexpr (contains(Rules.allowed, group::callx)) {
            // One of the two is 0: the register lies in the one or the other.
            const std::uint64_t to = r_[i.dst() | static_cast<std::uint32_t>(imm())];
            if ((to >> 32) == region_number::code) {
                const auto bytes = static_cast<std::uint32_t>(to);
                if (bytes % 8 != 0 || !run_.program.is_function(bytes / 8)) {
                    return fault(run_, errc::illegal_call, to);
                }
                return call_local(static_cast<std::int32_t>(bytes / 8) -
                                  static_cast<std::int32_t>(pc_ - text()));
            }
            const auto id = static_cast<std::uint32_t>(to);
            if (to == id && (Helpers::bit_of(id) & run_.program.granted()) != 0) {
                return call_helper(id);
            }
            return fault(run_, errc::illegal_call, to);
        }
        return true;
    }

    /// `distance` leads to the start of a function (proof 4, or the check in `call`).
    FEMTO_ALWAYS_INLINE constexpr bool call_local(std::int32_t distance) {
        if (!enter(run_, static_cast<std::uint32_t>(pc_ - text()))) return false;
        return transfer(distance);
    }
    FEMTO_COLD static constexpr bool enter(context& run, std::uint32_t return_pc) {
        if constexpr (Rules.max_call_depth == 0) {
            return fault(run, errc::call_too_deep, 0);  // only callx gets here (proof 7)
        } else {
            auto& state = run.state;
            const std::uint32_t size = run.program.frame_size();
            if (state.depth >= Rules.max_call_depth ||
                (state.depth + 2u) * size > Rules.stack_size) {
                return fault(run, errc::call_too_deep, 0);
            }
            auto& frame = state.frames[state.depth++];
            for (std::uint32_t n = 0; n < 4; ++n) frame.saved[n] = state.r[6 + n];
            frame.return_pc = return_pc;
            state.r[10] -= size;
            return true;
        }
    }

    FEMTO_ALWAYS_INLINE constexpr bool exit() {
        if constexpr (Rules.max_call_depth != 0) {
            if (run_.state.depth != 0) {
                return transfer(static_cast<std::int32_t>(leave(run_)) -
                                static_cast<std::int32_t>(pc_ - text()));
            }
        }
        run_.state.state = errc::ok;
        return false;
    }
    /// Gives the caller its registers back; returns where it goes on.
    FEMTO_COLD static constexpr std::uint32_t leave(context& run) {
        auto& state = run.state;
        const auto& frame = state.frames[--state.depth];
        for (std::uint32_t n = 0; n < 4; ++n) state.r[6 + n] = frame.saved[n];
        state.r[10] += run.program.frame_size();
        return frame.return_pc;
    }

    FEMTO_ALWAYS_INLINE constexpr bool call_helper(std::uint32_t id) {
        run_.state.fuel = fuel();
        const bool goes_on = helper_called(run_, id);
        deadline_ = place(pc_) + fuel_size(run_.state.fuel);
        return goes_on;
    }
    FEMTO_COLD static constexpr bool helper_called(context& run, std::uint32_t id) {
        auto& state = run.state;
        caller from{state.fuel, run.host, run.host_type};
        std::uint64_t address = 0;
        errc code = Helpers::call(id, from, state.r.data(), run.memory, address);
        state.fuel = from.fuel();
        if (code == errc::ok && !from.finished()) {
            code = from.request();
            address = from.address();
            if (code == errc::ok) return state.fuel > 0;
        }
        return fault(run, code, address);
    }

    /// Zero-extends a result. 32-bit cores get the high word from a register that holds 0 all the
    /// time, so that both words are stored at once (Thumb-2: `strd`).
    FEMTO_ALWAYS_INLINE constexpr std::uint64_t extend(std::uint64_t value) const { return value; }
    FEMTO_ALWAYS_INLINE constexpr std::uint64_t extend(std::uint32_t value) const {
        if constexpr (sizeof(void*) == 4) return value | std::uint64_t{zero_} << 32;
        return value;
    }

    context& run_;
    const Memory& memory_;
    std::uint64_t* const r_;
    const instruction* pc_;
    std::uintptr_t deadline_;
    std::uint32_t zero_ = 0;
};

}  // namespace detail

}  // namespace femto
