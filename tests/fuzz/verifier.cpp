// SPDX-License-Identifier: Apache-2.0
// Any text, with any entry points and grants: the verifier accepts what the naive judgement accepts,
// and refuses with a place inside the text. What it accepts runs on one machine.
#include "fuzz.hpp"
#include "program_input.hpp"

namespace {

template <femto::config Config>
void check(const model::scenario& s) {
    using vm = femto::vm<Config, model::helpers::all>;
    std::vector<femto::instruction> text;
    for (const auto& i : s.text) text.push_back(model::convert(i));
    std::vector<femto::function> functions;
    for (const auto f : s.functions) functions.push_back({"f", f});
    std::vector<std::uint8_t> scratch(text.size());
    const auto verified = vm::verify({text, {}, {}, functions}, scratch, s.granted);
    const auto judged = model::judge(s.text, s.functions,
                                     {Config.max_instructions, Config.stack_size,
                                      Config.max_call_depth, model::granted_helpers(s)});
    fuzz::require(verified.has_value() == judged.legal,
                  judged.legal ? "refused although it is legal" : "accepted although it is not");
    if (!verified) {
        fuzz::require(verified.error().code != femto::errc::ok, "a refusal without a cause");
        fuzz::require(text.empty() || verified.error().pc < text.size(), "a refusal outside");
        return;
    }
    fuzz::require(verified->frame_size() == judged.frame_size, "the size of frames");
    fuzz::require(verified->call_limit() == judged.call_limit, "how deep calls may nest");
    for (std::uint32_t pc = 0; pc <= text.size(); ++pc) {
        fuzz::require(verified->is_function(pc) == (judged.entries.count(pc) != 0), "an entry");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const model::scenario s = fuzz::read_scenario(data, size);
    check<model::compared>(s);
    check<femto::config{.max_instructions = 40, .stack_size = 64, .max_call_depth = 0}>(s);
    check<femto::config{.stack_size = 4096, .max_call_depth = 60}>(s);
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
    return fuzz::mutate_program(data, size, max, seed, 2);
}
