// SPDX-License-Identifier: Apache-2.0
// An archetype of each concept of a port, which has what the concept asks and no more; the null port;
// the host's.
#include "catch.hpp"

#include "../../ports/host/femto_port.hpp"

#include <array>

using namespace femto::port;

namespace {

struct counter_archetype {
    using ticks = std::uint32_t;
    ticks now() const noexcept { return 1; }
    std::uint32_t frequency() const noexcept { return 0; }
    bool counts() const noexcept { return false; }
};
static_assert(cycle_counter<counter_archetype>);

struct narrow_counter : counter_archetype {
    using ticks = std::uint16_t;
    ticks now() const noexcept { return 1; }
};
static_assert(!cycle_counter<narrow_counter>, "16 bits are too few");

struct section_archetype {
    section_archetype() = default;
    section_archetype(const section_archetype&) = delete;
    section_archetype& operator=(const section_archetype&) = delete;
};
static_assert(critical_section<section_archetype>);
static_assert(!critical_section<int>, "a copy would restore twice");

struct guard_archetype {
    explicit guard_archetype(std::span<const guarded>) {}
    guard_archetype(const guard_archetype&) = delete;
    guard_archetype& operator=(const guard_archetype&) = delete;
    guard_status status() const noexcept { return guard_status::absent; }
    static guard_limits limits() noexcept { return {}; }
};
static_assert(memory_guard<guard_archetype>);
static_assert(!memory_guard<section_archetype>);

}  // namespace

TEST_CASE("port: the null port promises nothing") {
    CHECK(!null_cycle_counter{}.counts());
    const guarded some[]{{nullptr, 1, access::read}};
    CHECK(null_memory_guard{some}.status() == guard_status::absent);
    CHECK(null_memory_guard{{}}.status() == guard_status::active);
}

TEST_CASE("port: the host's clock goes on, and its critical section nests") {
    const host::cycle_counter clock;
    CHECK(clock.counts());
    const auto before = clock.now();
    host::critical_section outer;
    { host::critical_section inner; }
    CHECK(clock.now() >= before);
}

TEST_CASE("port: the host's guard denies writes, refuses odd pieces and restores") {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    auto* const memory = static_cast<char*>(
        ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    {
        const guarded odd[]{{memory + 1, page, access::read}};
        CHECK(host::memory_guard{odd}.status() == guard_status::misaligned);
        const guarded nowhere[]{{nullptr, page, access::read}};
        CHECK(host::memory_guard{nowhere}.status() == guard_status::unsupported);
        const guarded all[]{{memory, page, access::read}};
        const host::memory_guard guard{all};
        REQUIRE(guard.status() == guard_status::active);
        // The kernel refuses to write there, which tells without a signal.
        REQUIRE(::write(ends[1], "x", 1) == 1);
        CHECK(::read(ends[0], memory, 1) == -1);
    }
    CHECK(::read(ends[0], memory, 1) == 1);
    CHECK(memory[0] == 'x');
    ::close(ends[0]);
    ::close(ends[1]);
    ::munmap(memory, page);
}
