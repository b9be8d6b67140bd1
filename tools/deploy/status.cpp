// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "commands.hpp"
#include "device_report.hpp"
#include "envelope_view.hpp"
#include "files.hpp"
#include "transfer.hpp"
#include "uuid.hpp"

#include <femto/describe.hpp>

#include <cstdio>

namespace femto_tool {
namespace {

using ull = unsigned long long;

std::string known(const femto::uuid& id, const femto::uuid& expected, const char* name) {
    return id == expected ? name : to_string(id);
}

void print_text(const std::string& host, const device_report& r) {
    const auto vendor = vendor_id(default_vendor);
    std::printf("%s  %s of %s, up %llu.%llu s\n", host.c_str(),
                known(r.device_class, class_id(vendor, default_class), default_class).c_str(),
                known(r.vendor, vendor, default_vendor).c_str(), ull{r.uptime / 1000},
                ull{r.uptime / 100 % 10});
    std::printf("updates: %llu accepted, %llu refused", ull{r.accepted}, ull{r.refused});
    if (r.updating) {
        std::printf("; one is going on, %llu of %llu bytes\n", ull{r.received}, ull{r.size});
    } else if (r.last_error.code != femto::errc::ok) {
        std::printf("; the last one was refused: %s%s%s\n", in_words(r.last_error).c_str(),
                    r.note.empty() ? "" : ": ", r.note.c_str());
    } else {
        std::printf("\n");
    }
    std::printf("%-10s %-10s %-22s %9s %13s %7s %7s\n", "hook", "tenant", "container", "runs",
                "instructions", "faults", "missed");
    for (const auto& c : r.components) {
        std::string what = "none";
        if (c.image_size > 0) {
            what = (c.reverted ? "before " : "") + std::to_string(c.sequence) + ", " +
                   (c.on_trial ? "on trial" : word_of(c.state));
        }
        std::printf("%-10s %-10s %-22s %9llu %13llu %7llu %7llu\n", c.name.c_str(),
                    c.tenant.c_str(), what.c_str(), ull{c.runs}, ull{c.instructions}, ull{c.faults},
                    ull{c.missed});
        if (c.reverted) {
            const bool known_why = c.trial_fault.code != femto::errc::ok;  // not after a restart
            std::printf("  %llu was rolled back%s%s\n", ull{c.sequence}, known_why ? ": " : "",
                        known_why ? (in_words({c.trial_fault.code, 0, 0}) + " at instruction " +
                                     std::to_string(c.trial_fault.pc)).c_str()
                                  : "");
        }
        if (c.last_fault.code != femto::errc::ok) {
            std::printf("  last fault: %s at instruction %u, address 0x%llx\n",
                        in_words({c.last_fault.code, 0, 0}).c_str(), c.last_fault.pc,
                        ull{c.last_fault.address});
        }
    }
}

std::string json_error(const femto::error& e) {
    return "{\"name\": \"" + std::string{femto::describe(e.code).name} +
           "\", \"code\": " + std::to_string(static_cast<int>(e.code)) +
           ", \"pc\": " + std::to_string(e.pc) + ", \"address\": " + std::to_string(e.address) + "}";
}

std::string json_text(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;  // no control characters: read_report refuses them
    }
    return out + "\"";
}

void print_json(const device_report& r) {
    std::printf("{\"vendor\": \"%s\", \"class\": \"%s\", \"uptime_ms\": %llu, \"updating\": %s,\n"
                " \"received\": %llu, \"size\": %llu, \"accepted\": %llu, \"refused\": %llu,\n"
                " \"last_error\": %s, \"cause\": %s, \"note\": %s,\n \"hooks\": [",
                to_string(r.vendor).c_str(), to_string(r.device_class).c_str(), ull{r.uptime},
                r.updating ? "true" : "false", ull{r.received}, ull{r.size}, ull{r.accepted},
                ull{r.refused}, json_error(r.last_error).c_str(), json_error(r.cause).c_str(),
                json_text(r.note).c_str());
    const char* separator = "\n  ";
    for (const auto& c : r.components) {
        std::printf(
            "%s{\"hook\": \"%s\", \"name\": %s, \"tenant\": %s, \"sequence\": %llu,\n"
            "   \"installed\": %s, \"on_trial\": %s, \"reverted\": %s, \"image_size\": %llu,\n"
            "   \"state\": \"%s\", \"runs\": %llu, \"instructions\": %llu, \"longest_run\": %llu,\n"
            "   \"stack\": %llu, \"faults\": %llu, \"missed\": %llu, \"throttled\": %llu,\n"
            "   \"last_fault\": %s, \"trial_fault\": %s}",
            separator, to_string(c.hook).c_str(), json_text(c.name).c_str(),
            json_text(c.tenant).c_str(), ull{c.sequence}, c.installed ? "true" : "false",
            c.on_trial ? "true" : "false", c.reverted ? "true" : "false", ull{c.image_size},
            word_of(c.state), ull{c.runs}, ull{c.instructions}, ull{c.longest_run}, ull{c.stack},
            ull{c.faults}, ull{c.missed}, ull{c.throttled}, json_error(c.last_fault).c_str(),
            json_error(c.trial_fault).c_str());
        separator = ",\n  ";
    }
    std::printf("]}\n");
}

}  // namespace

int status(const status_options& o) {
    const coap_address device{o.device};
    if (o.connection.lose > 0) lose_messages(o.connection.lose);
    coap_node node;
    const auto session = node.open(device, {o.connection.timeout, o.connection.retries});
    const auto reply = get(node, session, "status");
    if (reply.code == 0) {
        std::fprintf(stderr, "femto status: %s: %s\n", device.host.c_str(), reply.text().c_str());
        return 3;
    }
    const auto report = read_report(reply.payload);
    if (!reply.ok() || !report) {
        std::fprintf(stderr, "femto status: %s: not a femto device (it answered %u)\n",
                     device.host.c_str(), reply.code);
        return 1;
    }
    if (o.json) print_json(*report);
    else print_text(device.host, *report);
    return 0;
}

}  // namespace femto_tool
