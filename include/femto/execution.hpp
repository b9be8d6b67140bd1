// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/helper.hpp>
#include <femto/memory.hpp>
#include <femto/semantics.hpp>
#include <femto/verifier.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace femto {

/// The most fuel that a run can be given at once: counted in bytes of text, it fits 31 bits.
inline constexpr std::uint32_t max_fuel = 0x0fffffff;

/// What survives between `run` and `resume`: 96 bytes, or 104 if slots do not fit 16 bits. What local calls
/// save lies behind the guest's stack.
template <std::uint32_t MaxInstructions>
struct machine {
    using slot_number =
        std::conditional_t<MaxInstructions <= 0xffff, std::uint16_t, std::uint32_t>;
    std::array<std::uint64_t, 11> r{};
    std::int32_t fuel = 0;  ///< instructions left; negative if the last straight stretch overdrew it
    slot_number pc = 0;
    std::uint8_t depth = 0;  ///< local calls that have not returned
    errc state = errc::ok;   ///< `suspended` and `out_of_fuel` can be resumed
};

namespace detail {

/// What a run consists of beside the few values that its hot path keeps in registers.
template <rules Rules, class Helpers, class Memory>
struct run_context {
    const verified_program<Rules, Helpers>& program;
    machine<Rules.max_instructions>& state;
    const Memory& memory;
    const typename Helpers::host& host;
    std::uint64_t address = 0;  ///< belongs to the fault in `state`

    /// Makes a frame for a local call, or gives the caller its registers back. What is saved of the caller,
    /// r6 to r9 and the slot where it goes on, lies behind the region of the stack, where the guest cannot
    /// reach it, and there is room for it up to the limit (proof 7). `here` is that slot; at a return
    /// `distance` becomes how far the caller's is from it. False, and nothing is done, if there is no room,
    /// which happens to callx only, or no caller.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr bool change_frame(bool enter, std::uint32_t here,
                                                                  std::int32_t& distance) {
        std::uint32_t depth = state.depth;
        if (enter ? depth >= program.call_limit() : depth == 0) return false;
        std::byte* saved = std::assume_aligned<8>(memory.behind(region_number::stack) + depth * saved_frame_size);
        std::uint32_t size = program.frame_size();
        if (enter) {
            store_little(saved + 32, here);
            ++depth;
            size = 0 - size;
        } else {
            saved -= saved_frame_size;
            distance = static_cast<std::int32_t>(load_little<std::uint32_t>(saved + 32) - here);
            --depth;
        }
        state.depth = static_cast<std::uint8_t>(depth);
        // r10 stays inside the stack: on a 32-bit core its high word is the same.
        std::uint64_t& top = state.r[10];
        if constexpr (Memory::space == address_space::segmented || sizeof(void*) == 4) {
            top = (top >> 32 << 32) | static_cast<std::uint32_t>(top + size);
        } else {
            top += static_cast<std::uint64_t>(std::int64_t{static_cast<std::int32_t>(size)});
        }
        copy_registers(enter, saved);
        return true;
    }

    /// Calls helper `id`, which takes the run's fuel from the machine. False if the run stops.
    [[nodiscard]] FEMTO_ALWAYS_INLINE constexpr bool call_helper(std::uint32_t id) {
        caller from{state.fuel, host.object, host.type};
        std::uint64_t at = 0;
        errc code = Helpers::call(id, from, state.r.data(), memory, at);
        state.fuel = from.fuel();
        if (code == errc::ok && !from.finished()) {
            code = from.request();
            at = from.address();
            if (code == errc::ok) return state.fuel > 0;
        }
        state.state = code;
        address = at;
        return false;
    }

private:
    /// Saves r6 to r9, or loads them: by the C library where bytes count.
    FEMTO_ALWAYS_INLINE constexpr void copy_registers(bool save, std::byte* saved) {
        std::uint64_t* const r = state.r.data() + 6;
        if (for_size && !std::is_constant_evaluated()) {
            std::size_t size = 32;
            semantics::forget(size);  // or GCC makes a loop of its own
            void* to = saved;
            void* from = r;
            if (!save) std::swap(to, from);
            std::memcpy(to, from, size);
            return;
        }
        for (std::size_t n = 0; n < 4; ++n, saved += 8) {
            if (save) {
                store_little(saved, alone(r[n]));
            } else {
                r[n] = alone(load_little<std::uint64_t>(saved));
            }
        }
    }
    /// Keeps GCC from copying two registers at once on x86-64: what was just stored to one of them is
    /// forwarded to a load of it alone only.
    [[nodiscard]] FEMTO_ALWAYS_INLINE static constexpr std::uint64_t alone(std::uint64_t value) {
#if defined(__x86_64__)
        if (!std::is_constant_evaluated()) asm("" : "+r"(value));
#endif
        return value;
    }
};

/// What both dispatchers do at calls and returns.
template <rules Rules, class Helpers, class Memory>
struct transitions {
    using context = run_context<Rules, Helpers, Memory>;

    FEMTO_COLD static constexpr std::uint64_t pseudo_address(const context& run, std::uint32_t kind,
                                                             std::uint32_t low, std::uint32_t high,
                                                             const instruction* behind) {
        if (kind == 4) {
            const instruction* text = run.program.source().text.data();
            return code_address(static_cast<std::uint32_t>(behind - 1 - text) + low);
        }
        return run.memory.address_of(region_number::rodata + low) + high;
    }

    FEMTO_COLD static constexpr bool fault(context& run, errc code, std::uint64_t address) {
        run.state.state = code;
        run.address = address;
        return false;
    }

    FEMTO_COLD static constexpr bool enter(context& run, std::uint32_t return_pc) {
        if constexpr (Rules.max_call_depth != 0) {
            std::int32_t unused = 0;
            if (run.change_frame(true, return_pc, unused)) return true;
        }
        return fault(run, errc::call_too_deep, 0);
    }
    /// Where the caller goes on; there is one.
    FEMTO_COLD static constexpr std::uint32_t leave(context& run) {
        std::int32_t pc = 0;
        static_cast<void>(run.change_frame(false, 0, pc));
        return static_cast<std::uint32_t>(pc);
    }

    FEMTO_COLD static constexpr bool helper_called(context& run, std::uint32_t id) {
        return run.call_helper(id);
    }
};

}  // namespace detail

}  // namespace femto
