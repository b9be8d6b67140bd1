// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/slots.hpp>

namespace femto::update {

/// Slots in RAM, of which power takes everything, the floor too: a product that must refuse old
/// versions after a restart asserts `!Slots::volatile_floor`.
template <std::size_t Size, std::size_t Block = 256>
class ram_storage {
public:
    static constexpr std::size_t erase_size = Block;
    static constexpr std::size_t program_size = 1;
    static constexpr bool volatile_floor = true;

    bool read(std::size_t at, std::span<std::uint8_t> to) const {
        if (at > Size || to.size() > Size - at) return false;
        std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(at), to.size(), to.begin());
        return true;
    }
    bool program(std::size_t at, bytes from) {
        if (at > Size || from.size() > Size - at) return false;
        std::ranges::copy(from, memory_.begin() + static_cast<std::ptrdiff_t>(at));
        return true;
    }
    bool erase(std::size_t at) {
        if (at > Size || Block > Size - at) return false;
        std::fill_n(memory_.begin() + static_cast<std::ptrdiff_t>(at), Block, std::uint8_t{0xff});
        return true;
    }
    bool sync() { return true; }
    [[nodiscard]] bytes map(std::size_t at, std::size_t size) const {
        return at > Size || size > Size - at ? bytes{} : bytes{memory_}.subspan(at, size);
    }

private:
    alignas(8) std::array<std::uint8_t, Size> memory_{};
};

}  // namespace femto::update
