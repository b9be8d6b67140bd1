/* SPDX-License-Identifier: Apache-2.0 */
/* What the examples for RIOT, Zephyr, FreeRTOS and ESP-IDF have in common: a hook in the scheduler, a
   container of one tenant that counts on it, and one of another tenant that misbehaves. */
#ifndef APPLICATION_H
#define APPLICATION_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Loads and attaches the containers. Before threads are switched, or between two switches. */
void application_start(void);
/* The scheduler switches threads; also from interrupts. Numbers below 16 are counted. */
void application_switched(uint32_t previous, uint32_t next);
/* Prints what the containers did. 0 if that is what they should have done. From one thread. */
int application_report(void);

#ifdef __cplusplus
}
#endif

#endif
