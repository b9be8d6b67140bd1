// SPDX-License-Identifier: Apache-2.0
#include "../container.hpp"
#include "deployment.hpp"
#include "../hooks.hpp"
#include "key_file.hpp"
#include "progress.hpp"

#include <cstdio>

namespace femto_tool {

int deploy(const deploy_options& o) {
    start_crypto();
    if (!o.fleet.empty()) return deploy_fleet(o);
    if (o.device.empty()) throw user_error{"say where to: coap://HOST[:PORT], or --fleet FILE"};
    const shipment what{o};
    const coap_address device{o.device};
    if (o.connection.lose > 0) lose_messages(o.connection.lose);
    coap_node node;
    timers clock;
    progress_line line{o.quiet};
    std::optional<deployment_result> result;
    deployment::start(
        node, clock, what, device,
        [&](const std::string& doing, auto done, auto of) { line.show(doing, done, of); },
        [&](const auto& r) { result = r; });
    while (!result) {
        node.run(20);
        clock.run();
    }
    line.clear();
    std::printf("%s: %s: sequence %llu on hook %s%s%s\n", device.host.c_str(), word_of(result->how),
                static_cast<unsigned long long>(what.view.manifest.sequence_number),
                hook_title(what.hook).c_str(), result->words.empty() ? "" : "\n  ",
                result->words.c_str());
    if (result->how == outcome::refused) std::printf("  what ran before still runs\n");
    if (result->how == outcome::rolled_back)
        std::printf("  the version before it runs again, if there was one\n");
    return good(result->how) ? 0 : result->how == outcome::no_answer ? 3 : 1;
}

}  // namespace femto_tool
