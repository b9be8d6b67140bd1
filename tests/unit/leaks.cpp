// SPDX-License-Identifier: Apache-2.0
// In the segmented space no host address is visible to a guest: every register, every byte that it can
// read and every helper's result is looked through for a value that is an address of this process.
#include "catch.hpp"
#include "device.hpp"

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace femto;
using namespace test;

namespace {

/// The addresses that this process has, apart from the sanitizers' terabytes of shadow.
std::vector<std::pair<std::uint64_t, std::uint64_t>> mappings() {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> found;
    std::FILE* file = std::fopen("/proc/self/maps", "r");
    REQUIRE(file != nullptr);
    char line[512];
    while (std::fgets(line, sizeof line, file) != nullptr) {
        std::uint64_t from = 0, to = 0;
        char readable = 0;
        if (std::sscanf(line, "%" SCNx64 "-%" SCNx64 " %c", &from, &to, &readable) == 3 &&
            readable == 'r' && to - from < std::uint64_t{1} << 36) {
            found.emplace_back(from, to);
        }
    }
    std::fclose(file);
    return found;
}
bool is_host_address(std::uint64_t value) {
    static const auto found = mappings();
    return std::ranges::any_of(found, [&](const auto& m) { return value >= m.first && value < m.second; });
}

/// Host addresses among the values that begin at any of `bytes`.
std::size_t addresses_in(std::span<const std::byte> bytes) {
    std::size_t count = 0;
    for (std::size_t n = 0; n + 8 <= bytes.size(); ++n) {
        std::uint64_t value = 0;
        std::memcpy(&value, bytes.data() + n, 8);
        count += is_host_address(value) ? 1 : 0;
    }
    return count;
}

template <config Config>
struct scanned {
    using machine = vm<Config, device_helpers>;

    explicit scanned(const std::vector<instruction>& body) {
        // body, then r0 to r9 into the stack, so that the guest itself has seen them.
        std::vector<instruction> text = body;
        for (unsigned r = 0; r < 10; ++r) {
            text.push_back(op(0x7b, 10, r, -8 * static_cast<int>(r + 1)));
        }
        text.push_back(op(0x18, 6, 2, 0, 1));  // addresses that a program may ask for
        text.push_back(op(0));
        text.push_back(op(0x18, 7, 2, 0, 0));
        text.push_back(op(0));
        text.push_back(op(0x18, 8, 4, 0, -1 - static_cast<int>(text.size())));
        text.push_back(op(0));
        text.push_back(op(0x7b, 10, 6, -88));
        text.push_back(op(0x7b, 10, 7, -96));
        text.push_back(op(0x7b, 10, 8, -104));
        text.push_back(leave);
        loaded<machine> program{text, rodata, data};
        const auto verified = program.verify();
        REQUIRE(verified.has_value());
        environment<device_platform> around{.platform = &platform, .tenant = 1};
        m.set_host(around);
        REQUIRE(m.map(mapped, permission::read_write).has_value());
        auto r = m.run(*verified, verified->entry(), std::span{context}, 1000);
        look(r);
        if (!r && r.error().code == errc::suspended) look(m.resume(*verified, 1000));
    }

    void look(const result<std::uint64_t>& r) {
        for (const auto value : m.state().r) found += is_host_address(value) ? 1 : 0;
        found += is_host_address(r ? *r : r.error().address) ? 1 : 0;
        for (const std::uint32_t n : {region_number::stack, region_number::context,
                                      region_number::rodata, region_number::data,
                                      region_number::first_free}) {
            const auto at = m.memory().address_of(n);
            const std::uint32_t size = m.memory().readable(n);
            found += addresses_in({m.memory().template find<false>(at, size), size});
        }
    }

    device_platform platform;
    machine m;
    std::vector<std::byte> context = std::vector<std::byte>(64), data = std::vector<std::byte>(40),
                           mapped = std::vector<std::byte>(40), rodata = std::vector<std::byte>(16, std::byte{'a'});
    std::size_t found = 0;
};

constexpr config machine_config{.stack_size = 256, .max_regions = 7};
template <address_space Space, dispatch Dispatch = dispatch::threaded>
constexpr config with = [] {
    config c = machine_config;
    c.address_space = Space;
    c.dispatch = Dispatch;
    return c;
}();

}  // namespace

TEST_CASE("leaks: the scan finds addresses where there are some") {
    CHECK(is_host_address(reinterpret_cast<std::uintptr_t>(&is_host_address)));
    int local = 0;
    CHECK(is_host_address(reinterpret_cast<std::uintptr_t>(&local)));
    CHECK(!is_host_address(segmented_address(1)));
    CHECK(!is_host_address(segmented_address(6, 100)));
    // In the flat space they are what a program computes with.
    CHECK(scanned<with<address_space::flat>>{{}}.found > 5);
}

TEST_CASE("leaks: no host address at entry, in what a program may load, or in what it leaves") {
    CHECK(scanned<with<address_space::segmented>>{{}}.found == 0);
    CHECK(scanned<with<address_space::segmented, dispatch::compact>>{{}}.found == 0);
}

TEST_CASE("leaks: no helper's result, or what it writes, has a host address") {
    // Arguments as helpers want them: numbers, a pointer first, a pointer second, both, a third.
    const auto pointer = [](unsigned r, int offset) {
        return std::vector{op(0xbf, r, 1), op(0x07, r, 0, 0, offset)};
    };
    std::size_t called = 0;
    for (const auto& helper : device_helpers::prototypes) {
        for (int form = 0; form < 32; ++form) {
            std::vector<instruction> text;
            for (unsigned r = 5; r >= 1; --r) {
                const bool is_pointer = (form >> (r - 1) & 1) != 0;
                const auto one = is_pointer ? pointer(r, static_cast<int>(r) * 8 - 8)
                                            : std::vector{set(r, static_cast<std::int32_t>(r))};
                text.insert(text.end(), one.begin(), one.end());
            }
            text.push_back(call(static_cast<std::int32_t>(helper.id)));
            INFO(helper.name << " with arguments " << form);
            const scanned<with<address_space::segmented>> s{text};
            CHECK(s.found == 0);
            ++called;
        }
    }
    CHECK(called == device_helpers::prototypes.size() * 32);
}
