/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of the helpers of Femto-Containers and the structures that firmware and guest share. */
#ifndef BPF_SHARED_H
#define BPF_SHARED_H

#include <femto.h>

enum {
    BPF_FUNC_BPF_PRINTF = 0x01,
    BPF_FUNC_BPF_MEMCPY = 0x02,
    BPF_FUNC_BPF_PRINT_DEBUG = 0x03,

    BPF_FUNC_BPF_STORE_LOCAL = 0x10,
    BPF_FUNC_BPF_STORE_GLOBAL = 0x11,
    BPF_FUNC_BPF_FETCH_LOCAL = 0x12,
    BPF_FUNC_BPF_FETCH_GLOBAL = 0x13,

    /* Of femto's own: the store of the tenant, and adding in one step. */
    BPF_FUNC_BPF_STORE_TENANT = 0x14,
    BPF_FUNC_BPF_FETCH_TENANT = 0x15,
    BPF_FUNC_BPF_ADD_LOCAL = 0x18,
    BPF_FUNC_BPF_ADD_GLOBAL = 0x19,
    BPF_FUNC_BPF_ADD_TENANT = 0x1a,

    BPF_FUNC_BPF_NOW_MS = 0x20,

    BPF_FUNC_BPF_SAUL_REG_FIND_NTH = 0x30,
    BPF_FUNC_BPF_SAUL_REG_FIND_TYPE = 0x31,
    BPF_FUNC_BPF_SAUL_REG_READ = 0x32,
    BPF_FUNC_BPF_SAUL_REG_WRITE = 0x33,
    BPF_FUNC_BPF_SAUL_READ_TEMP = 0x34,

    BPF_FUNC_BPF_GCOAP_RESP_INIT = 0x40,
    BPF_FUNC_BPF_COAP_OPT_FINISH = 0x41,
    BPF_FUNC_BPF_COAP_ADD_FORMAT = 0x42,
    BPF_FUNC_BPF_COAP_GET_PDU = 0x43,

    BPF_FUNC_BPF_FMT_S16_DFP = 0x50,
    BPF_FUNC_BPF_FMT_U32_DEC = 0x51,
    BPF_FUNC_BPF_STRLEN = 0x52,

    BPF_FUNC_BPF_ZTIMER_NOW = 0x60,
    BPF_FUNC_BPF_ZTIMER_PERIODIC_WAKEUP = 0x61,
    /* Of femto's own: wait until a time, and for so long. */
    BPF_FUNC_BPF_SLEEP_UNTIL = 0x62,
    BPF_FUNC_BPF_WAIT = 0x63,

    BPF_FUNC_BPF_GPIO_READ_INPUT = 0x70,
    BPF_FUNC_BPF_GPIO_READ_RAW = 0x71,
    BPF_FUNC_BPF_GPIO_WRITE = 0x72
};

#define __bpf_shared_ptr(type, name) FEMTO_POINTER(type, name)

/* The context of a CoAP hook; opaque but for the buffer. 24 bytes. */
typedef struct {
    __bpf_shared_ptr(void *, pkt);
    __bpf_shared_ptr(uint8_t *, buf);
    uint64_t buf_len;
} bpf_coap_ctx_t;

#endif
