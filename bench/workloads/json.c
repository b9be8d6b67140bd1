// SPDX-License-Identifier: Apache-2.0
// Checks and adds up a JSON document as a device would get it: a switch on every byte, and nesting
// without recursion (a bit for each level).
#include "workload.h"

static const char document[] =
    "{\"device\": \"thermostat-17\", \"uptime\": 86400, \"active\": true, \"error\": null,\n"
    " \"readings\": [\n"
    "  {\"t\": 1700000000, \"celsius\": 21.5, \"humidity\": 40},\n"
    "  {\"t\": 1700000060, \"celsius\": 21.75, \"humidity\": 41},\n"
    "  {\"t\": 1700000120, \"celsius\": -3, \"humidity\": 38, \"note\": \"window \\\"open\\\"\"}\n"
    " ],\n"
    " \"limits\": {\"low\": [16, 18, [20]], \"high\": [25, 28, []]}, \"empty\": {}}\n";

// What is found where it must not be: the position, with this bit set.
#define MALFORMED ((uint64_t)1 << 63)

WORKLOAD(json) {
    UNUSED_CONTEXT;
    const char *at = document;
    uint32_t left = sizeof(document) - 1;
    FEMTO_OPAQUE(left);
    const char *const end = at + left;
    uint64_t objects = 0;  // bit n: level n is an object, not an array
    uint32_t depth = 0;
    uint64_t sum = 0;
    uint32_t strings = 0;
    uint32_t values = 0;
    while (at != end) {
        const char c = *at++;
        switch (c) {
            case ' ': case '\n': case ',': case ':': break;
            case '{': case '[':
                objects = objects << 1 | (c == '{');
                if (++depth > 63) return MALFORMED | (uint64_t)(at - document);
                break;
            case '}': case ']':
                if (depth-- == 0 || (objects & 1) != (c == '}')) {
                    return MALFORMED | (uint64_t)(at - document);
                }
                objects >>= 1;
                ++values;
                break;
            case '"':
                while (at != end && *at != '"') {
                    if (*at == '\\') ++at;
                    sum = sum * 31 + (uint8_t)*at++;
                }
                ++at;
                ++strings;
                break;
            case 't': case 'f': case 'n':
                while (*at >= 'a' && *at <= 'z') ++at;
                ++values;
                break;
            default: {
                const bool negative = c == '-';
                if (!negative && (c < '0' || c > '9')) {
                    return MALFORMED | (uint64_t)(at - document);
                }
                uint64_t number = negative ? 0 : (uint64_t)(c - '0');
                for (; at != end && ((*at >= '0' && *at <= '9') || *at == '.'); ++at) {
                    if (*at != '.') number = number * 10 + (uint64_t)(*at - '0');
                }
                sum += negative ? 0 - number : number;
                ++values;
            }
        }
    }
    return depth != 0 ? MALFORMED : fold(fold(sum, strings), values);
}
