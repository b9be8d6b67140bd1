// SPDX-License-Identifier: Apache-2.0
// Reads an eBPF object into a program on the host, for benchmarks and tests of what compilers
// write. It trusts its input, which these build themselves.
#pragma once

#include <femto/program.hpp>

#include <cstdint>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace bench {

class object {
public:
    /// `ok()` is false if the file cannot be read or has something that is not supported.
    explicit object(const std::string& path) {
        std::ifstream in{path, std::ios::binary};
        file_.assign(std::istreambuf_iterator<char>{in}, {});
        ok_ = file_.size() > 64 && read();
    }
    object(const object&) = delete;
    object& operator=(const object&) = delete;

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t size() const { return file_.size(); }
    [[nodiscard]] femto::program program() { return {text_, rodata_, data_, functions_}; }

private:
    enum class kind : std::uint8_t { text, rodata, data };
    struct header {
        std::uint32_t name, type;
        std::uint64_t flags, address, offset, size;
        std::uint32_t link, info;
        std::uint64_t alignment, entry_size;
    };
    struct symbol {
        std::uint32_t name;
        std::uint8_t info, other;
        std::uint16_t section;
        std::uint64_t value, size;
    };
    struct place {
        kind where;
        std::uint32_t offset;
    };

    template <class T>
    [[nodiscard]] T at(std::uint64_t offset) const {
        T value{};
        if (offset + sizeof(T) <= file_.size()) {
            std::memcpy(&value, file_.data() + offset, sizeof(T));
        }
        return value;
    }
    [[nodiscard]] header section(std::uint64_t i) const {
        return at<header>(at<std::uint64_t>(40) + 64 * i);
    }

    bool read() {
        const std::uint64_t sections = at<std::uint16_t>(60);
        for (std::uint64_t i = 1; i < sections; ++i) add_section(i);
        text_.resize(bytes_.size() / 8);
        std::memcpy(text_.data(), bytes_.data(), text_.size() * 8);
        for (std::uint64_t i = 1; i < sections; ++i) {
            const header s = section(i);
            if (s.type == 9 && places_.contains(s.info) && !relocate(s)) return false;
            if (s.type == 2) add_functions(s);
        }
        return true;
    }

    void add_section(std::uint64_t i) {
        constexpr std::uint64_t allocated = 2;
        const header s = section(i);
        if ((s.flags & allocated) == 0 || s.size == 0) return;
        if ((s.flags & 4) != 0) {
            places_[i] = {kind::text, static_cast<std::uint32_t>(bytes_.size())};
            append(bytes_, s, 8);
        } else if ((s.flags & 1) != 0) {
            places_[i] = {kind::data, append(data_, s, s.alignment)};
        } else {
            places_[i] = {kind::rodata, append(rodata_, s, s.alignment)};
        }
    }
    std::uint32_t append(std::vector<std::byte>& to, const header& s, std::uint64_t alignment) {
        if (alignment > 1) to.resize((to.size() + alignment - 1) / alignment * alignment);
        const auto start = to.size();
        to.resize(start + s.size);
        if (s.type != 8) std::memcpy(to.data() + start, file_.data() + s.offset, s.size);
        return static_cast<std::uint32_t>(start);
    }

    bool relocate(const header& s) {
        const place to = places_[s.info];
        for (std::uint64_t r = 0; r < s.size; r += 16) {
            const auto offset = at<std::uint64_t>(s.offset + r);
            const auto info = at<std::uint64_t>(s.offset + r + 8);
            const header symbols = section(s.link);
            const auto target = at<symbol>(symbols.offset + 24 * (info >> 32));
            if (to.where != kind::text || !places_.contains(target.section)) return false;
            const place from = places_[target.section];
            const auto pc = static_cast<std::uint32_t>((to.offset + offset) / 8);
            const auto value = from.offset + static_cast<std::uint32_t>(target.value);
            const std::int32_t imm = text_[pc].imm();
            if (text_[pc].opcode() == 0x18) {
                if (from.where == kind::text) return false;
                const auto sum = static_cast<std::int32_t>(static_cast<std::uint32_t>(imm) + value);
                const int number = from.where == kind::rodata ? 0 : 1;
                text_[pc] = femto::instruction::make(0x18, text_[pc].dst(), 2, 0, number);
                text_[pc + 1] = femto::instruction::make(0, 0, 0, 0, sum);
            } else {
                const auto slot = static_cast<std::int32_t>(value / 8) + imm + 1;
                text_[pc] = femto::instruction::make(0x85, 0, 1, 0,
                                                     slot - static_cast<std::int32_t>(pc) - 1);
            }
        }
        return true;
    }

    void add_functions(const header& s) {
        const header strings = section(s.link);
        for (std::uint64_t i = 24; i < s.size; i += 24) {
            const auto f = at<symbol>(s.offset + i);
            if ((f.info & 15) != 2 || !places_.contains(f.section)) continue;
            names_.emplace_back(file_.data() + strings.offset + f.name);
            functions_.push_back(
                {names_.back(),
                 static_cast<std::uint32_t>(places_[f.section].offset + f.value) / 8});
        }
    }

    bool ok_ = false;
    std::vector<char> file_;
    std::vector<std::byte> bytes_;
    std::vector<femto::instruction> text_;
    std::vector<std::byte> rodata_;
    std::vector<std::byte> data_;
    std::vector<femto::function> functions_;
    std::deque<std::string> names_;
    std::map<std::uint64_t, place> places_;
};

}  // namespace bench
