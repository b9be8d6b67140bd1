/* SPDX-License-Identifier: Apache-2.0 */
#include "application.h"

#include "containers/counter_image.h"
#include "containers/intruder_image.h"

#include <femto/c/femto.h>
#include <stdio.h>

#define THREADS 16

/* The hook in the scheduler, what it offers to whom, and what tenants may have. All in flash. */
static const uint32_t store_helpers[] = {0x11, 0x13};  /* store_global, fetch_global */
static const femto_tenant_offer offers[] = {
    {.tenants = 1 << 0, .fuel = 200, .helpers = store_helpers, .helper_count = 2,
     .context = FEMTO_READ},
    {.tenants = 1 << 1, .fuel = 50, .context = FEMTO_READ},
};
static const femto_hook_declaration on_switch = {
    .id = {{0x5c, 0x8e, 0xd0, 0x01, 0x7a, 0x10, 0x4b, 0x7e, 0x9f, 0x3a, 0x0d, 0x5c, 0x2f, 0x6e,
             0x1a, 0x01}}, .policy = FEMTO_ALL, .offers = offers, .offer_count = 2};
static const femto_tenant_quota quota = {
    .ram = 256, .window_fuel = UINT32_MAX, .store_entries = THREADS, .containers = 1};
static const femto_container_limits three_faults = {
    .run_fuel = FEMTO_NO_LIMIT, .window_fuel = FEMTO_NO_LIMIT,
    .faults = {.action = FEMTO_DISABLE, .count = 3}};

static femto_hook scheduler;
static femto_container counter, intruder;
static femto_statistics counted, intruded;
/* What the two need: a byte for each instruction, and where their functions begin. */
static uint64_t counter_memory[8], intruder_memory[8];

static void complain(const char *what, femto_error error) {
    if (error.code != FEMTO_OK) {
        printf("%s: %s at instruction %lu\n", what, femto_error_name(error.code),
               (unsigned long)error.pc);
    }
}

void application_start(void) {
    femto_init();
    femto_hook_init(&scheduler, &on_switch);
    for (uint8_t tenant = 0; tenant < 2; ++tenant) femto_set_quota(tenant, &quota);
    femto_container_init(&counter, &counted);
    femto_container_init(&intruder, &intruded);
    complain("load counter", femto_load(&counter, 0, counter_image, counter_image_size,
                                        counter_memory, sizeof counter_memory, NULL));
    complain("load intruder", femto_load(&intruder, 1, intruder_image, intruder_image_size,
                                         intruder_memory, sizeof intruder_memory, &three_faults));
    complain("attach counter", femto_attach(&scheduler, &counter));
    complain("attach intruder", femto_attach(&scheduler, &intruder));
}

void application_switched(uint32_t previous, uint32_t next) {
    struct {
        uint64_t previous, next;
    } event = {previous, next};
    femto_fire(&scheduler, &event, sizeof event);
}

int application_report(void) {
    uint32_t switches = 0;
    for (uint32_t thread = 0; thread < THREADS; ++thread) {
        const uint32_t count = femto_store_fetch(FEMTO_GLOBAL, 0, thread);
        if (count == 0) continue;
        printf("thread %2lu was switched to %lu times\n", (unsigned long)thread,
               (unsigned long)count);
        switches += count;
    }
    printf("counter:  %lu runs, %lu faults, %lu instructions in the longest run\n",
           (unsigned long)counted.runs, (unsigned long)counted.faults, (unsigned long)counted.longest_run);
    printf("intruder: %lu faults, the last: %s at instruction %lu, address 0x%lx\n",
           (unsigned long)intruded.faults, femto_error_name(intruded.last_fault.code),
           (unsigned long)intruded.last_fault.pc, (unsigned long)intruded.last_fault.address);
    const int right = switches > 0 && counted.faults == 0 && intruded.faults == 3 &&
                      femto_state_of(&intruder) == FEMTO_DISABLED;
    printf("%s\n", right ? "the intruder is disabled, the counter goes on" : "that is not right");
    return right ? 0 : 1;
}
