// SPDX-License-Identifier: Apache-2.0
// RAM of containers on a 32-bit core, as facts that the compiler checks. Compile for a device:
//   arm-none-eabi-g++ -std=c++20 -O2 -mcpu=cortex-m4 -mthumb -fno-rtti -fno-exceptions -Iinclude
//     -c tests/size/containers.cpp && arm-none-eabi-nm -S --size-sort containers.o | grep " B "
#include <femto/engine.hpp>
#include <femto/helpers/store.hpp>

namespace size_test {

struct masked {  // what a port's critical section is to the compiler
    masked() { asm volatile("" ::: "memory"); }
    ~masked() { asm volatile("" ::: "memory"); }
};
struct platform {
    using guard = masked;
    femto::store_pool<24, guard> stores;
};
/// The device of the papers: three containers of two tenants, one of which waits.
constexpr femto::engine_config paper{.lanes = 1, .sleepers = 1, .containers = 3, .tenants = 2};
using helpers = femto::helpers::stores<platform>;
using engine = femto::engine<platform, helpers, paper>;

}  // namespace size_test
using namespace size_test;

struct paper_device {
    platform p;
    engine e{p};
    engine::container containers[3];
    std::uint8_t marks[3][64];   // a byte for each slot of text
    std::byte data[28];          // of the moving average
};

paper_device ram_in_all;
platform ram_stores;
engine::container ram_container;
femto::engine<platform, helpers, femto::engine_config{.lanes = 1, .sleepers = 0, .containers = 3}>
    ram_engine_one_lane{ram_stores};

static_assert(sizeof(void*) != 4 || sizeof(paper_device) <= 3276, "the papers' 3.2 KiB");
