// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/container_storage.hpp>
#include <femto/critical_section.hpp>
#include <femto/image.hpp>
#include <femto/verifier.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace femto {

/// Where a container is. `empty` -> `verified` (load) -> `attached` (attach) -> `running` and back;
/// `suspended` when a helper suspended the run; `faulted` while it backs off after a fault;
/// `disabled` when its faults are too many: only detach leads out of it.
enum class container_state : std::uint8_t {
    empty, verified, attached, running, suspended, faulted, disabled,
};

/// What happens to a container that faults. In any case the run ends and the others go on.
struct fault_policy {
    enum class action : std::uint8_t {
        keep,      ///< it runs again at the next event
        disable,   ///< after `count` faults without a good run between them
        back_off,  ///< it misses events for `delay`, doubled after each further fault, 10 times at most
    };
    action what = action::keep;
    std::uint8_t count = 3;
    std::uint16_t delay = 100;  ///< units of `poll`'s time
};

/// Limits of one container; may lie in flash. 12 bytes.
struct container_limits {
    std::uint32_t run_fuel = 0xffffffff;     ///< instructions a run, or from one wake-up to the next wait
    std::uint32_t window_fuel = 0xffffffff;  ///< instructions in a window
    fault_policy faults{};
};

/// What a container did. 40 bytes.
struct container_statistics {
    std::uint64_t instructions = 0;
    error last_fault{};
    std::uint32_t runs = 0;         ///< runs that were started
    std::uint32_t longest_run = 0;  ///< instructions
    std::uint16_t faults = 0;
    std::uint16_t missed = 0;     ///< events that came while it ran, waited, or backed off
    std::uint16_t throttled = 0;  ///< events that came when its window was used up
    std::uint16_t stack = 0;      ///< bytes: the deepest chain of calls, as verified
};

/// The control block of a container. Does nothing by itself: an `engine` loads, attaches and runs it.
/// Not copyable: hooks point to it, and its memory must stay a container as long as a hook that it hung
/// on may fire (it may be loaded again). Reading state and statistics is safe at any time; a value read
/// while the container runs may be that of the moment before.
template <class Verified, critical_section Guard>
class container {
public:
    constexpr container() = default;
    container(const container&) = delete;
    container& operator=(const container&) = delete;

    [[nodiscard]] container_state state() const { return state_.load(std::memory_order_acquire); }
    [[nodiscard]] const container_statistics& statistics() const { return statistics_; }
    [[nodiscard]] std::uint8_t tenant() const { return tenant_; }
    /// Its number, that of its local store.
    [[nodiscard]] std::uint8_t number() const { return number_; }
    /// Helpers granted, as bits of the helper set; 0 before load.
    [[nodiscard]] std::uint64_t granted() const { return verified_ ? verified_->granted() : 0; }

private:
    template <class, class, auto>
    friend class engine;

    // Whoever sets the bit owns everything below. A single bit and no queue: nobody ever waits for
    // it inside an ISR.
    static constexpr std::uint32_t held = 1;
    static constexpr std::uint8_t no_lane = 255;
    bool enter() { return (word_.set_bits(held) & held) == 0; }
    void leave() { word_.clear_bits(held); }

    [[nodiscard]] std::span<std::uint8_t> marks() const {
        return {marks_, verified_->source().text.size()};
    }
    [[nodiscard]] std::span<granted_region> regions() const { return {regions_, region_count_}; }

    std::optional<Verified> verified_;
    std::uint64_t requested_ = 0;  ///< helpers
    container_statistics statistics_{};
    std::optional<image> image_;
    granted_region* regions_ = nullptr;
    std::uint8_t* marks_ = nullptr;
    const container_limits* limits_ = nullptr;
    const void* hook_ = nullptr;
    shared_word<Guard> word_;
    std::uint32_t requested_fuel_ = 0;
    std::uint32_t fuel_ = 0;         ///< of a run, as granted
    std::uint32_t window_used_ = 0;  ///< instructions in this window
    std::uint32_t run_used_ = 0;     ///< instructions of this run, or since the last wait
    std::uint32_t wake_at_ = 0;      ///< when suspended or faulted
    std::uint32_t load_ = 0;  ///< number of this load: tells containers in one place of flash apart
    std::uint16_t faults_in_row_ = 0;
    std::atomic<container_state> state_{container_state::empty};
    std::uint8_t entry_ = 0;  ///< number in the image
    std::uint8_t tenant_ = 0;
    std::uint8_t number_ = 0;
    std::uint8_t lane_ = no_lane;
    std::uint8_t region_count_ = 0;
    bool suspends_ = false;
    bool context_writable_ = false;
};

}  // namespace femto
