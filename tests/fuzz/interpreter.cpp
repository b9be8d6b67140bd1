// SPDX-License-Identifier: Apache-2.0
// Programs, their memory and their fuel: every dispatcher in every address space does what the model
// does, in one go and in portions, and no sanitizer trips.
#include "fuzz.hpp"
#include "program_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const model::scenario s = fuzz::read_scenario(data, size);
    test::on_every_vm<model::compared>([&](auto c) {
        model::verdict verdict;
        fuzz::require_empty(model::compare<decltype(c)>(s, verdict));
    });
    return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max, unsigned seed) {
    return fuzz::mutate_program(data, size, max, seed, 16);
}
