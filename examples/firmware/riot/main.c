/* SPDX-License-Identifier: Apache-2.0 */
#include "application.h"

#include "sched.h"
#include "thread.h"
#include "ztimer.h"

#include <stdlib.h>

/* RIOT calls it with interrupts off, from threads and from interrupts. */
static void on_switch(kernel_pid_t active, kernel_pid_t next) {
    application_switched((uint32_t)active, (uint32_t)next);
}

static char stack[THREAD_STACKSIZE_DEFAULT];
static void *blink(void *unused) {
    (void)unused;
    while (1) ztimer_sleep(ZTIMER_MSEC, 5);
    return NULL;
}

int main(void) {
    application_start();
    sched_register_cb(on_switch);
    thread_create(stack, sizeof stack, THREAD_PRIORITY_MAIN - 1, 0, blink, NULL, "blink");
    ztimer_sleep(ZTIMER_MSEC, 100);
    exit(application_report());
}
