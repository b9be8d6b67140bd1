// SPDX-License-Identifier: Apache-2.0
#include "cli.hpp"

namespace femto_tool {
namespace {

void add_connection(CLI::App* to, connection_options& o) {
    to->add_option("--timeout", o.timeout, "Seconds until a message is sent again, then doubled")
        ->check(CLI::Range(1.0, 60.0))
        ->capture_default_str();
    to->add_option("--retries", o.retries, "How often a message is sent again")
        ->check(CLI::Range(1, 20))
        ->capture_default_str();
    to->add_option("--lose", o.lose, "Percentage of messages to lose on purpose, to try it out")
        ->check(CLI::Range(0, 90));
}

}  // namespace

void add_device_commands(CLI::App& app, std::function<int()>& chosen) {
    auto [send, d] = add(
        app, chosen, "deploy", "Send an update to a device, or to a fleet", deploy,
        "  femto deploy average.suit coap://[2001:db8::7]\n"
        "  femto deploy average.suit --fleet devices.txt --canary 5% --parallel 50");
    send->add_option("envelope", d->envelope, "The envelope that femto sign wrote")->required();
    auto* one = send->add_option("device", d->device, "coap://HOST[:PORT]");
    send->add_option("--fleet", d->fleet, "A file with the URI of a device in each line")
        ->excludes(one);
    send->add_option("--canary", d->canary,
                     "So many devices first, a number or a percentage; the others only if they\n"
                     "took it")
        ->capture_default_str();
    send->add_option("--parallel", d->parallel, "Devices at a time")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    send->add_option("--max-failures", d->max_failures,
                     "Stops when more devices of a phase failed, a number or a percentage")
        ->capture_default_str();
    send->add_option("--state", d->state,
                     "What was done, so that the same command goes on after a stop.\n"
                     "Default: FLEET.DIGEST.rollout");
    send->add_option("--block", d->block, "Bytes of a block: 16 to 1024, a power of two")
        ->check(CLI::IsMember({16, 32, 64, 128, 256, 512, 1024}))
        ->capture_default_str();
    send->add_option("--trial", d->trial,
                     "Seconds to wait for the end of the trial, in which a fault rolls it back")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    send->add_flag("--quiet", d->quiet, "No progress bar");
    add_connection(send, d->connection);

    auto [ask, q] = add(app, chosen, "status", "What runs on a device, and how well", status,
                        "  femto status coap://127.0.0.1:5683");
    ask->add_option("device", q->device, "coap://HOST[:PORT]")->required();
    ask->add_flag("--json", q->json, "Print JSON");
    add_connection(ask, q->connection);

    auto [run, v] = add(app, chosen, "device", "Be a device: hooks, sensors, CoAP, updates", device,
                        "  femto keygen acme\n"
                        "  femto device --trust acme.pub --state device-1\n"
                        "  femto device --trust acme.pub --count 1000 --list devices.txt");
    run->add_option("--trust", v->trust,
                    "A public key that may update these hooks, KEY.pub[:HOOK,HOOK]; without hooks\n"
                    "all. Its tenant has the name of the file. Repeatable. Hooks: scheduler,\n"
                    "timer, coap")
        ->allow_extra_args(false);
    v->listen = "127.0.0.1:5683";
    run->add_option("--listen", v->listen, "HOST:PORT; port 0 for any free one")
        ->capture_default_str();
    run->add_option("--state", v->state,
                    "Folder with the slots, which survives the end of this program.\n"
                    "Default: memory, which does not");
    v->vendor = default_vendor;
    v->device_class = default_class;
    run->add_option("--vendor", v->vendor, "What it is: a domain, or a UUID")
        ->capture_default_str();
    run->add_option("--class", v->device_class, "What it is: a name, or a UUID")
        ->capture_default_str();
    run->add_option("--count", v->count, "So many devices, each on a port of its own")
        ->check(CLI::Range(1, 5000))
        ->capture_default_str();
    run->add_option("--list", v->list,
                    "Write the URIs of the devices to this file when all listen");
    run->add_option("--lose", v->lose, "Percentage of messages to lose on purpose")
        ->check(CLI::Range(0, 90));
}

}  // namespace femto_tool
