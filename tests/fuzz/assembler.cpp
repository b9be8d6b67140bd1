// SPDX-License-Identifier: Apache-2.0
// The first byte chooses: any bytes as source text, which assembles or is refused at a place in it;
// or any slots, whose text in either syntax assembles to the same slots.
#include "fuzz.hpp"

#include <femto/assembler.hpp>
#include <femto/disassembler.hpp>

#include <algorithm>

namespace {

std::string listing(std::span<const femto::instruction> text, femto::syntax s) {
    std::string all;
    for (std::size_t pc = 0; pc < text.size();) {
        const auto d = femto::disassemble(text, pc, s);
        all += d.text();
        all += '\n';
        pc += d.slots;
    }
    return all;
}

/// The canonical form of an instruction: unused fields zero, and a text that is its own alone. LLVM
/// prints every kind of call alike.
bool canonical(std::span<const femto::instruction> text, std::size_t pc, femto::syntax s) {
    const auto i = text[pc];
    const auto* row = femto::find_info(i);
    if (row == nullptr) return false;
    const auto& uses = femto::rules_of(row->format);
    using femto::use;
    if ((uses.destination == use::none && i.dst() != 0) || (uses.source == use::none && i.src() != 0) ||
        (uses.offset == use::none && i.offset() != 0) ||
        (uses.immediate == use::none && i.imm() != 0)) {
        return false;
    }
    if (row->format == femto::format::call_register && i.imm() != 0) return false;
    if (row->format == femto::format::call && s == femto::syntax::llvm && i.src() != 0) return false;
    if (row->format == femto::format::legacy) return false;  // one text for several encodings
    if (row->format != femto::format::load_imm64) return true;
    return pc + 1 < text.size() && text[pc + 1].fields == 0 && (i.src() == 0 || text[pc + 1].imm() == 0);
}

/// Disassembles, then assembles the canonical instructions of `all`.
void round_trip(std::span<const femto::instruction> all, femto::syntax s) {
    std::vector<femto::instruction> text;
    for (std::size_t pc = 0; pc < all.size(); ++pc) {
        const std::size_t slots = all[pc].opcode() == 0x18 && pc + 1 < all.size() ? 2 : 1;
        const auto part = all.subspan(pc, slots);
        if (canonical(part, 0, s)) text.insert(text.end(), part.begin(), part.end());
        pc += slots - 1;
    }
    const std::string source = listing(text, s);
    std::vector<femto::instruction> again(text.size() + 1);
    const auto size = femto::assemble(source, again);
    if (!size) {
        std::fprintf(stderr, "%s", source.c_str());
        fuzz::require(false, "what was disassembled does not assemble");
    }
    again.resize(*size);
    if (text != again) {
        std::fprintf(stderr, "%s%s", source.c_str(), listing(again, s).c_str());
        fuzz::require(false, "what was disassembled assembles to something else");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0 || size > 4096) return 0;
    if (data[0] == 0) {
        fuzz::reader r{data + 1, size - 1};
        std::vector<femto::instruction> text;
        while (!r.rest().empty()) {
            const auto fields = r.value<std::uint32_t>();
            text.push_back({femto::instruction::guest(fields),
                            femto::instruction::guest(r.value<std::uint32_t>())});
        }
        static_cast<void>(listing(text, femto::syntax::llvm));
        static_cast<void>(listing(text, femto::syntax::mnemonic));
        round_trip(text, femto::syntax::llvm);
        round_trip(text, femto::syntax::mnemonic);
        return 0;
    }
    const std::string source(reinterpret_cast<const char*>(data), size);
    std::vector<femto::instruction> text(64);
    const auto slots = femto::assemble(source, text);
    if (!slots) {
        const auto lines = static_cast<std::size_t>(std::ranges::count(source, '\n')) + 1;
        if (slots.error().code == femto::errc::no_space) return 0;
        fuzz::require(slots.error().pc >= 1 && slots.error().pc <= lines, "a line outside the source");
        fuzz::require(slots.error().address >= 1 && slots.error().address <= size + 1, "a column outside the source");
        return 0;
    }
    text.resize(*slots);
    round_trip(text, femto::syntax::llvm);
    round_trip(text, femto::syntax::mnemonic);
    return 0;
}
