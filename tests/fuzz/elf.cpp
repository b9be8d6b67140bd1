// SPDX-License-Identifier: Apache-2.0
// Any bytes as an ELF object: loaded into exactly the memory it asks for, in both address spaces and
// in place where it may, then verified and run for a while.
#include "fuzz.hpp"

#include "../model/machines.hpp"

#include <femto/elf.hpp>

#include <optional>

namespace {

template <femto::config Config>
void load_and_run(const femto::elf_object& object, bool in_place) {
    using vm = femto::vm<Config, model::helpers::all>;
    const auto needs = object.requirements();
    fuzz::require(needs.text <= 0x10000000 && needs.rodata <= 0x20000000 && needs.data <= 0x20000000,
                  "more memory than is allowed");
    if (needs.data > 1u << 20) return;  // bss and common of any size: no need to touch it all
    const bool no_text = in_place && needs.text_in_place;
    const bool no_rodata = in_place && needs.rodata_in_place;
    std::vector<femto::instruction> text(no_text ? 0 : needs.text);
    std::vector<std::byte> rodata(no_rodata ? 0 : needs.rodata), data(needs.data);
    std::vector<femto::function> functions(needs.functions);
    const auto program = load_elf(
        object, {text, rodata, data, functions}, Config.address_space,
        [](std::string_view name) { return std::optional<std::uint32_t>(name.size() % 12); });
    if (!program) return fuzz::require(program.error().code != femto::errc::ok, "no cause");
    std::vector<std::uint8_t> scratch(femto::scratch_size(*program));
    const auto verified = vm::verify(*program, scratch);
    if (!verified) return;
    vm m;
    std::vector<std::byte> context(32);
    static_cast<void>(m.run(*verified, verified->entry(), std::span{context}, 300));
    for (const auto& f : program->functions) {
        const auto entry = verified->entry(f.name);
        fuzz::require(entry.has_value(), "a function without an entry");
        static_cast<void>(m.run(*verified, *entry, std::span{context}, 100));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto file = fuzz::copy(data, size);
    const auto object = femto::elf_object::open(file);
    if (!object) {
        fuzz::require(object.error().code != femto::errc::ok, "no cause");
        return 0;
    }
    for (std::uint32_t pc = 0; pc < 4; ++pc) static_cast<void>(object->locate(pc));
    static_cast<void>(object->find_section(".BTF"));
    using femto::address_space;
    load_and_run<femto::config{}>(*object, false);
    load_and_run<femto::config{}>(*object, true);
    load_and_run<femto::config{.address_space = address_space::flat,
                               .dispatch = femto::dispatch::compact}>(*object, false);
    return 0;
}
