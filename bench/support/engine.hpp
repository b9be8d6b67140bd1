// SPDX-License-Identifier: Apache-2.0
// The six machines that programs are compared on, behind one interface, so that each is compiled
// once.
#pragma once

#include <femto/vm.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

class engine {
public:
    engine() = default;
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    virtual ~engine() = default;
    /// Verifies `p`, which must outlive the runs, and chooses the function to run, the first one if
    /// `function` is empty.
    [[nodiscard]] virtual femto::result<void> load(const femto::program& p,
                                                   std::string_view function) = 0;
    [[nodiscard]] virtual femto::result<std::uint64_t> run(std::span<std::byte> context,
                                                           std::uint32_t fuel) = 0;
    [[nodiscard]] virtual femto::result<std::uint64_t> resume(std::uint32_t fuel) = 0;
    [[nodiscard]] virtual std::uint32_t executed() const = 0;
    [[nodiscard]] virtual femto::address_space space() const = 0;
    /// Grants the guest a further region; its address.
    [[nodiscard]] virtual std::uint64_t map(std::span<std::byte> bytes) = 0;
};

std::unique_ptr<engine> make_compact_segmented();
std::unique_ptr<engine> make_compact_flat();
std::unique_ptr<engine> make_threaded_segmented();
std::unique_ptr<engine> make_threaded_flat();
std::unique_ptr<engine> make_prepared_segmented();  // threaded, with code made ahead
std::unique_ptr<engine> make_prepared_flat();

struct engine_kind {
    const char* name;
    std::unique_ptr<engine> (*make)();
};
inline constexpr engine_kind engines[]{{"compact/segmented", &make_compact_segmented},
                                       {"compact/flat", &make_compact_flat},
                                       {"threaded/segmented", &make_threaded_segmented},
                                       {"threaded/flat", &make_threaded_flat},
                                       {"prepared/segmented", &make_prepared_segmented},
                                       {"prepared/flat", &make_prepared_flat}};

}  // namespace bench
