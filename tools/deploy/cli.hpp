// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "commands.hpp"
#include "uuid.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace femto_tool {

/// A subcommand whose options live as long as `app`, and which runs `command` with them.
template <class Options>
std::pair<CLI::App*, Options*> add(CLI::App& app, std::function<int()>& chosen, const char* name,
                                   const char* text, int (*command)(const Options&),
                                   const std::string& example) {
    auto options = std::make_shared<Options>();
    auto* added = app.add_subcommand(name, text);
    added->footer("Exit status: 0 done; 1 refused, failed or not verified; 2 a file or an argument\n"
                  "is wrong; 3 no answer.\n\nExample:\n" + example);
    added->final_callback([options, command, &chosen] {
        chosen = [options, command] { return command(*options); };
    });
    return {added, options.get()};
}

/// deploy, status, device.
void add_device_commands(CLI::App& app, std::function<int()>& chosen);

}  // namespace femto_tool
