// SPDX-License-Identifier: Apache-2.0
// How many containers fit in 64 KiB of RAM, machines, stores, hooks and all: as many as were loaded, attached
// and run here. An engine numbers at most 255, so there are two.
#include "../unit/catch.hpp"
#include "threads.hpp"

#include <femto/container_storage.hpp>
#include <femto/engine.hpp>
#include <femto/helpers/store.hpp>

#include "thread_counter.h"

#include <new>

using namespace femto;

namespace {

constexpr std::size_t ram_size = 64 * 1024;
alignas(8) std::byte ram[ram_size];
std::size_t used = 0;

/// The next `size` bytes, or nullptr if they are not there.
void* take(std::size_t size) {
    size = (size + 7) & ~std::size_t{7};
    if (size > ram_size - used) return nullptr;
    used += size;
    return ram + used - size;
}

struct thread_switch {
    std::uint64_t previous, next;
};
struct small_platform {
    using guard = threads::critical_section;
    store_pool<4, guard> stores;
};
using helper_list = helpers::stores<small_platform>;
constexpr std::uint32_t counting[]{0x11, 0x13};
constexpr tenant_offer offers[]{{.helpers = counting}};
constexpr hook_declaration on_switch{small_uuid(1), hook_policy::all, offers};

struct bank {
    using engine_type = femto::engine<small_platform, helper_list,
                               engine_config{.lanes = 1, .sleepers = 0, .containers = 255, .tenants = 1}>;
    small_platform platform;
    engine_type e{platform};
    engine_type::hook<thread_switch, 255> places{on_switch};
    std::uint32_t count = 0;

    /// One more container; false if the RAM or the engine is full.
    bool add() {
        using container = engine_type::container;
        const auto image = parse_image(std::as_bytes(std::span{thread_counter_image}));
        const auto needs = needs_of(*image);
        const std::size_t before = used;
        void* const control = take(sizeof(container));
        void* const memory = take(needs.size());
        if (control == nullptr || memory == nullptr || count == 255) {
            used = before;
            return false;
        }
        auto* const c = ::new (control) container;
        const auto storage = divide(needs, {static_cast<std::byte*>(memory), needs.size()});
        if (!storage || !e.load(*c, 0, *image, *storage) || !e.attach(places, *c)) return false;
        ++count;
        return true;
    }
};

}  // namespace

TEST_CASE("density: containers in 64 KiB") {
    std::uint32_t total = 0;
    for (int n = 0; n < 2; ++n) {
        void* const place = take(sizeof(bank));
        REQUIRE(place != nullptr);
        auto* const b = ::new (place) bank;
        while (b->add()) {}
        thread_switch s{1, 7};
        CHECK(b->e.fire(b->places, s).ran == b->count);
        CHECK(b->platform.stores.fetch({}, 7) == b->count);  // each one counted
        total += b->count;
    }
    CHECK(total >= (sizeof(void*) == 4 ? 500u : 250u));
#if defined(FEMTO_TARGET_TEST)
    femto_check::print("cost: containers in 64 KiB of RAM ");
    femto_check::print_number(total);
    femto_check::print(", bytes used ");
    femto_check::print_number(used);
    femto_check::print("\n");
#endif
}
