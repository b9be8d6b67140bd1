// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/slots.hpp>

namespace femto::port::host {

/// NOR flash as it is, for trying updates on a host: a unit is programmed once after an erase and
/// only clears bits, blocks are erased whole, and power can be cut at any byte. What the cut
/// interrupts is left with a part of its bits changed, an erased block with anything in it. Until
/// `restore_power` nothing works.
template <std::size_t Size, std::size_t Block = 256, std::size_t Unit = 8>
class simulated_flash {
public:
    static constexpr std::size_t erase_size = Block;
    static constexpr std::size_t program_size = Unit;
    static constexpr bool volatile_floor = false;
    static constexpr std::uint64_t forever = UINT64_MAX;

    /// Cuts the power when this many more bytes were erased or programmed.
    void cut_after(std::uint64_t bytes) { left_ = bytes; }
    void restore_power() { left_ = forever; }
    [[nodiscard]] bool powered() const { return left_ > 0; }
    /// Whether something was asked for that real flash cannot do.
    [[nodiscard]] bool misused() const { return misused_; }
    /// Its content, to damage it.
    [[nodiscard]] std::array<std::uint8_t, Size>& content() { return memory_; }

    bool read(std::size_t at, std::span<std::uint8_t> to) {
        if (left_ == 0 || at > Size || to.size() > Size - at) return false;
        std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
        return true;
    }
    bool program(std::size_t at, update::bytes from) {
        misused_ |= at % Unit != 0 || from.size() % Unit != 0 || at + from.size() > Size;
        if (misused_) return false;
        for (std::size_t n = 0; n < from.size(); ++n) {
            misused_ |= memory_[at + n] != 0xff;
            const bool whole = spend();
            memory_[at + n] &= static_cast<std::uint8_t>(from[n] | (whole ? 0 : noise()));
            if (!whole) return false;
        }
        return true;
    }
    bool erase(std::size_t at) {
        misused_ |= at % Block != 0 || at + Block > Size;
        if (misused_) return false;
        for (std::size_t n = 0; n < Block; ++n) {
            if (!spend()) {
                // The cells of a block are erased together, not one after the other.
                for (std::size_t m = 0; m < Block; ++m)
                    memory_[at + m] = static_cast<std::uint8_t>(memory_[at + m] | noise());
                return false;
            }
        }
        std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(at), Block, std::uint8_t{0xff});
        return true;
    }
    bool sync() { return powered(); }
    [[nodiscard]] update::bytes map(std::size_t at, std::size_t size) const {
        return at > Size || size > Size - at ? update::bytes{}
                                             : update::bytes{memory_}.subspan(at, size);
    }

private:
    bool spend() {
        if (left_ == 0) return false;
        if (left_ != forever) --left_;
        return left_ > 0;
    }
    std::uint8_t noise() {
        noise_ ^= noise_ << 13, noise_ ^= noise_ >> 17, noise_ ^= noise_ << 5;
        return static_cast<std::uint8_t>(noise_);
    }
    alignas(8) std::array<std::uint8_t, Size> memory_{};
    std::uint64_t left_ = forever;
    std::uint32_t noise_ = 2463534242;
    bool misused_ = false;
};

}  // namespace femto::port::host
