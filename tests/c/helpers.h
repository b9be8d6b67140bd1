/* SPDX-License-Identifier: Apache-2.0 */
/* The helpers of the test firmware, written in C. */
#ifndef FEMTO_TEST_C_HELPERS_H
#define FEMTO_TEST_C_HELPERS_H

#include <femto/c/femto.h>

#ifdef __cplusplus
extern "C" {
#endif

struct reading {
    uint32_t channel;
    int32_t value;
};

uint32_t sum_bytes(femto_bytes bytes);
void fill_bytes(femto_buffer buffer, uint8_t value);
uint32_t text_length(femto_caller *caller, femto_text text);
int32_t read_channel(femto_caller *caller, uint32_t channel, struct reading *to);
int64_t reading_value(const struct reading *from);
void pause_until(femto_caller *caller, uint32_t time);
void refuse(femto_caller *caller, int32_t code);
void interrupt(void);

/* The images that tests/c/cases.cpp makes. */
struct test_image {
    const void *data;
    size_t size;
};
enum test_program {
    RETURN_7, RETURN_NEGATIVE, SUM, SUM_OUTSIDE, FILL, FILL_RODATA, LENGTH, LENGTH_OPEN, READING,
    READING_MISALIGNED, READING_OUTSIDE, PAUSE, REFUSE, INTERRUPTED, ENDLESS, READ_REGION,
    WRITE_REGION, STORE_GLOBAL
};
struct test_image image_of(enum test_program program);

/* Each returns 0, or the line that found something wrong. */
int c_lifecycle(void);
int c_contract(void);
int c_helpers(void);
int c_refused_pointers(void);
int c_waiting(void);
int c_quotas_and_limits(void);
int c_images(void);
int c_exchange(void);

#ifdef __cplusplus
}
#endif
#endif
