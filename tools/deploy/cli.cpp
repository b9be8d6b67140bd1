// SPDX-License-Identifier: Apache-2.0
#include "cli.hpp"

#include <map>

namespace femto_tool {
namespace {

void add_keys(CLI::App& app, std::function<int()>& chosen) {
    auto [make, k] = add(app, chosen, "keygen", "Make a key pair to sign updates with", keygen,
                         "  femto keygen acme            writes acme.key (0600) and acme.pub");
    make->add_option("name", k->name, "Writes NAME.key and NAME.pub; never over existing files")
        ->required();
    const std::map<std::string, femto::update::key_type> types{
        {"ed25519", femto::update::key_type::ed25519}, {"p256", femto::update::key_type::p256}};
    make->add_option("--type", k->type, "ed25519 (default) or p256")
        ->transform(CLI::CheckedTransformer(types));
    make->add_flag("--passphrase", k->passphrase, "Seal the private key; asks at the terminal");
    make->add_option("--passphrase-file", k->passphrase_file,
                     "Seal the private key with the first line of this file");

    auto [seal, s] = add(
        app, chosen, "sign", "Make a signed update of a container", sign,
        "  femto sign average.o --key acme.key\n"
        "  femto sign average.img --key acme.key --uri coap://[2001:db8::1]/average-2.img\n"
        "  femto sign average.img --public-key acme.pub \\\n"
        "        --signer 'openssl pkeyutl -sign -rawin -inkey acme.pem -in \"$1\"'");
    seal->add_option("container", s->image,
                     "The image that femto pack wrote, or an object, which is packed as its source\n"
                     "says (FEMTO_HOOK, FEMTO_REQUEST) for --hook if that is given")
        ->required();
    seal->add_option("-o,--output", s->output, "The envelope; default: CONTAINER.suit");
    seal->add_option("--key", s->key, "The private key");
    seal->add_option("--passphrase-file", s->passphrase_file,
                     "The first line unseals the key; default: asks at the terminal");
    seal->add_option("--signer", s->signer,
                     "Instead of --key: a shell command that signs. It reads the message from\n"
                     "standard input or the file $1, and writes 64 bytes, or DER, to its output");
    seal->add_option("--public-key", s->public_key, "With --signer: the key it signs with");
    seal->add_option("--sequence", s->sequence,
                     "The version: devices refuse lower ones. Default: the time, in seconds")
        ->check([](const std::string& text) -> std::string {  // strtoull takes "-1"
            return text.find_first_not_of("0123456789") == text.npos ? "" : "not a number: " + text;
        });
    seal->add_option("--hook", s->hook,
                     "UUID or name of the hook; default: the one that the container is for");
    s->vendor = default_vendor;
    s->device_class = default_class;
    seal->add_option("--vendor", s->vendor, "For devices of this vendor: its domain, or a UUID")
        ->capture_default_str();
    seal->add_option("--class", s->device_class, "For devices of this class: its name, or a UUID")
        ->capture_default_str();
    seal->add_option("--device", s->device, "For the device with this UUID only");
    seal->add_option("--uri", s->uri,
                     "Devices fetch the image from here (coap://); writes it beside the envelope.\n"
                     "Default: the image goes inside the envelope");

    auto* manifest = app.add_subcommand("manifest", "Look at signed updates");
    manifest->require_subcommand(1);
    auto [show, m] = add(*manifest, chosen, "show", "An envelope in plain words", show_manifest,
                         "  femto manifest show average.suit --trust acme.pub");
    show->add_option("envelope", m->envelope, "The file, - for standard input")->required();
    show->add_option("--trust", m->trust, "A public key to check the signature with; repeatable")
        ->allow_extra_args(false);
}

void add_publish(CLI::App& app, std::function<int()>& chosen) {
    auto [give, p] = add(app, chosen, "publish", "Put updates where devices fetch them", publish,
                         "  femto publish average.suit average.img --to www\n"
                         "  femto publish average.suit average.img --serve '[::]:5683'");
    give->add_option("files", p->files, "Envelopes, and the images they name")->required();
    give->add_option("--to", p->folder, "A folder that a CoAP or HTTP server serves");
    give->add_option("--serve", p->serve, "Serve them from here by CoAP: HOST:PORT");
    give->add_option("--pace", p->pace, "Milliseconds each answer takes, as in a slow network")
        ->check(CLI::Range(0, 10000));
    give->add_option("--lose", p->lose, "Percentage of messages to lose on purpose")
        ->check(CLI::Range(0, 90));

}

}  // namespace

void add_deploy_commands(CLI::App& app, std::function<int()>& chosen) {
    add_keys(app, chosen);
    add_publish(app, chosen);
    add_device_commands(app, chosen);
}

}  // namespace femto_tool
