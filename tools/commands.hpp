// SPDX-License-Identifier: Apache-2.0
// The subcommands of `femto`. Each returns an exit status: 0 done, 1 the container was refused or
// faulted; what the user got wrong is thrown as user_error and becomes 2.
#pragma once

#include <femto/vm.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace femto_tool {

/// What containers are verified against: the defaults of a device, with more regions for --region.
inline constexpr femto::config host_config{.max_regions = 16, .max_region_size = 0x7fffffff};

struct build_options {
    std::vector<std::string> sources;
    std::string output;
    std::string cpu = "v3";
    std::string compiler;
    std::vector<std::string> extra;
};
int build(const build_options& o);

/// What `femto pack` is told; what is not said comes from the source (FEMTO_HOOK, FEMTO_REQUEST) or from
/// the object itself.
struct pack_options {
    std::string path;
    std::string output;
    std::vector<std::string> hooks;    ///< HOOK, or FUNCTION=HOOK
    std::vector<std::string> regions;  ///< NUMBER:r, :w or :rw
    std::vector<std::uint32_t> helpers;
    std::optional<std::uint32_t> fuel, stack, stores;
    bool suspends = false;
    std::string c_array;
};
int pack(const pack_options& o);
/// The image that `pack` writes; empty if the object was refused, which has been printed then. Throws
/// user_error.
std::optional<std::vector<std::byte>> image_of_object(const pack_options& o);

int inspect(const std::string& path, bool disassembly);
int verify(const std::string& path);

struct run_options {
    std::string path;
    std::string function;
    std::string context;
    std::vector<std::string> regions;
    std::uint32_t fuel = 1'000'000;
    bool trace = false;
    bool json = false;
    femto::dispatch dispatch = femto::dispatch::threaded;
    femto::address_space address_space = femto::address_space::segmented;
};
int run(const run_options& o);

struct plugin_options {
    std::string memory;
    std::string program;
    femto::dispatch dispatch = femto::dispatch::threaded;
    bool prepared = false;  ///< threaded, with prepared code
    femto::address_space address_space = femto::address_space::segmented;
};
int conformance_plugin(const plugin_options& o);

/// Calls `f` with the configuration, `base` with dispatcher and address space as given.
template <femto::config Base, class F>
int with_config(femto::dispatch d, femto::address_space a, F&& f) {
    const auto call = [&]<femto::dispatch D, femto::address_space A>() {
        constexpr femto::config c = [] {
            femto::config changed = Base;
            changed.dispatch = D;
            changed.address_space = A;
            return changed;
        }();
        return f(std::integral_constant<femto::config, c>{});
    };
    using enum femto::dispatch;
    using enum femto::address_space;
    if (d == compact) {
        return a == flat ? call.template operator()<compact, flat>()
                         : call.template operator()<compact, segmented>();
    }
    return a == flat ? call.template operator()<threaded, flat>()
                     : call.template operator()<threaded, segmented>();
}

/// Bytes written as hexadecimal digits, with or without spaces and 0x. Throws user_error, which names
/// `what`.
std::vector<std::byte> parse_hex(const std::string& text, const std::string& what);

}  // namespace femto_tool
