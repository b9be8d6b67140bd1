// SPDX-License-Identifier: Apache-2.0
// The instruction tests: text files that state a program, its result and the number of instructions
// it executes. README.md in this folder describes them. Knows no OS, allocates nothing and runs in
// constant expressions, so that the same files are run on hosts, on boards and by the compiler.
#pragma once

#include <femto/assembler.hpp>
#include <femto/describe.hpp>
#include <femto/vm.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace conformance {

/// What a file came to. `line` and `why` tell of the first failure.
struct summary {
    std::uint32_t passed = 0;
    std::uint32_t failed = 0;
    std::uint32_t line = 0;
    std::string_view why;
    std::array<bool, femto::instruction_list.size()> seen{};  ///< rows that occurred in programs
};

namespace detail {

using femto::instruction;

constexpr std::string_view trim(std::string_view s) {
    while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
    while (!s.empty() && (s.back() == ' ' || s.back() == '\t' || s.back() == '\r')) {
        s.remove_suffix(1);
    }
    return s;
}
/// Takes the first word off `line`.
constexpr std::string_view word(std::string_view& line) {
    line = trim(line);
    std::size_t n = 0;
    while (n < line.size() && line[n] != ' ') ++n;
    const auto w = line.substr(0, n);
    line = trim(line.substr(n));
    return w;
}
constexpr std::uint64_t number(std::string_view w) {
    const bool negative = w.starts_with("-");
    if (negative) w.remove_prefix(1);
    const bool hex = w.starts_with("0x");
    if (hex) w.remove_prefix(2);
    std::uint64_t value = 0;
    for (const char c : w) {
        value = value * (hex ? 16 : 10) +
                static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return negative ? 0 - value : value;
}
constexpr femto::errc errc_named(std::string_view name) {
    for (const auto& d : femto::error_descriptions) {
        if (d.name == name) return d.code;
    }
    return femto::errc::ok;
}

struct memory_image {
    std::array<std::byte, 64> bytes{};
    std::size_t size = 0;

    constexpr void parse(std::string_view hex) {
        size = 0;
        while (!hex.empty() && size < bytes.size()) {
            bytes[size++] = static_cast<std::byte>(number_of(word(hex)));
        }
    }

private:
    static constexpr std::uint64_t number_of(std::string_view two) {
        std::uint64_t value = 0;
        for (const char c : two) {
            value = value * 16 + static_cast<std::uint64_t>(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        return value;
    }
};

/// A program of few slots.
struct text {
    std::array<instruction, 64> slots{};
    std::size_t size = 0;

    constexpr void add(instruction i) { slots[size++] = i; }
    constexpr void lddw(unsigned reg, std::uint64_t value) {
        add(instruction::make(0x18, reg, 0, 0, static_cast<std::int32_t>(value)));
        add(instruction::make(0, 0, 0, 0, static_cast<std::int32_t>(value >> 32)));
    }
};

/// Runs the files of one machine. `Helpers` are those of the suite, see `suite_helpers`.
template <class Vm>
class runner {
public:
    constexpr explicit runner(summary& to) : to_{to} {}

    constexpr void file(std::string_view source) {
        while (!source.empty()) {
            ++line_;
            const std::size_t end = source.find('\n');
            std::string_view line = trim(source.substr(0, end));
            const std::string_view rest =
                end == source.npos ? std::string_view{} : source.substr(end + 1);
            if (line == "program" || line == "slots") {
                const std::size_t stop = rest.find("\nend");
                if (stop == rest.npos) return failed("program without end");
                if (line == "program") {
                    program(rest.substr(0, stop + 1));
                } else {
                    slots(rest.substr(0, stop + 1));
                }
                for (const char c : rest.substr(0, stop + 1)) line_ += c == '\n' ? 1 : 0;
                ++line_;
                const std::size_t after = rest.find('\n', stop + 1);
                std::string_view expected = rest.substr(stop + 4, after - stop - 4);
                expect(trim(expected));
                source = after == rest.npos ? std::string_view{} : rest.substr(after + 1);
                continue;
            }
            source = rest;
            if (!line.empty() && line[0] != '#') shorthand(line);
        }
    }

private:
    constexpr void failed(std::string_view why) {
        if (to_.failed++ == 0) {
            to_.line = line_;
            to_.why = why;
        }
    }
    constexpr void check(bool good, std::string_view why) {
        if (good) {
            ++to_.passed;
        } else {
            failed(why);
        }
    }

    constexpr void shorthand(std::string_view line) {
        const auto kind = word(line);
        if (kind == "memory") return before_.parse(line);
        if (kind == "after") {
            memory_image expected;
            expected.parse(line);
            return check(expected.size == after_.size && expected.bytes == after_.bytes,
                         "memory afterwards");
        }
        const auto mnemonic = word(line);
        const std::uint64_t a = number(word(line));
        if (kind == "unary") {
            word(line);  // =
            return unary(mnemonic, a, number(word(line)));
        }
        const std::uint64_t b = number(word(line));
        if (kind == "alu") {
            word(line);
            return alu(mnemonic, a, b, number(word(line)));
        }
        if (kind == "jump") return jump(mnemonic, a, b, word(line) == "yes");
        failed("what kind of line is this?");
    }

    static constexpr const femto::instruction_info* row(std::string_view mnemonic,
                                                        femto::format f) {
        for (const auto& r : femto::instruction_list) {
            if (r.format == f && r.mnemonic == mnemonic) return &r;
        }
        return nullptr;
    }
    /// An instruction of a row, its selector put where it belongs.
    static constexpr instruction make(const femto::instruction_info& r, unsigned dst, unsigned src,
                                      std::int32_t offset, std::int32_t imm) {
        const auto& uses = femto::rules_of(r.format);
        const auto selector = static_cast<std::int32_t>(r.selector);
        return instruction::make(r.opcode, dst, src,
                                 uses.offset == femto::use::selector ? selector : offset,
                                 uses.immediate == femto::use::selector ? selector : imm);
    }
    static constexpr bool fits(std::uint64_t value) {
        return value == static_cast<std::uint64_t>(
                            std::int64_t{static_cast<std::int32_t>(value)});
    }

    constexpr void unary(std::string_view mnemonic, std::uint64_t a, std::uint64_t result) {
        const auto* r = row(mnemonic, femto::format::unary);
        if (r == nullptr) r = row(mnemonic, femto::format::swap);
        if (r == nullptr) return failed("no such mnemonic");
        text_ = {};
        text_.lddw(0, a);
        text_.add(make(*r, 0, 0, 0, 0));
        text_.add(instruction::make(0x95));
        value(result, 3);
    }
    /// r0 = a op b with registers and, where b fits, with an immediate.
    constexpr void alu(std::string_view mnemonic, std::uint64_t a, std::uint64_t b,
                       std::uint64_t result) {
        if (const auto* r = row(mnemonic, femto::format::alu_reg)) {
            text_ = {};
            text_.lddw(0, a);
            text_.lddw(1, b);
            text_.add(make(*r, 0, 1, 0, 0));
            text_.add(instruction::make(0x95));
            value(result, 4);
        } else {
            return failed("no such mnemonic");
        }
        const auto* r = row(mnemonic, femto::format::alu_imm);
        const bool low_is_enough = mnemonic.ends_with("32") && (b >> 32) == 0;
        if (r != nullptr && (fits(b) || low_is_enough)) {
            text_ = {};
            text_.lddw(0, a);
            text_.add(make(*r, 0, 0, 0, static_cast<std::int32_t>(b)));
            text_.add(instruction::make(0x95));
            value(result, 3);
        }
    }
    constexpr void jump(std::string_view mnemonic, std::uint64_t a, std::uint64_t b, bool taken) {
        for (const auto f : {femto::format::branch_reg, femto::format::branch_imm}) {
            const auto* r = row(mnemonic, f);
            if (r == nullptr) return failed("no such mnemonic");
            const bool immediate = f == femto::format::branch_imm;
            const bool low_is_enough = mnemonic.ends_with("32") && (b >> 32) == 0;
            if (immediate && !fits(b) && !low_is_enough) return;
            text_ = {};
            text_.lddw(1, a);
            text_.lddw(2, b);
            text_.add(instruction::make(0xb7, 0, 0, 0, 1));
            text_.add(immediate ? make(*r, 1, 0, 1, static_cast<std::int32_t>(b))
                                : make(*r, 1, 2, 1, 0));
            text_.add(instruction::make(0xb7, 0, 0, 0, 0));
            text_.add(instruction::make(0x95));
            value(taken ? 1 : 0, taken ? 5 : 6);
        }
    }

    constexpr void program(std::string_view source) {
        text_ = {};
        const auto size = femto::assemble(source, text_.slots);
        if (!size.has_value()) return failed("does not assemble");
        text_.size = *size;
    }
    /// A line a slot: its eight bytes, in the order of section 3.1 for a little-endian host.
    constexpr void slots(std::string_view source) {
        text_ = {};
        while (!source.empty()) {
            const std::size_t end = source.find('\n');
            std::string_view line = trim(source.substr(0, end));
            source = end == source.npos ? std::string_view{} : source.substr(end + 1);
            if (line.empty()) continue;
            memory_image m;
            m.parse(line);
            if (m.size != 8 || text_.size == text_.slots.size()) return failed("not a slot");
            const auto word = [&](std::size_t at) {
                std::uint32_t w = 0;
                for (std::size_t n = 4; n-- > 0;) w = w << 8 | std::to_integer<std::uint32_t>(m.bytes[at + n]);
                return instruction::guest(w);
            };
            text_.add({word(0), word(4)});
        }
    }

    struct outcome {
        femto::errc refused = femto::errc::ok;
        femto::error fault{};
        std::uint64_t value = 0;
        std::uint32_t executed = 0;
    };
    constexpr outcome run() {
        outcome o;
        const std::span<const instruction> slots{text_.slots.data(), text_.size};
        for (std::size_t pc = 0; pc < slots.size(); ++pc) {
            if (const auto* info = femto::find_info(slots[pc])) {
                to_.seen[static_cast<std::size_t>(info - femto::instruction_list.data())] = true;
                if (info->format == femto::format::load_imm64) ++pc;
            }
        }
        std::array<std::uint8_t, 64> scratch{};
        const auto verified = Vm::verify({slots, {}, {}, {}}, scratch);
        if (!verified.has_value()) {
            o.fault = verified.error();
            o.refused = o.fault.code;
            return o;
        }
        Vm machine;
        after_ = before_;
        const auto r = machine.run(*verified, verified->entry(),
                                   std::span<std::byte>{after_.bytes.data(), after_.size}, 10000);
        o.executed = machine.executed();
        if (r.has_value()) {
            o.value = *r;
        } else {
            o.fault = r.error();
        }
        return o;
    }
    constexpr void value(std::uint64_t result, std::uint32_t count) {
        const outcome o = run();
        if (o.fault.code != femto::errc::ok) return failed(femto::describe(o.fault.code).name);
        check(o.value == result, "r0");
        check(o.executed == count, "instructions executed");
    }
    /// `r0 VALUE count N`, `fault NAME at SLOT count N [address A]`, `refused NAME at SLOT`.
    constexpr void expect(std::string_view line) {
        const auto kind = word(line);
        if (kind == "r0") {
            const std::uint64_t result = number(word(line));
            word(line);  // count
            return value(result, static_cast<std::uint32_t>(number(word(line))));
        }
        if (kind != "fault" && kind != "refused") return failed("what is expected?");
        const auto code = errc_named(word(line));
        word(line);  // at
        const auto pc = static_cast<std::uint32_t>(number(word(line)));
        const outcome o = run();
        check(o.fault.code == code && code != femto::errc::ok, "which error");
        check((o.refused != femto::errc::ok) == (kind == "refused"), "refused or faulted");
        check(o.fault.pc == pc, "where");
        while (!line.empty()) {
            const auto what = word(line);
            const std::uint64_t expected = number(word(line));
            if (what == "count") check(o.executed == expected, "instructions executed");
            // Guest addresses are the same everywhere in the segmented space only.
            if (what == "address" && Vm::memory_type::space == femto::address_space::segmented) {
                check(o.fault.address == expected, "address");
            }
        }
    }

    summary& to_;
    std::uint32_t line_ = 0;
    text text_;
    memory_image before_, after_;
};

}  // namespace detail

/// Helper 1 adds its arguments, helper 2 returns its argument and charges it as instructions.
constexpr std::uint64_t add5(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                             std::uint64_t e) {
    return a + b + c + d + e;
}
constexpr std::uint64_t charge(femto::caller& c, std::uint32_t n) {
    c.charge(n);
    return n;
}
using suite_helpers =
    femto::helper_set<femto::helper<1, "add5", &add5>, femto::helper<2, "charge", &charge>>;

/// Runs one file on machines of type `Vm`, with `suite_helpers`.
template <class Vm>
constexpr summary run_file_on(std::string_view source) {
    summary s;
    detail::runner<Vm> r{s};
    r.file(source);
    return s;
}
template <femto::config Config>
constexpr summary run_file(std::string_view source) {
    return run_file_on<femto::vm<Config, suite_helpers>>(source);
}

}  // namespace conformance
