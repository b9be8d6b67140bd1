// SPDX-License-Identifier: Apache-2.0
// Scenario 3: answers a CoAP request with the mean that average.c stored.
#include <femto.h>
struct exchange {
    uint64_t packet, buffer, length;
};
FEMTO_HELPER(0x15, int, bpf_fetch_tenant, (uint32_t key, uint32_t *value));
FEMTO_HELPER(0x40, void, bpf_gcoap_resp_init, (const struct exchange *context, unsigned code));
FEMTO_HELPER(0x41, int32_t, bpf_coap_opt_finish, (const struct exchange *context, unsigned flags));
FEMTO_HELPER(0x42, void, bpf_coap_add_format, (const struct exchange *context, uint32_t format));
FEMTO_HELPER(0x43, char *, bpf_coap_get_pdu, (const struct exchange *context));
FEMTO_HELPER(0x51, size_t, bpf_fmt_u32_dec, (char *to, uint32_t value));

FEMTO_HOOK(value, "46454d54-0000-8000-8000-000000000003"); // hook coap
FEMTO_REQUEST("fuel 500");

FEMTO_ENTRY int64_t value(const struct exchange *context) {
    uint32_t mean = 0;
    bpf_fetch_tenant(1, &mean);
    bpf_gcoap_resp_init(context, 0x45); // 2.05 Content
    bpf_coap_add_format(context, 0);    // text/plain
    const int32_t head = bpf_coap_opt_finish(context, 1);
    return head + (int64_t)bpf_fmt_u32_dec(bpf_coap_get_pdu(context), mean);
}
