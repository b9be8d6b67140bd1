// SPDX-License-Identifier: Apache-2.0
// The third scenario: answers a CoAP request with the average as text, one digit behind the point.
#include <stdint.h>
#include "bpf/bpfapi/helpers.h"

FEMTO_HOOK(answer, "46454d54-0000-8000-8000-000000000003");
FEMTO_REQUEST("fuel 200");

#define AVERAGE_KEY 0x50

FEMTO_ENTRY int64_t answer(bpf_coap_ctx_t *gcoap)
{
    uint32_t average = 0;

    bpf_fetch_tenant(AVERAGE_KEY, &average);
    bpf_gcoap_resp_init(gcoap, (2 << 5) | 5);
    bpf_coap_add_format(gcoap, 0);
    ssize_t size = bpf_coap_opt_finish(gcoap, 1);
    return size + (int64_t)bpf_fmt_s16_dfp((char *)bpf_coap_get_pdu(gcoap), (int16_t)average, -1);
}
