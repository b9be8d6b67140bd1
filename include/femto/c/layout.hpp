// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/c/femto.h>
#include <femto/hook.hpp>
#include <femto/store.hpp>
#include <femto/tenant.hpp>

#include <cstddef>

// The tables that C firmware declares are read in place as what C++ firmware would declare: the
// compiler checks here that they are the same bytes.
namespace femto::c {

#define FEMTO_SAME(c_type, c_member, cpp_type, cpp_member)                                  \
    static_assert(offsetof(c_type, c_member) == offsetof(cpp_type, cpp_member) &&           \
                      sizeof(c_type::c_member) <= sizeof(cpp_type::cpp_member),             \
                  "femto.h and its C++ twin differ in " #c_member)
#define FEMTO_SAME_TYPE(c_type, cpp_type)                                                   \
    static_assert(sizeof(c_type) == sizeof(cpp_type) && alignof(c_type) == alignof(cpp_type), \
                  "femto.h and its C++ twin differ in " #c_type)

static_assert(sizeof(plain_span<const int>) == 2 * sizeof(void*) &&
              offsetof(plain_span<const int>, count) == sizeof(void*));
FEMTO_SAME_TYPE(femto_uuid, uuid);
FEMTO_SAME_TYPE(femto_region_offer, region_offer);
FEMTO_SAME(femto_region_offer, id, region_offer, id);
FEMTO_SAME(femto_region_offer, allowed, region_offer, allowed);
FEMTO_SAME(femto_region_offer, bytes, region_offer, bytes);
FEMTO_SAME_TYPE(femto_tenant_offer, tenant_offer);
FEMTO_SAME(femto_tenant_offer, tenants, tenant_offer, tenants);
FEMTO_SAME(femto_tenant_offer, fuel, tenant_offer, fuel);
FEMTO_SAME(femto_tenant_offer, helpers, tenant_offer, helpers);
FEMTO_SAME(femto_tenant_offer, regions, tenant_offer, regions);
FEMTO_SAME(femto_tenant_offer, context, tenant_offer, context);
FEMTO_SAME_TYPE(femto_hook_declaration, hook_declaration);
FEMTO_SAME(femto_hook_declaration, id, hook_declaration, id);
FEMTO_SAME(femto_hook_declaration, policy, hook_declaration, policy);
FEMTO_SAME(femto_hook_declaration, offers, hook_declaration, offers);
FEMTO_SAME_TYPE(femto_tenant_quota, tenant_quota);
FEMTO_SAME(femto_tenant_quota, ram, tenant_quota, ram);
FEMTO_SAME(femto_tenant_quota, window_fuel, tenant_quota, window_fuel);
FEMTO_SAME(femto_tenant_quota, store_entries, tenant_quota, store_entries);
FEMTO_SAME(femto_tenant_quota, containers, tenant_quota, containers);
FEMTO_SAME_TYPE(femto_container_limits, container_limits);
FEMTO_SAME(femto_container_limits, run_fuel, container_limits, run_fuel);
FEMTO_SAME(femto_container_limits, window_fuel, container_limits, window_fuel);
FEMTO_SAME(femto_container_limits, faults, container_limits, faults);
FEMTO_SAME_TYPE(decltype(femto_container_limits::faults), fault_policy);
FEMTO_SAME_TYPE(femto_error, error);
FEMTO_SAME(femto_error, code, error, code);
FEMTO_SAME(femto_error, pc, error, pc);
FEMTO_SAME(femto_error, address, error, address);
FEMTO_SAME_TYPE(femto_statistics, container_statistics);
FEMTO_SAME(femto_statistics, instructions, container_statistics, instructions);
FEMTO_SAME(femto_statistics, last_fault, container_statistics, last_fault);
FEMTO_SAME(femto_statistics, runs, container_statistics, runs);
FEMTO_SAME(femto_statistics, longest_run, container_statistics, longest_run);
FEMTO_SAME(femto_statistics, faults, container_statistics, faults);
FEMTO_SAME(femto_statistics, missed, container_statistics, missed);
FEMTO_SAME(femto_statistics, throttled, container_statistics, throttled);
FEMTO_SAME(femto_statistics, stack, container_statistics, stack);
#undef FEMTO_SAME
#undef FEMTO_SAME_TYPE

constexpr bool same_numbers(auto c, auto cpp) {
    return static_cast<int>(c) == static_cast<int>(cpp);
}
static_assert(same_numbers(FEMTO_ILLEGAL_MEMORY, errc::illegal_memory) &&
              same_numbers(FEMTO_ILLEGAL_CALL, errc::illegal_call) &&
              same_numbers(FEMTO_OUT_OF_FUEL, errc::out_of_fuel) &&
              same_numbers(FEMTO_ILLEGAL_WRITE, errc::illegal_write) &&
              same_numbers(FEMTO_HELPER_FAILED, errc::helper_failed) &&
              same_numbers(FEMTO_STORE_FULL, errc::store_full) &&
              same_numbers(FEMTO_STORE_QUOTA, errc::store_quota) &&
              same_numbers(FEMTO_IMAGE_BAD_MAGIC, errc::image_bad_magic) &&
              same_numbers(FEMTO_STORAGE_TOO_SMALL, errc::storage_too_small) &&
              same_numbers(FEMTO_CONTRACT_EXCEEDED, errc::contract_exceeded) &&
              same_numbers(FEMTO_WRONG_HOOK, errc::wrong_hook) &&
              same_numbers(FEMTO_HOOK_FULL, errc::hook_full) &&
              same_numbers(FEMTO_CONTAINER_BUSY, errc::container_busy) &&
              same_numbers(FEMTO_TENANT_QUOTA, errc::tenant_quota) &&
              same_numbers(FEMTO_WRONG_STATE, errc::wrong_state) &&
              same_numbers(FEMTO_NO_MACHINE, errc::no_machine));
static_assert(same_numbers(FEMTO_DISABLED, container_state::disabled) &&
              same_numbers(FEMTO_VERIFIED, container_state::verified) &&
              same_numbers(FEMTO_SUSPENDED, container_state::suspended) &&
              same_numbers(FEMTO_FIRST_ONLY, hook_policy::first_only) &&
              same_numbers(FEMTO_STOP_ON_NEGATIVE, hook_policy::stop_on_negative) &&
              same_numbers(FEMTO_READ_WRITE, permission::read_write) &&
              same_numbers(FEMTO_GLOBAL, store_kind::global) &&
              same_numbers(FEMTO_LOCAL, store_kind::local) &&
              same_numbers(FEMTO_BACK_OFF, fault_policy::action::back_off));
static_assert(FEMTO_EVERY_HELPER == every_helper[0]);

}  // namespace femto::c
