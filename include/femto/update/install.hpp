// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/update/slots.hpp>

namespace femto::update {

/// Ends the update of one component whose image was staged in `slots` (`begin`, `write_chunk`):
/// reads the image back against the manifest's digest, asks the device about the program in it,
/// and commits. Only when this returns without error may the hook be switched; on every error what
/// ran before still runs, and the staged image is dropped.
///
/// `accepts(slot)` gets the slot that holds the image, for `slots.read`, and returns whether the
/// device can run it: the container image parsed, its program verified for its hook. With several
/// components call this for each: each commits alone, there is no transaction over all.
///
/// Errors: those of `finish` and `commit`, and update_program_rejected.
template <class Slots, class Accepts>
[[nodiscard]] result<void> install(Slots& slots, const component_plan& plan,
                                   std::uint64_t sequence_number,
                                   const sha256_digest& manifest_digest, Accepts&& accepts) {
    sha256_digest expected{};
    const auto number = static_cast<std::uint32_t>(stage::image);
    if (plan.image_digest.size() != expected.size())
        return fail(errc::update_missing_parameter, number);
    std::ranges::copy(plan.image_digest, expected.begin());
    const auto slot = slots.finish(expected);
    if (!slot.has_value()) return failure{slot.error()};
    if (!accepts(*slot)) {
        slots.abort();
        return fail(errc::update_program_rejected, static_cast<std::uint32_t>(stage::program));
    }
    return slots.commit(sequence_number, manifest_digest);
}

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

private:
    std::array<std::uint8_t, Size> memory_{};
};

}  // namespace femto::update
