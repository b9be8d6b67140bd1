/* SPDX-License-Identifier: Apache-2.0 */
/* The helpers of Femto-Containers under its names, so that its containers compile unchanged. */
#ifndef BPF_BPFAPI_HELPERS_H
#define BPF_BPFAPI_HELPERS_H

#include <bpf/shared.h>
#include <phydat.h>

#if FEMTO_BPF
typedef signed ssize_t;
#else
#include <sys/types.h>
#endif

/* A sensor or an actuator, known by this pointer only; reading what it points to is a fault. */
typedef void bpf_saul_reg_t;

FEMTO_HELPER(BPF_FUNC_BPF_PRINTF, void, bpf_printf, (const char *format, ...));
FEMTO_HELPER(BPF_FUNC_BPF_MEMCPY, void, bpf_memcpy, (void *to, const void *from, size_t size));
FEMTO_HELPER(BPF_FUNC_BPF_PRINT_DEBUG, void, bpf_print_debug, (uint32_t value));

/* Stores: 0, or negative when the store is full or the key is not the container's. */
FEMTO_HELPER(BPF_FUNC_BPF_STORE_LOCAL, int, bpf_store_local, (uint32_t key, uint32_t value));
FEMTO_HELPER(BPF_FUNC_BPF_STORE_GLOBAL, int, bpf_store_global, (uint32_t key, uint32_t value));
FEMTO_HELPER(BPF_FUNC_BPF_FETCH_LOCAL, int, bpf_fetch_local, (uint32_t key, uint32_t *value));
FEMTO_HELPER(BPF_FUNC_BPF_FETCH_GLOBAL, int, bpf_fetch_global, (uint32_t key, uint32_t *value));

/* The store that the containers of a tenant share; adding gives the value before. */
FEMTO_HELPER(BPF_FUNC_BPF_STORE_TENANT, int, bpf_store_tenant, (uint32_t key, uint32_t value));
FEMTO_HELPER(BPF_FUNC_BPF_FETCH_TENANT, int, bpf_fetch_tenant, (uint32_t key, uint32_t *value));
FEMTO_HELPER(BPF_FUNC_BPF_ADD_LOCAL, int, bpf_add_local,
             (uint32_t key, uint32_t value, uint32_t *before));
FEMTO_HELPER(BPF_FUNC_BPF_ADD_GLOBAL, int, bpf_add_global,
             (uint32_t key, uint32_t value, uint32_t *before));
FEMTO_HELPER(BPF_FUNC_BPF_ADD_TENANT, int, bpf_add_tenant,
             (uint32_t key, uint32_t value, uint32_t *before));

/* Milliseconds since the start; wraps around. */
FEMTO_HELPER(BPF_FUNC_BPF_NOW_MS, uint32_t, bpf_now_ms, (void));

FEMTO_HELPER(BPF_FUNC_BPF_SAUL_REG_FIND_NTH, bpf_saul_reg_t *, bpf_saul_reg_find_nth, (int pos));
FEMTO_HELPER(BPF_FUNC_BPF_SAUL_REG_FIND_TYPE, bpf_saul_reg_t *, bpf_saul_reg_find_type,
             (uint8_t type));
FEMTO_HELPER(BPF_FUNC_BPF_SAUL_REG_READ, int, bpf_saul_reg_read,
             (bpf_saul_reg_t * device, phydat_t *data));
FEMTO_HELPER(BPF_FUNC_BPF_SAUL_REG_WRITE, int, bpf_saul_reg_write,
             (bpf_saul_reg_t * device, const phydat_t *data));
FEMTO_HELPER(BPF_FUNC_BPF_SAUL_READ_TEMP, int16_t, bpf_saul_read_temp, (void));

FEMTO_HELPER(BPF_FUNC_BPF_GCOAP_RESP_INIT, void, bpf_gcoap_resp_init,
             (bpf_coap_ctx_t * ctx, unsigned code));
FEMTO_HELPER(BPF_FUNC_BPF_COAP_OPT_FINISH, ssize_t, bpf_coap_opt_finish,
             (bpf_coap_ctx_t * ctx, unsigned flags));
FEMTO_HELPER(BPF_FUNC_BPF_COAP_ADD_FORMAT, void, bpf_coap_add_format,
             (bpf_coap_ctx_t * ctx, uint32_t format));
FEMTO_HELPER(BPF_FUNC_BPF_COAP_GET_PDU, uint8_t *, bpf_coap_get_pdu, (bpf_coap_ctx_t * ctx));

/* Decimal text without a zero byte at its end; the number of characters written. */
FEMTO_HELPER(BPF_FUNC_BPF_FMT_S16_DFP, size_t, bpf_fmt_s16_dfp,
             (char *out, int16_t value, int fp_digits));
FEMTO_HELPER(BPF_FUNC_BPF_FMT_U32_DEC, size_t, bpf_fmt_u32_dec, (char *out, uint32_t value));
FEMTO_HELPER(BPF_FUNC_BPF_STRLEN, size_t, bpf_strlen, (const char *text));

FEMTO_HELPER(BPF_FUNC_BPF_ZTIMER_NOW, uint32_t, bpf_ztimer_now, (void));
FEMTO_HELPER(BPF_FUNC_BPF_ZTIMER_PERIODIC_WAKEUP, void, bpf_ztimer_periodic_wakeup,
             (uint32_t * last_wakeup, uint32_t period));

FEMTO_HELPER(BPF_FUNC_BPF_SLEEP_UNTIL, void, bpf_sleep_until, (uint32_t time));
FEMTO_HELPER(BPF_FUNC_BPF_WAIT, void, bpf_wait, (uint32_t ms));

FEMTO_HELPER(BPF_FUNC_BPF_GPIO_READ_INPUT, uint64_t, bpf_gpio_read_input,
             (uint32_t port, uint32_t pin));
FEMTO_HELPER(BPF_FUNC_BPF_GPIO_READ_RAW, uint64_t, bpf_gpio_read_raw,
             (uint32_t port, uint32_t pin));
FEMTO_HELPER(BPF_FUNC_BPF_GPIO_WRITE, void, bpf_gpio_write,
             (uint32_t port, uint32_t pin, uint32_t value));

#endif
