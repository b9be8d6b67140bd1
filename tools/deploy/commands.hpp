// SPDX-License-Identifier: Apache-2.0
// The subcommands of `femto` that sign, publish, deploy, and simulate devices. Exit statuses:
// 0 done; 1 refused or failed; 2 a file or an argument is wrong; 3 no answer.
#pragma once

#include <femto/update/crypto.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace femto_tool {

/// Adds the subcommands to `app`; the one that is parsed puts itself into `chosen`.
void add_deploy_commands(CLI::App& app, std::function<int()>& chosen);

struct keygen_options {
    std::string name;
    femto::update::key_type type = femto::update::key_type::ed25519;
    bool passphrase = false;
    std::string passphrase_file;
};
int keygen(const keygen_options& o);

struct sign_options {
    std::string image, output;
    std::string key, passphrase_file, signer, public_key;
    std::optional<std::uint64_t> sequence;
    std::string hook, vendor, device_class, device, uri;
};
int sign(const sign_options& o);

struct show_options {
    std::string envelope;
    std::vector<std::string> trust;  ///< public keys
};
int show_manifest(const show_options& o);

struct publish_options {
    std::vector<std::string> files;
    std::string folder, serve;
    unsigned pace = 0, lose = 0;
};
int publish(const publish_options& o);

struct connection_options {
    double timeout = 2.0;
    unsigned retries = 4;
    unsigned lose = 0;
};

struct deploy_options {
    std::string envelope, device, fleet, state;
    std::string canary = "0";
    std::string max_failures = "10%";
    unsigned parallel = 20;
    unsigned block = 1024;
    double trial = 5;
    bool quiet = false;
    connection_options connection;
};
int deploy(const deploy_options& o);
int deploy_fleet(const deploy_options& o);

struct status_options {
    std::string device;
    bool json = false;
    connection_options connection;
};
int status(const status_options& o);

struct device_options {
    std::vector<std::string> trust;  ///< KEY.pub[:HOOK,HOOK]
    std::string listen, state, list, vendor, device_class;
    unsigned count = 1, lose = 0;
};
int device(const device_options& o);

}  // namespace femto_tool
