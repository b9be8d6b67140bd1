// SPDX-License-Identifier: Apache-2.0
// fletcher32.c in C++: same context, same result; templates, classes and constexpr cost nothing
// here.
#include <femto.h>

namespace {

/// A sum modulo 65535 whose reduction is put off until it could overflow.
class deferred_sum {
public:
    constexpr void add(uint32_t value) { value_ += value; }
    constexpr void reduce() { value_ = (value_ & 0xffff) + (value_ >> 16); }
    [[nodiscard]] constexpr uint32_t value() const { return value_; }

private:
    uint32_t value_ = 0xffff;
};

class word_reader {
public:
    constexpr word_reader(const uint8_t* first, uint64_t length) : at_{first}, left_{length} {}
    [[nodiscard]] constexpr bool empty() const { return left_ == 0; }
    constexpr uint32_t next() {
        const auto low = static_cast<uint32_t>(at_[0]);
        const auto high = left_ > 1 ? static_cast<uint32_t>(at_[1]) << 8 : 0u;
        at_ += 2;
        left_ -= left_ > 1 ? 2 : 1;
        return low | high;
    }

private:
    const uint8_t* at_;
    uint64_t left_;
};

}  // namespace

FEMTO_ENTRY uint64_t fletcher32_cpp(const uint8_t* context, uint64_t length) {
    word_reader words{context, length};
    deferred_sum sum1;
    deferred_sum sum2;
    while (!words.empty()) {
        for (unsigned i = 0; i < 359 && !words.empty(); ++i) {
            sum1.add(words.next());
            sum2.add(sum1.value());
        }
        sum1.reduce();
        sum2.reduce();
    }
    sum1.reduce();
    sum2.reduce();
    return static_cast<uint64_t>(sum2.value()) << 16 | sum1.value();
}
