// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/container_storage.hpp>
#include <femto/critical_section.hpp>
#include <femto/image.hpp>
#include <femto/statistics.hpp>
#include <femto/verifier.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
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

/// No limit of fuel.
inline constexpr std::uint32_t unlimited = 0xffffffff;

/// Limits of one container; may lie in flash. 12 bytes.
struct container_limits {
    std::uint32_t run_fuel = unlimited;     ///< instructions a run, or from one wake-up to the next wait
    std::uint32_t window_fuel = unlimited;  ///< instructions in a window
    fault_policy faults{};
};

/// The control block of a container: 96 bytes on a 32-bit core. Does nothing by itself: an `engine`
/// loads, attaches and runs it.
/// Not copyable: hooks point to it, and its memory must stay a container as long as a hook that it hung
/// on may fire (it may be loaded again). `state`, `statistics` and `last_fault` may be read from any
/// thread or ISR at any time, and are those of that moment; the rest from where containers are loaded.
template <class Verified, critical_section Guard>
class container {
public:
    constexpr container() {}
    /// Counts what it does in `kept`, which must live as long.
    constexpr explicit container(container_statistics& kept) : statistics_{kept} {}
    container(const container&) = delete;
    container& operator=(const container&) = delete;

    [[nodiscard]] container_state state() const { return state_.load(std::memory_order_acquire); }
    /// A copy, made inside `Guard` (40 bytes are copied in it), in which no counter is half written. Zeros
    /// if it was given no place to count.
    [[nodiscard]] container_statistics statistics() const { return statistics_.snapshot(); }
    /// What ended the last run that did not end by itself; ok if there was none since load.
    [[nodiscard]] errc last_fault() const { return last_fault_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint8_t tenant() const { return tenant_; }
    /// Its number, that of its local store.
    [[nodiscard]] std::uint8_t number() const { return number_; }
    /// Helpers granted, as bits of the helper set; 0 before load.
    [[nodiscard]] std::uint64_t granted() const { return loaded() ? verified_.granted() : 0; }

private:
    template <class, class, auto>
    friend class engine;
    template <class, class, auto>
    friend class runner;
    template <class, class, auto>
    friend class lane_pool;

    // Whoever gets the 1 owns everything below. A flag and no queue: nobody ever waits for it inside
    // an ISR.
    bool enter() { return held_.exchange(1) == 0; }
    /// The same for firing, which has nothing to show to others.
    bool enter_to_run() { return held_.try_set(); }
    void leave() { held_.store(0); }

    /// Whether its runs are accounted for.
    [[nodiscard]] bool watched() const { return suspends_ || windowed_ || counted_; }
    [[nodiscard]] bool loaded() const { return state() != container_state::empty; }
    [[nodiscard]] bool from_image() const { return from_image_; }
    [[nodiscard]] femto::image image() const { return femto::image::known(source_.image); }
    [[nodiscard]] std::span<granted_region> regions() const {
        return {regions_, from_image() ? image().regions() : 0};
    }

    union {
        Verified verified_;  ///< unless it is empty
    };
    union {
        const std::byte* image;
        const program_request* request;  ///< of a program without an image
    } source_{nullptr};
    statistics_account<Guard> statistics_;
    granted_region* regions_ = nullptr;
    const container_limits* limits_ = nullptr;
    const void* hook_ = nullptr;
    shared_word<Guard> held_;
    std::uint32_t fuel_ = 0;         ///< of a run, as granted
    std::uint32_t window_used_ = 0;  ///< instructions in this window
    std::uint32_t wake_at_ = 0;      ///< when suspended or faulted
    std::atomic<container_state> state_{container_state::empty};
    std::uint8_t faults_in_row_ = 0;
    std::uint16_t window_ = 0;  ///< the window that `window_used_` counts in
    std::atomic<errc> last_fault_{errc::ok};
    std::uint8_t entry_ = 0;  ///< number in the image
    std::uint8_t tenant_ = 0;
    std::uint8_t number_ = 0;
    std::uint8_t lane_ = 0;  ///< while it is suspended
    permission context_ = permission::none;
    // One byte that a run looks at: of those for whom none of these is set, nothing more.
    std::uint8_t suspends_ : 1 = 0;
    std::uint8_t windowed_ : 1 = 0;  ///< it or its tenant has a limit in a window, or it has no fuel
    std::uint8_t counted_ : 1 = 0;   ///< `statistics_` has a place
    std::uint8_t from_image_ : 1 = 0;
};

}  // namespace femto
