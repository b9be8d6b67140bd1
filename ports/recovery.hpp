// SPDX-License-Identifier: Apache-2.0
// How a firmware goes on after a guard stopped a host function: `catching` is a point to return to,
// and the port's fault handler returns there. For firmware; nothing in femto depends on it.
#pragma once

#include <csetjmp>
#include <cstdint>

namespace femto::port {

/// Where a guard stopped the firmware: host addresses, 0 if the core does not tell.
struct guard_fault {
    std::uintptr_t pc = 0;
    std::uintptr_t address = 0;
};

namespace detail {
// A fault has no other way to find its firmware. One at a time, as there is one stack.
inline std::jmp_buf* recovery_point = nullptr;
inline guard_fault recovered{};

[[noreturn]] inline void recover() {
    std::jmp_buf* const point = recovery_point;
    recovery_point = nullptr;
    std::longjmp(*point, 1);
}
}  // namespace detail

/// Runs `f()`; true if it returned, false if a fault ended it, and then `fault` says where.
/// Destructors of what `f` had on the stack do not run: take the guard outside of `f`.
template <class F>
[[gnu::noinline]] bool catching(F&& f, guard_fault& fault) {
    std::jmp_buf point;
    if (setjmp(point) != 0) {
        fault = detail::recovered;
        return false;
    }
    detail::recovery_point = &point;
    f();
    detail::recovery_point = nullptr;
    return true;
}

}  // namespace femto::port
