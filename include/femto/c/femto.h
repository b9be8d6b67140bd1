/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * femto for firmware written in C (C99 or later). One C++ file of the firmware says what the device
 * has, and defines these functions:
 *
 *     #include <femto/c/instance.hpp>
 *     #include "my_helpers.h"               // C: int32_t read_adc(uint32_t channel, uint32_t *value);
 *
 *     struct platform {                     // what the firmware gives (see docs/c.md)
 *         using guard = femto::port::cortex_m::critical_section;
 *         femto::store_pool<24, guard> stores;
 *     };
 *     using helpers = femto::join_helpers<
 *         femto::helpers::stores<platform>,
 *         femto::helper_set<femto::helper<0x80, "read_adc", &read_adc>>>;
 *     inline constexpr femto::engine_config config{.lanes = 2};
 *     using femto_instance = femto::c::instance<platform, helpers, config>;
 *     #include <femto/c/functions.inc>
 *
 * Nothing is checked less than in C++: they are the same engine. Who may call what when is the same,
 * too: femto_fire from threads and ISRs, femto_poll from one thread, femto_store_* from both, the rest
 * from one thread or ISR at a time, also while hooks fire.
 */
#ifndef FEMTO_C_FEMTO_H
#define FEMTO_C_FEMTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What went wrong: `code` is 0 or one of enum femto_code; `pc` is the instruction, `address` the
    guest address or the offending value, as the codes say. */
typedef struct femto_error {
    int8_t code;
    uint32_t pc;
    uint64_t address;
} femto_error;

/** Codes that a firmware may want to tell apart; <femto/result.hpp> has all of them, with the same
    numbers, and femto_error_name tells their names. */
enum femto_code {
    FEMTO_OK = 0,
    FEMTO_ILLEGAL_MEMORY = -2,
    FEMTO_ILLEGAL_CALL = -4,
    FEMTO_OUT_OF_FUEL = -8,
    FEMTO_ILLEGAL_WRITE = -21,
    FEMTO_HELPER_FAILED = -22,
    FEMTO_STORE_FULL = -60,         /**< address: the key */
    FEMTO_STORE_QUOTA = -61,        /**< address: the key */
    FEMTO_IMAGE_BAD_MAGIC = -64,
    FEMTO_STORAGE_TOO_SMALL = -70,  /**< address: bytes needed */
    FEMTO_CONTRACT_EXCEEDED = -71,
    FEMTO_WRONG_HOOK = -72,
    FEMTO_HOOK_FULL = -73,
    FEMTO_CONTAINER_BUSY = -74,     /**< a run is going on: ask again */
    FEMTO_TENANT_QUOTA = -75,
    FEMTO_WRONG_STATE = -76,        /**< address: the enum femto_state */
    FEMTO_NO_MACHINE = -77
};

enum femto_state {
    FEMTO_EMPTY, FEMTO_VERIFIED, FEMTO_ATTACHED, FEMTO_RUNNING, FEMTO_SUSPENDED, FEMTO_FAULTED,
    FEMTO_DISABLED
};
enum femto_policy { FEMTO_ALL, FEMTO_STOP_ON_NEGATIVE, FEMTO_STOP_ON_POSITIVE, FEMTO_FIRST_ONLY };
enum femto_permission { FEMTO_NONE = 0, FEMTO_READ = 1, FEMTO_WRITE = 2, FEMTO_READ_WRITE = 3 };
enum femto_store_kind { FEMTO_LOCAL = 1, FEMTO_TENANT = 2, FEMTO_GLOBAL = 3 };
enum femto_fault_action { FEMTO_KEEP, FEMTO_DISABLE, FEMTO_BACK_OFF };

/** No limit of fuel. */
#define FEMTO_NO_LIMIT UINT32_MAX
/** In the place of a helper's number: every helper that the firmware has. */
#define FEMTO_EVERY_HELPER UINT32_MAX

/** The name of a hook (RFC 9562). */
typedef struct femto_uuid {
    uint8_t bytes[16];
} femto_uuid;

/** Firmware memory that a hook offers, under a number that the firmware publishes. */
typedef struct femto_region_offer {
    uint16_t id;
    uint8_t allowed;  /**< enum femto_permission */
    void *bytes;
    size_t size;
} femto_region_offer;

/** What a hook offers to some tenants. Nothing is granted that is not named: fuel 0 is none. */
typedef struct femto_tenant_offer {
    uint32_t tenants;  /**< bit n: tenant n */
    uint32_t fuel;     /**< instructions a run, at most */
    const uint32_t *helpers;
    size_t helper_count;
    const femto_region_offer *regions;
    size_t region_count;
    uint8_t context;   /**< enum femto_permission */
} femto_tenant_offer;

/** What firmware declares for a hook; usually `static const` and so in flash. Used in place. */
typedef struct femto_hook_declaration {
    femto_uuid id;
    uint8_t policy;  /**< enum femto_policy */
    const femto_tenant_offer *offers;
    size_t offer_count;
} femto_hook_declaration;

/** What a tenant may have. Used in place. */
typedef struct femto_tenant_quota {
    uint32_t ram;          /**< bytes of its containers' data and marks */
    uint32_t window_fuel;  /**< instructions in a window, all its containers */
    uint16_t store_entries;
    uint8_t containers;
} femto_tenant_quota;

/** Limits of one container. Used in place. */
typedef struct femto_container_limits {
    uint32_t run_fuel;
    uint32_t window_fuel;
    struct {
        uint8_t action;  /**< enum femto_fault_action */
        uint8_t count;   /**< FEMTO_DISABLE: after so many faults in a row */
        uint16_t delay;  /**< FEMTO_BACK_OFF: units of femto_poll's time, doubled each time */
    } faults;
} femto_container_limits;

/** What a container asks for whose image does not say (`rBPF` images of Femto-Containers). */
typedef struct femto_request {
    uint32_t fuel;
    uint16_t stack;
    uint16_t store_entries;
    bool suspends;
    const uint32_t *helpers;
    size_t helper_count;
} femto_request;

/** What a container did; storage of the firmware for those that it wants to watch. */
typedef struct femto_statistics {
    uint64_t instructions;
    femto_error last_fault;
    uint32_t runs;         /**< that ended, well or with a fault */
    uint32_t longest_run;  /**< instructions */
    uint16_t faults;
    uint16_t missed;       /**< events that came while it waited, backed off, or found no machine */
    uint16_t throttled;    /**< events that came when its window was used up */
    uint16_t stack;        /**< bytes: the deepest chain of calls, as verified */
} femto_statistics;

/** What firing a hook did. */
typedef struct femto_hook_result {
    int64_t value;  /**< as the policy says; 0 if none ran to its end */
    uint8_t ran, suspended, faulted, missed;
} femto_hook_result;

/** Places of a hook: how many containers may hang on it. */
#ifndef FEMTO_HOOK_PLACES
#define FEMTO_HOOK_PLACES 2
#endif

/** Storage of the firmware; what is inside is femto's. */
typedef struct femto_container {
    uint64_t opaque[sizeof(void *) == 4 ? 12 : 20];
} femto_container;
typedef struct femto_hook {
    void *opaque[2 + FEMTO_HOOK_PLACES];
} femto_hook;

/** Makes the engine; before everything else, and once. */
void femto_init(void);
/** Makes storage a container. `watched` must outlive it and may be NULL: its statistics are zeros then. */
void femto_container_init(femto_container *container, femto_statistics *watched);
/** The declaration must outlive the hook. */
void femto_hook_init(femto_hook *hook, const femto_hook_declaration *declaration);
/** The quota must outlive the engine. Not while hooks fire. */
void femto_set_quota(uint8_t tenant, const femto_tenant_quota *quota);

/** Bytes of RAM that a container made of this image needs; 0 if it is no image. */
size_t femto_memory_needed(const void *image, size_t size);
/** Loads and verifies an image, which must stay where it is, at a multiple of 8. `memory` is the
    container's until it is unloaded, at a multiple of 8, too. `limits` may be NULL, and must outlive
    the container otherwise. Errors: those of parse_image, load and verify. */
femto_error femto_load(femto_container *container, uint8_t tenant, const void *image, size_t size,
                       void *memory, size_t memory_size, const femto_container_limits *limits);
/** The same for an `rBPF` image of Femto-Containers; its first function is for any hook. */
femto_error femto_load_rbpf(femto_container *container, uint8_t tenant, const void *image,
                            size_t size, const femto_request *request, void *memory,
                            size_t memory_size, const femto_container_limits *limits);
/** Errors: FEMTO_WRONG_STATE, FEMTO_CONTAINER_BUSY. */
femto_error femto_unload(femto_container *container);

/** Hangs a container on a hook: see engine::attach for the errors. */
femto_error femto_attach(femto_hook *hook, femto_container *container);
/** After FEMTO_OK no run is going on and none will start; FEMTO_CONTAINER_BUSY: call again. */
femto_error femto_detach(femto_hook *hook, femto_container *container);
/** Puts `fresh` into the place of `old` in one step; see engine::replace. */
femto_error femto_replace(femto_hook *hook, femto_container *old, femto_container *fresh);
/** Runs the containers of a hook on `size` bytes of context. */
femto_hook_result femto_fire(femto_hook *hook, void *context, size_t size);
/** To be called now and then: see engine::poll. Returns instructions executed. */
uint32_t femto_poll(uint32_t now, uint32_t budget);

enum femto_state femto_state_of(const femto_container *container);
uint8_t femto_number_of(const femto_container *container);
/** A copy of this moment; any thread or interrupt may ask, also while the container runs. */
femto_statistics femto_statistics_of(const femto_container *container);
/** The code of what ended its last run that did not end by itself, kept without statistics, too. */
int8_t femto_last_fault_of(const femto_container *container);
/** "illegal_memory", and what that means; "" if there is no such code. Up to 8 KiB of text if used. */
const char *femto_error_name(int32_t code);
const char *femto_error_text(int32_t code);

/** The stores, from firmware. `owner`: number of the container or tenant; 0 for the global one. */
uint32_t femto_store_fetch(enum femto_store_kind kind, uint8_t owner, uint32_t key);
/** `payer`: the tenant whose quota counts a new entry. */
femto_error femto_store_set(enum femto_store_kind kind, uint8_t owner, uint8_t payer, uint32_t key,
                            uint32_t value);

/** @name Helpers written in C
 * A C function becomes a helper by its signature: integers, enums and bool are values; `femto_bytes`,
 * `femto_buffer` (two registers: pointer and length), `femto_text` (a string that ends with a zero
 * byte) and pointers to structures or integers are guest memory, whose bounds, permission and, for
 * the latter, alignment are checked before the function runs; `femto_caller *` uses no register.
 */
/**@{*/
typedef struct femto_bytes {
    const uint8_t *data;
    uint32_t size;
} femto_bytes;
typedef struct femto_buffer {
    uint8_t *data;
    uint32_t size;
} femto_buffer;
typedef struct femto_text {
    const char *data;
    uint32_t size;  /**< without the zero byte */
} femto_text;

/** Whose call it is; valid during the call. */
typedef struct femto_caller femto_caller;
/** Takes instructions from the run's fuel, for work that the helper did for it. */
void femto_caller_charge(femto_caller *caller, uint32_t instructions);
/** Suspends the container, when the helper returns, until `time` (that of femto_poll). */
void femto_caller_wait_until(femto_caller *caller, uint32_t time);
/** Ends the run with an error when the helper returns. */
void femto_caller_fail(femto_caller *caller, int32_t code, uint64_t address);
uint8_t femto_caller_tenant(const femto_caller *caller);
uint8_t femto_caller_container(const femto_caller *caller);
/**@}*/

#ifdef __cplusplus
}
#endif

#endif
