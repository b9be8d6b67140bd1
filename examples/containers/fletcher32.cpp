// SPDX-License-Identifier: Apache-2.0
// fletcher32.c once more, in C++. Context: number of 16-bit words, then the words.
#include <femto.h>

namespace {

/// Two sums whose carries are folded back in.
class fletcher {
public:
    constexpr void add(u16 word) {
        low_ += word;
        high_ += low_;
    }
    constexpr void fold() {
        low_ = (low_ & 0xffff) + (low_ >> 16);
        high_ = (high_ & 0xffff) + (high_ >> 16);
    }
    [[nodiscard]] constexpr u32 value() const { return high_ << 16 | low_; }

private:
    u32 low_ = 0xffff, high_ = 0xffff;
};

struct words {
    u32 count;
    [[nodiscard]] const u16 *begin() const { return reinterpret_cast<const u16 *>(this + 1); }
};

}  // namespace

FEMTO_ENTRY u64 fletcher32_cpp(const words *in, u64) {
    fletcher sum;
    const u16 *word = in->begin();
    for (u32 left = in->count; left != 0;) {
        u32 block = left < 359 ? left : 359;
        left -= block;
        while (block-- != 0) sum.add(*word++);
        sum.fold();
    }
    sum.fold();
    return sum.value();
}
