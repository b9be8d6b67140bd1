// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/result.hpp>
#include <femto/syntax.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace femto {
namespace detail {

[[nodiscard]] constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
[[nodiscard]] constexpr bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '.' || c == '$';
}
[[nodiscard]] constexpr bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// A cursor in one line of source.
struct line_reader {
    std::string_view line;
    std::size_t at = 0;

    [[nodiscard]] constexpr char peek() const { return at < line.size() ? line[at] : '\0'; }
    constexpr void skip_spaces() {
        while (is_space(peek())) ++at;
    }
    constexpr bool take(char c) {
        if (peek() != c) return false;
        ++at;
        return true;
    }
    constexpr std::string_view word() {
        const std::size_t first = at;
        while (is_word(peek())) ++at;
        return line.substr(first, at - first);
    }
};

/// One source text: its lines, and where its labels lead. Nothing is stored: a label is looked for
/// from the start each time, which costs time linear in the text.
class source_text {
public:
    constexpr explicit source_text(std::string_view text) : text_{text} {}

    /// The next line without comment and surrounding spaces; false at the end.
    constexpr bool next(std::string_view& line) {
        if (at_ >= text_.size()) return false;
        ++number;
        const std::size_t end = text_.find('\n', at_);
        line = text_.substr(at_, end == text_.npos ? text_.npos : end - at_);
        at_ = end == text_.npos ? text_.size() : end + 1;
        const std::size_t full = line.size();
        line = line.substr(0, line.find_first_of("#;"));
        line = line.substr(0, line.find("//"));
        while (!line.empty() && is_space(line.back())) line.remove_suffix(1);
        while (!line.empty() && is_space(line.front())) line.remove_prefix(1);
        column = line.empty() ? full : static_cast<std::size_t>(line.data() - begin(end));
        return true;
    }
    /// Takes a `name:` off the front of `line`.
    constexpr std::string_view take_label(std::string_view& line) {
        line_reader r{line};
        const std::string_view name = r.word();
        if (name.empty() || !r.take(':')) return {};
        r.skip_spaces();
        column += r.at;
        line.remove_prefix(r.at);
        return name;
    }
    /// Slots of the instruction in `line`: none, one, or two for a lddw.
    [[nodiscard]] static constexpr std::size_t slots(std::string_view line) {
        if (line.empty()) return 0;
        const bool two = line.starts_with("lddw") || line.starts_with("ld_pseudo") ||
                         line.ends_with(" ll");
        return two ? 2 : 1;
    }
    /// The slot that `label` names; `exit`, if no line defines it, is the last exit.
    [[nodiscard]] constexpr std::optional<std::size_t> find(std::string_view label) const {
        source_text from_start{text_};
        std::string_view line;
        std::size_t pc = 0;
        std::optional<std::size_t> last_exit;
        while (from_start.next(line)) {
            std::string_view name;
            while (!(name = from_start.take_label(line)).empty()) {
                if (name == label) return pc;
            }
            if (line == "exit") last_exit = pc;
            pc += slots(line);
        }
        if (label == "exit") return last_exit;
        return std::nullopt;
    }

    std::uint32_t number = 0;  ///< of the line, counted from 1
    std::size_t column = 0;    ///< where its text begins, counted from 0

private:
    [[nodiscard]] constexpr const char* begin(std::size_t end) const {
        const std::size_t last = end == text_.npos ? text_.size() : end;
        const std::size_t before = last == 0 ? text_.npos : text_.rfind('\n', last - 1);
        return text_.data() + (before == text_.npos ? 0 : before + 1);
    }
    std::string_view text_;
    std::size_t at_ = 0;
};

/// Tries to read one line as an instance of one pattern.
class line_matcher {
public:
    constexpr line_matcher(const source_text& source, std::string_view line, std::size_t pc)
        : source_{source}, in_{line}, pc_{pc} {}

    constexpr bool match(const instruction_info& row, std::string_view p) {
        const field_rules& uses = rules_of(row.format);
        if (uses.source == use::selector) src = row.selector;
        if (uses.offset == use::selector) offset = static_cast<std::int32_t>(row.selector);
        if (uses.immediate == use::selector) imm = static_cast<std::int32_t>(row.selector);
        for (std::size_t n = 0; n < p.size(); ++n) {
            if (p[n] == '%' && n + 1 < p.size() && p[n + 1] != '=') {
                in_.skip_spaces();
                if (!field(p[++n])) return false;
            } else if (is_space(p[n])) {
                // A space ends a word; between other characters it means nothing.
                if (n > 0 && is_word(p[n - 1]) && is_word(in_.peek())) return false;
                in_.skip_spaces();
            } else {
                if (n == 0 || !is_word(p[n]) || !is_word(p[n - 1])) in_.skip_spaces();
                if (!in_.take(p[n])) return false;
            }
        }
        if (is_word(p.back()) && p[p.size() - 2] != '%' && is_word(in_.peek())) return false;
        in_.skip_spaces();
        return in_.at == in_.line.size();
    }

    [[nodiscard]] constexpr std::size_t column() const { return in_.at; }

    errc problem = errc::ok;  ///< of a line that has the right shape
    std::uint32_t dst = 0, src = 0;
    std::int32_t offset = 0, imm = 0;
    std::uint32_t high = 0;  ///< immediate of the second slot

private:
    constexpr bool field(char kind) {
        switch (kind) {
            case 'D': return reg("r", dst, has_dst_);
            case 'd': return reg("w", dst, has_dst_);
            case 'e': return reg("rw", dst, has_dst_);
            case 'S': return reg("r", src, has_src_);
            case 's': return reg("w", src, has_src_);
            case 'f': return reg("rw", src, has_src_);
            case 'M':
            case 'm': return memory_offset(kind == 'm');
            case 'O': return jump(offset, -0x8000, 0x7fff);
            case 'J': return jump(imm, -0x80000000LL, 0x7fffffff);
            case 'L': return wide();
            default: return narrow();
        }
    }
    constexpr bool reg(std::string_view kinds, std::uint32_t& to, bool& seen) {
        in_.take('%');
        const char kind = in_.peek();
        if (kind == '\0' || kinds.find(kind) == kinds.npos) return false;
        ++in_.at;
        const std::string_view digits = in_.word();
        if (digits.empty() || digits.size() > 2) return false;
        std::uint32_t value = 0;
        for (const char c : digits) {
            if (!is_digit(c)) return false;
            value = value * 10 + static_cast<std::uint32_t>(c - '0');
        }
        if (value > 15 || (seen && to != value)) return false;
        to = value;
        seen = true;
        return true;
    }
    /// Magnitude and sign of a number; false if there is none here.
    constexpr bool number(std::uint64_t& magnitude, bool& negative) {
        const std::size_t start = in_.at;
        bool overflow = false;
        negative = in_.take('-');
        if (!negative) in_.take('+');
        in_.skip_spaces();
        std::string_view digits = in_.word();
        const bool hex = digits.starts_with("0x") || digits.starts_with("0X");
        if (hex) digits.remove_prefix(2);
        magnitude = 0;
        bool valid = !digits.empty();
        for (const char c : digits) {
            const unsigned value = is_digit(c)             ? static_cast<unsigned>(c - '0')
                                   : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a') + 10u
                                   : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A') + 10u
                                                          : 99u;
            if (value >= (hex ? 16u : 10u)) valid = false;
            const std::uint64_t base = hex ? 16 : 10;
            if (magnitude > (~std::uint64_t{0} - value) / base) overflow = true;
            magnitude = magnitude * base + value;
        }
        if (!valid) {
            in_.at = start;  // a label, perhaps
        } else if (overflow) {
            problem = errc::value_out_of_range;
            problem_at = start;
        }
        return valid;
    }
    constexpr bool in_range(std::int64_t low, std::int64_t high_, std::int64_t& value) {
        std::uint64_t magnitude = 0;
        bool negative = false;
        const std::size_t start = in_.at;
        if (!number(magnitude, negative)) return false;
        const std::uint64_t most = negative ? 0 - static_cast<std::uint64_t>(low)
                                            : static_cast<std::uint64_t>(high_);
        if (magnitude > most) {
            problem = errc::value_out_of_range;
            problem_at = start;
        }
        value = static_cast<std::int64_t>(negative ? 0 - magnitude : magnitude);
        return true;
    }
    constexpr bool narrow() {
        std::int64_t value = 0;
        if (!in_range(-0x80000000LL, 0xffffffffLL, value)) return false;
        imm = static_cast<std::int32_t>(value);
        return true;
    }
    constexpr bool wide() {
        std::uint64_t magnitude = 0;
        bool negative = false;
        const std::size_t start = in_.at;
        if (!number(magnitude, negative)) return false;
        if (negative && magnitude > std::uint64_t{1} << 63) {
            problem = errc::value_out_of_range;
            problem_at = start;
        }
        const std::uint64_t value = negative ? 0 - magnitude : magnitude;
        imm = static_cast<std::int32_t>(value);
        high = static_cast<std::uint32_t>(value >> 32);
        return true;
    }
    constexpr bool memory_offset(bool optional) {
        if (in_.peek() != '+' && in_.peek() != '-') return optional;
        std::int64_t value = 0;
        if (!in_range(-0x8000, 0x7fff, value)) return false;
        offset = static_cast<std::int32_t>(value);
        return true;
    }
    /// A distance, or a label.
    constexpr bool jump(std::int32_t& to, std::int64_t low, std::int64_t high_) {
        std::int64_t value = 0;
        const std::size_t start = in_.at;
        if (!in_range(low, high_, value)) {
            const std::string_view label = in_.word();
            if (label.empty()) return false;
            const auto target = source_.find(label);
            if (!target) {
                problem = errc::undefined_label;
                problem_at = start;
                return true;
            }
            value = static_cast<std::int64_t>(*target) - static_cast<std::int64_t>(pc_) - 1;
            if (value < low || value > high_) {
                problem = errc::value_out_of_range;
                problem_at = start;
            }
        }
        to = static_cast<std::int32_t>(value);
        return true;
    }

    const source_text& source_;
    line_reader in_;
    std::size_t pc_;
    bool has_dst_ = false, has_src_ = false;

public:
    std::size_t problem_at = 0;
};

}  // namespace detail

namespace detail {

/// Other ways to write an instruction that are in use.
struct alias {
    std::uint8_t opcode;
    std::uint8_t selector;
    std::string_view pattern;
};
inline constexpr alias aliases[]{
    {0xd7, 16, "bswap16 %D"}, {0xd7, 32, "bswap32 %D"}, {0xd7, 64, "bswap64 %D"},
    {0x8d, 0, "call %D"},     {0x06, 0, "gotol %J"},    {0x05, 0, "goto %O"},
};

/// Calls `try_pattern(row, pattern)` for each way to write each instruction until it returns true.
template <class Try>
constexpr bool any_pattern(Try&& try_pattern) {
    for (const auto& row : instruction_list) {
        for (const auto s : {syntax::mnemonic, syntax::llvm}) {
            if (try_pattern(row, pattern_of(row, s).view())) return true;
        }
        for (const auto& a : aliases) {
            if (a.opcode == row.opcode && a.selector == row.selector &&
                try_pattern(row, a.pattern)) {
                return true;
            }
        }
    }
    return false;
}

}  // namespace detail

/// Assembles `source` into `to`; returns the number of slots written. One instruction a line, in
/// either syntax; registers also as `%r1`; labels end in a colon; comments begin with #, ; or //.
/// `call local name` calls a label, `lddw_map_value r1, 0x100000000` names a section and an offset.
/// For tools, tests and constant expressions: no storage but `to`, time quadratic in the lines.
/// Errors: syntax_error, value_out_of_range, undefined_label with pc = line and address = column, both
/// counted from 1; no_space with the slots needed so far as address.
[[nodiscard]] constexpr result<std::size_t> assemble(std::string_view source,
                                                     std::span<instruction> to) {
    detail::source_text text{source};
    std::string_view line;
    std::size_t pc = 0;
    while (text.next(line)) {
        while (!text.take_label(line).empty()) {
        }
        if (line.empty()) continue;
        std::size_t furthest = 0;
        error problem{};
        const bool found = detail::any_pattern([&](const auto& row, std::string_view pattern) {
            detail::line_matcher m{text, line, pc};
            if (!m.match(row, pattern)) {
                furthest = std::max(furthest, m.column());
                return false;
            }
            const std::size_t slots = row.format == format::load_imm64 ? 2 : 1;
            if (m.problem != errc::ok) {
                problem = {m.problem, text.number, text.column + m.problem_at + 1};
            } else if (to.size() - pc < slots) {
                problem = {errc::no_space, text.number, pc + slots};
            } else {
                to[pc] = instruction::make(row.opcode, m.dst, m.src, m.offset, m.imm);
                if (slots == 2) {
                    to[pc + 1] = instruction::make(0, 0, 0, 0, static_cast<std::int32_t>(m.high));
                }
                pc += slots;
            }
            return true;
        });
        if (!found) return fail(errc::syntax_error, text.number, text.column + furthest + 1);
        if (problem.code != errc::ok) return failure{problem};
    }
    return pc;
}

}  // namespace femto
