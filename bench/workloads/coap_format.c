// SPDX-License-Identifier: Apache-2.0
// The paper's third container, on the hook of a CoAP request: formats the stored average into the
// response. Fired 16 times here. Context: the response's buffer.
#include "workload.h"

#include <bpf/bpfapi/helpers.h>

#define AVERAGE_KEY 9
#define CONTENT (2 << 5 | 5)
#define HEADER 8

FEMTO_NOINLINE int64_t respond(uint8_t *pdu) {
    uint32_t average = 0;
    bpf_fetch_local(AVERAGE_KEY, &average);
    pdu[0] = 0x60;
    pdu[1] = CONTENT;
    for (uint32_t i = 2; i < HEADER - 1; ++i) pdu[i] = 0;
    pdu[HEADER - 1] = 0xff;
    return HEADER + (int64_t)bpf_fmt_u32_dec((char *)pdu + HEADER, average);
}

WORKLOAD(coap_format) {
    uint8_t *const pdu = (uint8_t *)context;
    if (length < 32) return 0;
    uint64_t sum = 0;
    uint32_t seed = first_number();
    for (uint32_t i = 0; i < 16; ++i) {
        bpf_store_local(AVERAGE_KEY, next_number(&seed) >> i);
        const uint32_t size = (uint32_t)respond(pdu);
        for (uint32_t at = 0; at < size && at < 32; ++at) sum = fold(sum, pdu[at]);
    }
    return sum;
}
