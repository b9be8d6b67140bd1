/* SPDX-License-Identifier: Apache-2.0 */
#include "application.h"

#include "FreeRTOS.h"
#include "task.h"

#include <stdlib.h>

void task_switched_in(uint32_t number) {
    static uint32_t previous;
    application_switched(previous, number);
    previous = number;
}

static void blink(void *unused) {
    (void)unused;
    while (1) vTaskDelay(pdMS_TO_TICKS(5));
}

static void report(void *unused) {
    (void)unused;
    vTaskDelay(pdMS_TO_TICKS(100));
    exit(application_report());
}

static TaskHandle_t task(uint32_t number, TaskFunction_t function, const char *name,
                         StackType_t *stack, uint32_t words, StaticTask_t *memory) {
    const TaskHandle_t made =
        xTaskCreateStatic(function, name, words, NULL, tskIDLE_PRIORITY + number, stack, memory);
    vTaskSetTaskNumber(made, number);
    return made;
}

int main(void) {
    static StackType_t blink_stack[256], report_stack[1024];
    static StaticTask_t blink_memory, report_memory;
    application_start();
    task(1, report, "report", report_stack, 1024, &report_memory);
    task(2, blink, "blink", blink_stack, 256, &blink_memory);
    vTaskStartScheduler();
    return 1;
}
