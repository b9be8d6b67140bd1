// SPDX-License-Identifier: Apache-2.0
// The integer arithmetic that the ESP8266 has in ROM, and which its libgcc therefore lacks. Written
// without * and / on the widths that it implements; for the simulator only.
#include <cstdint>

namespace {

template <class U>
struct quotient {
    U value;
    U rest;
};

/// Schoolbook division; by zero it gives all ones, as much hardware does.
template <class U>
[[gnu::noinline]] quotient<U> divide(U a, U b) {
    quotient<U> q{0, 0};
    for (unsigned bit = sizeof(U) * 8; bit-- > 0;) {
        const bool carry = (q.rest >> (sizeof(U) * 8 - 1)) != 0;
        q.rest = q.rest << 1 | ((a >> bit) & 1);
        if (carry || q.rest >= b) {
            q.rest -= b;
            q.value |= U{1} << bit;
        }
    }
    return q;
}
template <class U, class S>
U magnitude(S value) {
    return value < 0 ? U{0} - static_cast<U>(value) : static_cast<U>(value);
}
template <class U, class S>
S signed_quotient(S a, S b) {
    const U q = divide<U>(magnitude<U>(a), magnitude<U>(b)).value;
    return static_cast<S>((a < 0) != (b < 0) ? U{0} - q : q);
}
template <class U, class S>
S signed_rest(S a, S b) {
    const U r = divide<U>(magnitude<U>(a), magnitude<U>(b)).rest;
    return static_cast<S>(a < 0 ? U{0} - r : r);
}

}  // namespace

// With the types of the ABI, whose words are long here and int elsewhere.
using u32 = unsigned;
using i32 = int;
using u64 = unsigned long long;
using i64 = long long;

extern "C" {
u32 __udivsi3(u32 a, u32 b) { return divide(a, b).value; }
u32 __umodsi3(u32 a, u32 b) { return divide(a, b).rest; }
i32 __divsi3(i32 a, i32 b) { return signed_quotient<u32>(a, b); }
i32 __modsi3(i32 a, i32 b) { return signed_rest<u32>(a, b); }
u64 __udivdi3(u64 a, u64 b) { return divide(a, b).value; }
u64 __umoddi3(u64 a, u64 b) { return divide(a, b).rest; }
i64 __divdi3(i64 a, i64 b) { return signed_quotient<u64>(a, b); }
i64 __moddi3(i64 a, i64 b) { return signed_rest<u64>(a, b); }
u32 __mulsi3(u32 a, u32 b) {
    u32 product = 0;
    for (; b != 0; b >>= 1, a <<= 1) product += (b & 1) != 0 ? a : 0;
    return product;
}
u64 __muldi3(u64 a, u64 b) {
    u64 product = 0;
    for (; b != 0; b >>= 1, a <<= 1) product += (b & 1) != 0 ? a : 0;
    return product;
}
}
