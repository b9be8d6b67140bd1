/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware in C: its helpers, its hooks, and what it expects of femto. */
#include "helpers.h"

#define EXPECT(condition)                 \
    do {                                  \
        if (!(condition)) return __LINE__; \
    } while (0)

/* Helpers. */

uint32_t sum_bytes(femto_bytes bytes) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < bytes.size; ++i) sum += bytes.data[i];
    return sum;
}
void fill_bytes(femto_buffer buffer, uint8_t value) {
    for (uint32_t i = 0; i < buffer.size; ++i) buffer.data[i] = value;
}
uint32_t text_length(femto_caller *caller, femto_text text) {
    femto_caller_charge(caller, text.size);
    return text.data[text.size] == 0 ? text.size : UINT32_MAX;
}
int32_t read_channel(femto_caller *caller, uint32_t channel, struct reading *to) {
    to->channel = channel;
    to->value = -40 - femto_caller_tenant(caller);
    return 1;
}
int64_t reading_value(const struct reading *from) { return from->value; }
void pause_until(femto_caller *caller, uint32_t time) { femto_caller_wait_until(caller, time); }
void refuse(femto_caller *caller, int32_t code) { femto_caller_fail(caller, code, 99); }

static femto_hook *interrupted_hook;
static femto_container *interrupted_container;
static femto_error interrupted_error;
void interrupt(void) {
    interrupted_error = femto_detach(interrupted_hook, interrupted_container);
}

/* Hooks: what they offer to whom. */

static uint8_t shared[8] = {9};
static const uint32_t all_helpers[] = {FEMTO_EVERY_HELPER};
static const uint32_t one_helper[] = {0x80};
static const femto_region_offer regions[] = {
    {.id = 7, .allowed = FEMTO_READ, .bytes = shared, .size = sizeof shared}};
static const femto_tenant_offer offers[] = {
    {.tenants = 1u << 0, .fuel = 1000, .helpers = all_helpers, .helper_count = 1,
     .regions = regions, .region_count = 1, .context = FEMTO_READ_WRITE},
    {.tenants = 1u << 1, .fuel = FEMTO_NO_LIMIT, .helpers = one_helper, .helper_count = 1,
     .context = FEMTO_READ}};
static const femto_hook_declaration declaration = {
    .id = {{0x46, 0x45, 0x4d, 0x54, 0, 0, 0x80, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}},
    .policy = FEMTO_STOP_ON_NEGATIVE,
    .offers = offers,
    .offer_count = 2};

/* A container with its memory. */
struct box {
    femto_container control;
    femto_statistics statistics;
    uint64_t memory[16];
};
static femto_error load(struct box *b, uint8_t tenant, enum test_program program,
                        const femto_container_limits *limits) {
    const struct test_image image = image_of(program);
    femto_container_init(&b->control, &b->statistics);
    return femto_load(&b->control, tenant, image.data, image.size, b->memory, sizeof b->memory,
                      limits);
}

static femto_hook hook;
static struct box one, two;
static uint64_t context;

static int start(void) {
    femto_init();
    femto_hook_init(&hook, &declaration);
    context = 0;
    return 0;
}
/* Runs a program alone, as tenant 0. */
static femto_hook_result run(enum test_program program) {
    femto_hook_result r = {0, 0, 0, 0, 99};
    start();
    if (load(&one, 0, program, NULL).code != FEMTO_OK) return r;
    if (femto_attach(&hook, &one.control).code != FEMTO_OK) return r;
    return femto_fire(&hook, &context, sizeof context);
}
static int faulted(enum test_program program, int32_t code, uint32_t pc, uint64_t address) {
    const femto_hook_result r = run(program);
    const femto_error e = femto_statistics_of(&one.control).last_fault;
    return r.faulted == 1 && e.code == code && e.pc == pc && e.address == address;
}

int c_lifecycle(void) {
    start();
    EXPECT(femto_fire(&hook, &context, sizeof context).ran == 0);
    femto_container_init(&one.control, &one.statistics);
    EXPECT(femto_state_of(&one.control) == FEMTO_EMPTY);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_WRONG_STATE);
    EXPECT(load(&one, 0, RETURN_7, NULL).code == FEMTO_OK);
    EXPECT(femto_state_of(&one.control) == FEMTO_VERIFIED);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_OK);
    const femto_hook_result r = femto_fire(&hook, &context, sizeof context);
    EXPECT(r.ran == 1 && r.value == 7);
    const femto_statistics s = femto_statistics_of(&one.control);
    EXPECT(s.runs == 1 && s.instructions == 2 && s.longest_run == 2 && s.faults == 0);
    const femto_error busy = femto_unload(&one.control);
    EXPECT(busy.code == FEMTO_WRONG_STATE && busy.address == FEMTO_ATTACHED);
    EXPECT(femto_detach(&hook, &one.control).code == FEMTO_OK);
    EXPECT(femto_fire(&hook, &context, sizeof context).ran == 0);
    EXPECT(femto_unload(&one.control).code == FEMTO_OK);
    return 0;
}

int c_contract(void) {
    start();
    EXPECT(load(&one, 2, RETURN_7, NULL).code == FEMTO_OK);
    femto_error e = femto_attach(&hook, &one.control);  /* nothing is offered to tenant 2 */
    EXPECT(e.code == FEMTO_CONTRACT_EXCEEDED && e.address == 7);
    EXPECT(load(&two, 1, LENGTH, NULL).code == FEMTO_OK);
    e = femto_attach(&hook, &two.control);  /* only helper 0x80 to tenant 1 */
    EXPECT(e.code == FEMTO_ILLEGAL_CALL && e.pc == 2 && e.address == 0x82);
    EXPECT(run(READ_REGION).value == 9);
    EXPECT(faulted(WRITE_REGION, FEMTO_ILLEGAL_WRITE, 2, (uint64_t)5 << 32));
    EXPECT(shared[0] == 9);
    EXPECT(run(ENDLESS).faulted == 1);
    EXPECT(femto_statistics_of(&one.control).last_fault.code == FEMTO_OUT_OF_FUEL);
    EXPECT(femto_statistics_of(&one.control).longest_run == 1000);
    return 0;
}

int c_helpers(void) {
    EXPECT(run(SUM).value == 3 + 4 + 5);
    EXPECT(run(FILL).ran == 1 && context == 0xababababababu);
    EXPECT(run(LENGTH).value == 5);
    EXPECT(femto_statistics_of(&one.control).instructions == 3 + 5);  /* 5 of them charged */
    EXPECT(run(READING).value == -40);
    return 0;
}

int c_refused_pointers(void) {
    EXPECT(faulted(SUM_OUTSIDE, FEMTO_ILLEGAL_MEMORY, 3, ((uint64_t)1 << 32) + 120));
    EXPECT(faulted(FILL_RODATA, FEMTO_ILLEGAL_MEMORY, 4, (uint64_t)3 << 32));
    EXPECT(faulted(LENGTH_OPEN, FEMTO_ILLEGAL_MEMORY, 2, ((uint64_t)3 << 32) + 6));
    EXPECT(faulted(READING_MISALIGNED, FEMTO_ILLEGAL_MEMORY, 3, ((uint64_t)1 << 32) + 117));
    EXPECT(faulted(READING_OUTSIDE, FEMTO_ILLEGAL_MEMORY, 2, 0));
    EXPECT(faulted(REFUSE, -22, 1, 99));
    EXPECT(femto_last_fault_of(&one.control) == FEMTO_HELPER_FAILED);
    EXPECT(femto_error_name(-2)[0] == 'i' && femto_error_text(-2)[0] == 'a');
    EXPECT(femto_error_name(-128)[0] == 0);
    return 0;
}

int c_waiting(void) {
    EXPECT(run(PAUSE).suspended == 1);
    EXPECT(femto_state_of(&one.control) == FEMTO_SUSPENDED);
    EXPECT(femto_poll(49, 1000) == 0);
    EXPECT(femto_poll(50, 1000) > 0);
    EXPECT(femto_state_of(&one.control) == FEMTO_ATTACHED);
    EXPECT(femto_store_fetch(FEMTO_GLOBAL, 0, 5) == 50);
    return 0;
}

int c_quotas_and_limits(void) {
    static const femto_tenant_quota quota = {
        .ram = 1000, .window_fuel = FEMTO_NO_LIMIT, .store_entries = 1, .containers = 1};
    static const femto_container_limits limits = {
        .run_fuel = 3, .window_fuel = FEMTO_NO_LIMIT,
        .faults = {.action = FEMTO_DISABLE, .count = 2}};
    start();
    femto_set_quota(0, &quota);
    EXPECT(load(&one, 0, STORE_GLOBAL, NULL).code == FEMTO_OK);
    const femto_error e = load(&two, 0, RETURN_7, NULL);
    EXPECT(e.code == FEMTO_TENANT_QUOTA && e.address == 5);
    EXPECT(femto_store_set(FEMTO_TENANT, 0, 0, 1, 1).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_OK);
    EXPECT(femto_fire(&hook, &context, sizeof context).value == FEMTO_STORE_QUOTA);
    EXPECT(femto_store_set(FEMTO_TENANT, 0, 0, 1, 0).code == FEMTO_OK);
    EXPECT(femto_fire(&hook, &context, sizeof context).value == 0);
    EXPECT(femto_store_fetch(FEMTO_GLOBAL, 0, 5) == 50);

    start();
    EXPECT(load(&one, 0, ENDLESS, &limits).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_OK);
    for (int n = 0; n < 3; ++n) femto_fire(&hook, &context, sizeof context);
    EXPECT(femto_state_of(&one.control) == FEMTO_DISABLED);
    const femto_statistics s = femto_statistics_of(&one.control);
    EXPECT(s.faults == 2 && s.missed == 1 && s.longest_run == 3);
    return 0;
}

int c_images(void) {
    start();
    struct test_image image = image_of(RETURN_7);
    femto_container_init(&one.control, &one.statistics);
    EXPECT(femto_memory_needed(image.data, image.size) == 2);
    EXPECT(femto_memory_needed(image.data, image.size - 1) == 0);
    femto_error e = femto_load(&one.control, 0, image.data, image.size, one.memory, 1, NULL);
    EXPECT(e.code == FEMTO_STORAGE_TOO_SMALL && e.address == 2);
    e = femto_load(&one.control, 0, image.data, image.size - 1, one.memory, sizeof one.memory, NULL);
    EXPECT(e.code == -63 && e.address == image.size);
    EXPECT(femto_load(&one.control, 0, image.data, 8, one.memory, sizeof one.memory, NULL)
               .code == -63);

    /* An image of Femto-Containers: r0 = 6; exit. */
    static const uint32_t rbpf[] = {0x46504272, 0, 0, 0, 0, 16, 0, 0x000000b7, 6, 0x95, 0};
    static const femto_request request = {.fuel = 100, .stack = 64};
    EXPECT(femto_memory_needed(rbpf, sizeof rbpf) == 2 * 8 + 24 + 2);  /* text, request, marks */
    EXPECT(femto_load_rbpf(&one.control, 0, rbpf, sizeof rbpf, &request, one.memory,
                           sizeof one.memory, NULL).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_OK);
    EXPECT(femto_fire(&hook, &context, sizeof context).value == 6);
    femto_container_init(&two.control, NULL);
    e = femto_load_rbpf(&two.control, 0, rbpf, sizeof rbpf - 4, &request, two.memory,
                        sizeof two.memory, NULL);
    EXPECT(e.code == -63 && e.address == sizeof rbpf);
    return 0;
}

int c_exchange(void) {
    start();
    EXPECT(load(&one, 0, RETURN_NEGATIVE, NULL).code == FEMTO_OK);
    EXPECT(load(&two, 0, RETURN_7, NULL).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &two.control).code == FEMTO_OK);
    femto_hook_result r = femto_fire(&hook, &context, sizeof context);
    EXPECT(r.value == -1 && r.ran == 1);  /* the policy of the hook */
    struct box fresh;
    EXPECT(load(&fresh, 0, RETURN_7, NULL).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &fresh.control).code == FEMTO_HOOK_FULL);
    EXPECT(femto_replace(&hook, &one.control, &fresh.control).code == FEMTO_OK);
    r = femto_fire(&hook, &context, sizeof context);
    EXPECT(r.value == 7 && r.ran == 2);
    EXPECT(femto_state_of(&one.control) == FEMTO_VERIFIED);

    start();
    EXPECT(load(&one, 0, INTERRUPTED, NULL).code == FEMTO_OK);
    EXPECT(femto_attach(&hook, &one.control).code == FEMTO_OK);
    interrupted_hook = &hook;
    interrupted_container = &one.control;
    EXPECT(femto_fire(&hook, &context, sizeof context).ran == 1);
    EXPECT(interrupted_error.code == FEMTO_CONTAINER_BUSY);
    EXPECT(femto_detach(&hook, &one.control).code == FEMTO_OK);
    return 0;
}
