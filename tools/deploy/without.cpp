// SPDX-License-Identifier: Apache-2.0
// Instead of the rest of this folder, when it is configured with FEMTO_DEPLOY=OFF.
#include "commands.hpp"

namespace femto_tool {

void add_deploy_commands(CLI::App&, std::function<int()>&) {}

}  // namespace femto_tool
