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

    /// Gives the caller its registers back; returns where it goes on.
    FEMTO_COLD static constexpr std::uint32_t leave(context& run) {
        auto& state = run.state;
        const auto& frame = state.frames[--state.depth];
        for (std::uint32_t n = 0; n < 4; ++n) state.r[6 + n] = frame.saved[n];
        state.r[10] += run.program.frame_size();
        return frame.return_pc;
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
};

}  // namespace detail

}  // namespace femto
