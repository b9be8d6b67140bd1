// SPDX-License-Identifier: Apache-2.0
// Any bytes as an image of Femto-Containers: loaded into memory of the input's own size, verified,
// run in both address spaces.
#include "fuzz.hpp"

#include "../model/machines.hpp"

#include <femto/rbpf_image.hpp>

namespace {

template <femto::config Config>
void run(const femto::program& p) {
    using vm = femto::vm<Config, model::helpers::all>;
    std::vector<std::uint8_t> scratch(femto::scratch_size(p));
    const auto verified = vm::verify(p, scratch);
    if (!verified) return;
    vm m;
    std::vector<std::byte> context(16);
    static_cast<void>(m.run(*verified, verified->entry(), std::span{context}, 300));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::copy(data, size);
    static_cast<void>(femto::is_rbpf_image(file));
    std::vector<std::byte> ram(size);
    std::vector<femto::function> functions(size / 6 + 1);
    std::vector<femto::instruction> text(size / 8 + 1);
    const auto program = femto::load_rbpf(file, {ram, functions, text});
    if (!program) {
        fuzz::require(program.error().code != femto::errc::ok, "no cause");
        fuzz::require(program.error().code != femto::errc::storage_too_small, "sizes beyond the file");
        return 0;
    }
    for (const auto& f : program->functions) {
        fuzz::require(f.start < program->text.size(), "a function outside the text");
    }
    run<femto::config{}>(*program);
    run<femto::config{.address_space = femto::address_space::flat,
                      .dispatch = femto::dispatch::compact}>(*program);
    return 0;
}
