/* SPDX-License-Identifier: Apache-2.0 */
#include "application.h"

#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

#include "esp_freertos_hooks.h"

#include <stdlib.h>

/* ESP-IDF keeps the trace macros of FreeRTOS for itself, so this hook is at each tick, in its
   interrupt, and counts which task it found. */
static void on_tick(void) {
    static uint32_t previous;
    const uint32_t running = (uint32_t)uxTaskGetTaskNumber(xTaskGetCurrentTaskHandle());
    application_switched(previous, running);
    previous = running;
}

static void work(void *unused) {
    (void)unused;
    while (1) {
        for (volatile int i = 0; i < 1000000; ++i) continue;
        vTaskDelay(2);
    }
}

void app_main(void) {
    TaskHandle_t worker;
    application_start();
    vTaskSetTaskNumber(xTaskGetCurrentTaskHandle(), 1);
    xTaskCreate(work, "work", 4096, NULL, 1, &worker);
    vTaskSetTaskNumber(worker, 2);
    ESP_ERROR_CHECK(esp_register_freertos_tick_hook(on_tick));
    vTaskDelay(100);
    exit(application_report());
}
