// SPDX-License-Identifier: Apache-2.0
// An object file and the memory it is loaded into, for benchmarks and tests of what compilers write.
#pragma once

#include <femto/elf.hpp>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bench {

class object {
public:
    /// `ok()` is false if the file cannot be read or is no object.
    explicit object(const std::string& path) {
        std::ifstream in{path, std::ios::binary};
        file_.assign(std::istreambuf_iterator<char>{in}, {});
        const auto opened = femto::elf_object::open(std::as_bytes(std::span{file_}));
        ok_ = opened.has_value();
        if (!ok_) return;
        const auto needs = opened->requirements();
        text_.resize(needs.text);
        rodata_.resize((needs.rodata + 7) / 8);
        data_.resize((needs.data + 7) / 8);
        functions_.resize(needs.functions);
    }
    object(const object&) = delete;
    object& operator=(const object&) = delete;

    [[nodiscard]] bool ok() const { return ok_; }
    [[nodiscard]] std::size_t size() const { return file_.size(); }
    /// Loads it, its variables as they are at first; empty if that cannot be done.
    [[nodiscard]] femto::program program(
        femto::address_space space = femto::address_space::segmented) {
        const auto opened = femto::elf_object::open(std::as_bytes(std::span{file_}));
        const auto loaded = femto::load_elf(
            *opened,
            {text_, std::as_writable_bytes(std::span{rodata_}),
             std::as_writable_bytes(std::span{data_}), functions_},
            space, [](std::string_view) { return std::optional<std::uint32_t>{}; });
        if (!loaded.has_value()) error_ = loaded.error();
        return loaded.has_value() ? *loaded : femto::program{};
    }
    /// Why the last `program` was empty.
    [[nodiscard]] femto::error error() const { return error_; }

private:
    bool ok_ = false;
    femto::error error_{};
    std::vector<char> file_;
    std::vector<femto::instruction> text_;
    std::vector<std::uint64_t> rodata_, data_;  // of words, for the alignment
    std::vector<femto::function> functions_;
};

}  // namespace bench
