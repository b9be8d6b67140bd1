/* SPDX-License-Identifier: Apache-2.0 */
#include "application.h"

#include <stdbool.h>
#include <zephyr/kernel.h>

static volatile bool started;

/* Zephyr calls it with interrupts off, in the thread that goes on; its number is its custom data. */
void sys_trace_thread_switched_in_user(void) {
    static uint32_t previous;
    if (!started) return;
    const uint32_t next = (uint32_t)(uintptr_t)k_current_get()->custom_data;
    application_switched(previous, next);
    previous = next;
}

static void blink(void *number, void *unused, void *unused_too) {
    ARG_UNUSED(unused);
    ARG_UNUSED(unused_too);
    k_thread_custom_data_set(number);
    while (true) k_msleep(5);
}
K_THREAD_DEFINE(blink_thread, 1024, blink, (void *)2, NULL, NULL, 1, 0, 0);

int main(void) {
    k_thread_custom_data_set((void *)1);
    application_start();
    started = true;
    k_msleep(100);
    started = false;
    return application_report();
}
