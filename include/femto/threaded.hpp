// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/threaded_run.hpp>

#include <cstdint>

namespace femto::detail {

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

/// Runs; without a run, finds the bodies by entry, from which code is prepared. Computed goto (GNU
/// C): a copy of the jump at the end of each body, so that each has a branch prediction of its own, or,
/// `for_size`, one for all. Bodies of opcodes that verification refuses are left out (proof 1).
template <class Form, rules Rules, class Helpers, class Memory>
[[gnu::noinline]] void run_threaded(threaded_context<Form, Rules, Helpers, Memory>* run,
                                    const Form* form, body_table* bodies_found = nullptr) {
#define FEMTO_LABEL(high, low) \
    (has_body<Rules, Form::prepared>(0x##high##low) ? &&body_##high##low : &&body_of_compact)
#if FEMTO_FOR_SIZE
#define FEMTO_PLACE(high, low)                                                    \
    static_cast<std::int16_t>(static_cast<const char*>(FEMTO_LABEL(high, low)) -  \
                              static_cast<const char*>(&&body_of_compact)),
#define FEMTO_GO_ON                      \
    if (o == outcome::taken) goto taken; \
    goto next;
    static const std::int16_t distances[256]{FEMTO_256(FEMTO_PLACE)};
    body_table bodies{distances, &&body_of_compact};
    // Or GCC loads what it knows the address of anew for each dispatch; here and below.
    asm("" : "+r"(bodies.distances), "+r"(bodies.from));
#else
#define FEMTO_PLACE(high, low) FEMTO_LABEL(high, low),
#define FEMTO_GO_ON goto* t.next(bodies);
    static const void* const addresses[256]{FEMTO_256(FEMTO_PLACE)};
    body_table bodies = addresses;
    if constexpr (!Form::prepared) asm("" : "+r"(bodies));
#endif
    if (run == nullptr) {
        *bodies_found = bodies;
        return;
    }
    threaded_run<Form, Rules, Helpers, Memory> t{*run, *form};
    threaded_context<Form, Rules, Helpers, Memory>* volatile in_memory = run;
    goto* t.next(bodies);
#define FEMTO_BODY(high, low)                                          \
    body_##high##low : __attribute__((unused));                        \
    if constexpr (has_body<Rules, Form::prepared>(0x##high##low)) {    \
        const outcome o = t.template body<0x##high##low>(in_memory);   \
        if (o == outcome::stop) goto stopped;                          \
        if (o == outcome::end) goto ended;                             \
        if (o == outcome::shared) goto body_of_compact;                \
        FEMTO_GO_ON                                                    \
    }
    FEMTO_256(FEMTO_BODY)
#if FEMTO_FOR_SIZE
taken:
    if (t.take()) goto next;
#endif
body_of_compact:
    if (!t.step_shared(*in_memory)) return;
    goto* t.next(bodies);
#if FEMTO_FOR_SIZE
next:
    goto* t.next(bodies);
#endif
stopped:
    t.stop(*in_memory);
    return;
ended:
    t.end(*in_memory);
}
#undef FEMTO_BODY
#undef FEMTO_GO_ON
#undef FEMTO_PLACE
#undef FEMTO_LABEL
#undef FEMTO_256
#undef FEMTO_16
#pragma GCC diagnostic pop

}  // namespace femto::detail
