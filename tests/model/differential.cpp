// SPDX-License-Identifier: Apache-2.0
// Random programs on the model and on every machine: registers, memory, executed instructions and
// faults must be the same. Every program follows from its seed:
//   femto_differential [--seed FIRST] [--count N]
#include "model.hpp"

#include "../unit/every_vm.hpp"

#include <femto/disassembler.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

/// xorshift64*: the same numbers everywhere.
class random {
public:
    explicit random(std::uint64_t seed) : state_{seed * 2685821657736338717u + 88172645463325252u} {}
    std::uint64_t next() {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 2685821657736338717u;
    }
    std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>((next() >> 33) % n); }
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    /// Edges more often than chance would have them.
    std::int32_t value() {
        constexpr std::int32_t edges[]{0,  1,   -1,  2,      8,       16,         31,
                                       32, 63,  64,  0x7fff, -0x8000, 0x7fffffff, -0x7fffffff - 1,
                                       5,  255, 256, 65535};
        return one_in(2) ? edges[below(std::size(edges))] : static_cast<std::int32_t>(next());
    }

private:
    std::uint64_t state_;
};

/// A program that is verified: any row but calls, forward jumps and a few backward ones, accesses that
/// mostly hit the context.
std::vector<model::slot> make_program(random& r) {
    std::vector<model::slot> text;
    const std::uint32_t length = 5 + r.below(60);
    while (text.size() < length) {
        const auto& row = femto::instruction_list[r.below(femto::instruction_list.size())];
        using femto::format;
        if (row.group == femto::group::packet || row.format == format::call ||
            row.format == format::call_register || row.format == format::exit ||
            (row.format == format::load_imm64 && row.selector != 0)) {
            continue;
        }
        const auto& uses = femto::rules_of(row.format);
        auto dst = static_cast<std::uint8_t>(r.below(10));
        auto src = static_cast<std::uint8_t>(r.below(10));
        auto offset = static_cast<std::int16_t>(0);
        std::int32_t imm = 0;
        if (uses.offset == femto::use::selector) offset = static_cast<std::int16_t>(row.selector);
        if (uses.offset == femto::use::jump) {
            // Backwards now and then: the limit on steps ends what does not end by itself.
            offset = static_cast<std::int16_t>(r.one_in(8) ? -2 : static_cast<int>(r.below(6)));
        }
        if (uses.offset == femto::use::value) {
            offset = static_cast<std::int16_t>(r.one_in(30) ? r.value() : static_cast<std::int32_t>(r.below(60)));
            const bool load = row.format == format::load;
            auto& base = load ? src : dst;
            if (!r.one_in(20)) base = r.one_in(4) ? 10 : 1;  // r1 may have been overwritten
            if (base == 10) offset = static_cast<std::int16_t>(-8 * (1 + static_cast<int>(r.below(8))));
        }
        if (uses.immediate == femto::use::value) imm = r.value();
        if (uses.immediate == femto::use::selector) imm = static_cast<std::int32_t>(row.selector);
        if (uses.immediate == femto::use::jump) imm = static_cast<std::int32_t>(r.below(6));
        if (uses.destination == femto::use::none) dst = 0;
        if (uses.source != femto::use::read) src = 0;
        // r1 stays a pointer most of the time.
        if (uses.destination == femto::use::write && dst == 1 && !r.one_in(10)) dst = 2;
        text.push_back({row.opcode, static_cast<std::uint8_t>(dst | src << 4), offset, imm});
        if (row.format == format::load_imm64) text.push_back({0, 0, 0, r.value()});
    }
    for (int n = 0; n < 8; ++n) text.push_back({0x95, 0, 0, 0});  // where forward jumps may land
    return text;
}

femto::instruction convert(const model::slot& s) {
    return femto::instruction::make(s.opcode, s.registers & 15u, s.registers >> 4u, s.offset, s.imm);
}

constexpr std::uint64_t limit = 2000;

/// Compares one program on one machine; empty, or what differs.
template <femto::config Config>
std::string compare(const std::vector<model::slot>& slots, const std::vector<std::uint8_t>& input) {
    using machine = femto::vm<Config>;
    std::vector<femto::instruction> text;
    for (const auto& s : slots) text.push_back(convert(s));
    std::vector<std::uint8_t> scratch(text.size());
    const auto verified = machine::verify({text, {}, {}, {}}, scratch);
    if (!verified) return "refused";

    machine m;
    std::vector<std::byte> context(input.size());
    std::memcpy(context.data(), input.data(), input.size());
    const auto result = m.run(*verified, verified->entry(), context, limit);

    std::vector<std::uint8_t> expected = input;
    model::memory memory{m.memory().address_of(femto::region_number::context),
                         m.memory().address_of(femto::region_number::stack), expected};
    const auto o = model::run(slots, memory, result ? limit * 100 : m.executed());
    if (result.has_value() != (o.how == model::end::exit)) return "how it ended";
    if (!result && result.error().code != femto::errc::out_of_fuel) {
        if (o.how != model::end::memory_fault) return "a fault";
        if (result.error().pc != o.pc) return "where the fault was";
    }
    if (m.executed() != o.executed) return "instructions executed";
    if (m.state().r != o.r) return "registers";
    if (std::memcmp(context.data(), expected.data(), expected.size()) != 0) return "memory";
    return {};
}

bool check(std::uint64_t seed, std::uint64_t& refused) {
    random r{seed};
    const auto slots = make_program(r);
    std::vector<std::uint8_t> input(64);
    for (auto& b : input) b = static_cast<std::uint8_t>(r.next());
    bool good = true;
    test::on_every_vm<femto::config{}>([&](auto c) {
        constexpr femto::config configured = decltype(c)::value;
        const std::string difference = compare<configured>(slots, input);
        if (difference == "refused") {
            ++refused;
        } else if (!difference.empty()) {
            good = false;
            std::printf("FAILED: seed %llu, dispatch %d, address space %d: %s\n",
                        static_cast<unsigned long long>(seed), static_cast<int>(configured.dispatch),
                        static_cast<int>(configured.address_space), difference.c_str());
        }
    });
    if (!good) {
        std::vector<femto::instruction> text;
        for (const auto& s : slots) text.push_back(convert(s));
        for (std::size_t pc = 0; pc < text.size();) {
            const auto d = femto::disassemble(text, pc);
            std::printf("%4zu: %s\n", pc, std::string{d.text()}.c_str());
            pc += d.slots;
        }
    }
    return good;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t first = 1, count = 20000, refused = 0;
    for (int n = 1; n + 1 < argc; n += 2) {
        if (std::strcmp(argv[n], "--seed") == 0) first = std::strtoull(argv[n + 1], nullptr, 10);
        if (std::strcmp(argv[n], "--count") == 0) count = std::strtoull(argv[n + 1], nullptr, 10);
    }
    for (std::uint64_t n = 0; n < count; ++n) {
        if (!check(first + n, refused)) return 1;
    }
    refused /= 4;
    std::printf("%llu programs agree on 4 machines, %llu were refused\n",
                static_cast<unsigned long long>(count - refused),
                static_cast<unsigned long long>(refused));
    return refused * 2 < count ? 0 : 1;  // a generator of refused programs tests nothing
}
