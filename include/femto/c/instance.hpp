// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/c/arguments.hpp>
#include <femto/c/layout.hpp>
#include <femto/container_storage.hpp>
#include <femto/describe.hpp>
#include <femto/engine.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace femto::c {

/// What the functions of femto.h do, for one platform, set of helpers and configuration. Stateless: a
/// firmware makes one `state`, which functions.inc does.
template <class Platform, class Helpers, auto Config = engine_config{}>
struct instance {
    using engine = femto::engine<Platform, Helpers, Config>;
    using container = typename engine::container;
    using hook = typename engine::template hook<std::span<std::byte>, FEMTO_HOOK_PLACES>;
    static_assert(sizeof(container) <= sizeof(femto_container) && alignof(container) <= 8);
    static_assert(sizeof(hook) <= sizeof(femto_hook) && alignof(hook) <= alignof(femto_hook));

    struct state {
        Platform platform{};
        femto::engine<Platform, Helpers, Config> engine{platform};
    };

    static container& of(femto_container* c) { return *reinterpret_cast<container*>(c); }
    static const container& of(const femto_container* c) {
        return *reinterpret_cast<const container*>(c);
    }
    static hook& of(femto_hook* h) { return *reinterpret_cast<hook*>(h); }
    static const hook_declaration& of(const femto_hook_declaration* d) {
        return *reinterpret_cast<const hook_declaration*>(d);  // layout.hpp
    }
    static const tenant_quota& of(const femto_tenant_quota* q) {
        return *reinterpret_cast<const tenant_quota*>(q);
    }
    static const container_limits& of(const femto_container_limits* l) {
        return l == nullptr ? engine::no_limits : *reinterpret_cast<const container_limits*>(l);
    }
    static caller& of(femto_caller* c) { return *reinterpret_cast<caller*>(c); }
    static environment<Platform>* host_of(const femto_caller* c) {
        return reinterpret_cast<const caller*>(c)->host<environment<Platform>>();
    }

    static femto_error code_of(const error& e) {
        return {static_cast<std::int8_t>(e.code), e.pc, e.address};
    }
    static femto_error code_of(const result<void>& r) {
        return r ? femto_error{} : code_of(r.error());
    }
    static std::span<const std::byte> bytes_of(const void* data, std::size_t size) {
        return {static_cast<const std::byte*>(data), size};
    }
    static std::span<std::byte> bytes_of(void* data, std::size_t size) {
        return {static_cast<std::byte*>(data), size};
    }

    static std::size_t memory_needed(std::span<const std::byte> image) {
        if (is_rbpf_image(image)) {
            const auto needs = needs_of_rbpf(image);
            return needs ? needs->size() : 0;
        }
        const auto parsed = parse_image(image);
        return parsed ? needs_of(*parsed).size() : 0;
    }

    static femto_error load(engine& e, container& c, std::uint8_t tenant,
                            std::span<const std::byte> image, std::span<std::byte> memory,
                            const container_limits& limits) {
        if (const auto s = c.state(); s != container_state::empty) return wrong_state(s);
        const auto parsed = parse_image(image);
        if (!parsed) return code_of(parsed.error());
        const auto storage = divide(needs_of(*parsed), memory);
        if (!storage) return code_of(storage.error());
        return code_of(e.load(c, tenant, *parsed, *storage, limits));
    }

    static femto_error load_rbpf(engine& e, container& c, std::uint8_t tenant,
                                 std::span<const std::byte> image, const femto_request& request,
                                 std::span<std::byte> memory, const container_limits& limits) {
        if (const auto s = c.state(); s != container_state::empty) return wrong_state(s);
        const auto needs = needs_of_rbpf(image);
        if (!needs) return code_of(needs.error());
        const auto storage = divide(*needs, memory);
        if (!storage) return code_of(storage.error());
        const auto program = femto::load_rbpf(image, storage->program);
        if (!program) return code_of(program.error());
        auto& asked = storage->request.front();
        asked = {{request.fuel, request.stack, request.store_entries, request.suspends},
                 engine::helper_bits({request.helpers, request.helper_count})};
        return code_of(e.load(c, tenant, *program, asked, *storage, limits));
    }

    static femto_hook_result result_of(const hook_result& r) {
        return {r.value, r.ran, r.suspended, r.faulted, r.missed};
    }

private:
    static femto_error wrong_state(container_state s) {
        return code_of(error{errc::wrong_state, 0, static_cast<std::uint64_t>(s)});
    }
};

}  // namespace femto::c
