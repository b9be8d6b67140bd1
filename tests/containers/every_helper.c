// SPDX-License-Identifier: Apache-2.0
// Written as for Femto-Containers, with its headers and nothing else: calls each helper once, in
// the order of their numbers. Only compiled and looked at.
#include <stdint.h>
#include "bpf/bpfapi/helpers.h"

int every_helper(bpf_coap_ctx_t *gcoap)
{
    static const char format[] = "%u\n";
    char text[12];
    uint32_t value;
    phydat_t data;
    ssize_t size;
    uint8_t *payload;

    bpf_printf(format, 1u, 2u);
    bpf_memcpy(text, format, sizeof(format));
    bpf_print_debug(1);
    bpf_store_local(1, 2);
    bpf_store_global(1, 2);
    bpf_fetch_local(1, &value);
    bpf_fetch_global(1, &value);
    value += bpf_now_ms();
    bpf_saul_reg_t *sensor = bpf_saul_reg_find_nth(1);
    sensor = bpf_saul_reg_find_type(0x80);
    bpf_saul_reg_read(sensor, &data);
    bpf_saul_reg_write(sensor, &data);
    value += (uint32_t)bpf_saul_read_temp();
    bpf_gcoap_resp_init(gcoap, (2 << 5) | 5);
    size = bpf_coap_opt_finish(gcoap, 1);
    bpf_coap_add_format(gcoap, 0);
    payload = bpf_coap_get_pdu(gcoap);
    size += bpf_fmt_s16_dfp((char *)payload, data.val[0], data.scale);
    size += bpf_fmt_u32_dec(text, value);
    size += bpf_strlen(text);
    value = bpf_ztimer_now();
    bpf_ztimer_periodic_wakeup(&value, 10);
    size += bpf_gpio_read_input(0, 1);
    size += bpf_gpio_read_raw(0, 1);
    bpf_gpio_write(0, 1, 1);
    return size;
}
