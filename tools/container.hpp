// SPDX-License-Identifier: Apache-2.0
// A container as the command sees it: an object file or an image, loaded, with where its slots came from.
#pragma once

#include "line_table.hpp"

#include <femto/elf.hpp>
#include <femto/image.hpp>
#include <femto/rbpf_image.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace femto_tool {

/// What the user gets to read when something cannot be done; exit status 2.
struct user_error {
    std::string message;
};

/// Reads a whole file, or standard input for "-". Throws user_error.
std::vector<std::byte> read_file(const std::string& path);

/// What becomes of a helper's name that is not known: the object is refused, or the helper gets a number
/// from `first_unknown_helper` on, so that the program can be looked at, but not run.
enum class unknown_helpers { refuse, number };
inline constexpr std::uint32_t first_unknown_helper = 0xffff0000;

/// What a file is: an ELF object, an image of `femto pack`, or one of Femto-Containers' tools.
enum class file_kind { object, image, rbpf_image };

/// An open object or image and the storage it is loaded into. Functions of an image are named by the
/// hooks that they are for.
class container {
public:
    /// Reads and loads `path`; helpers are looked up by name in `names`. Throws user_error with a
    /// complete message for files that cannot be read or loaded.
    container(const std::string& path, femto::address_space space,
              std::span<const femto::helper_prototype> names,
              unknown_helpers unknown = unknown_helpers::refuse);
    container(const container&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] file_kind kind() const { return kind_; }
    [[nodiscard]] std::size_t file_size() const { return file_.size(); }
    /// Only if it is that kind of file.
    [[nodiscard]] const femto::elf_object& object() const { return *object_; }
    [[nodiscard]] const femto::image& image() const { return *image_; }
    [[nodiscard]] const femto::program& program() const { return program_; }
    /// Names of helpers that are not known, in the order of their numbers.
    [[nodiscard]] const std::vector<std::string>& unknown() const { return unknown_; }
    /// The function that slot `pc` belongs to.
    [[nodiscard]] const femto::function* function_at(std::uint32_t pc) const;
    /// The source line of slot `pc`; nothing without debug information.
    [[nodiscard]] std::optional<source_line> line_at(std::uint32_t pc) const;

private:
    void load_object(femto::address_space space, std::span<const femto::helper_prototype> names,
                     unknown_helpers unknown);
    void load_image();
    void load_rbpf_image();

    std::string path_;
    std::vector<std::byte> file_;
    file_kind kind_ = file_kind::object;
    std::optional<femto::elf_object> object_;
    std::optional<femto::image> image_;
    std::vector<std::uint64_t> image_bytes_;
    std::vector<std::string> names_;
    std::vector<femto::instruction> text_;
    std::vector<std::uint64_t> rodata_, data_;  // of words, for the alignment
    std::vector<femto::function> functions_;
    femto::program program_{};
    line_table lines_;
    std::vector<std::string> unknown_;
};

/// The offending value of a refusal by the verifier, in words; empty if there is none.
std::string refusal_note(const femto::error& e);

/// Prints `e` like a compiler's diagnostic: file, function, slot, source line, what is wrong and what
/// to do. `note` is one more line, if it is not empty.
void print_diagnostic(const container& c, const femto::error& e, const std::string& note);

}  // namespace femto_tool
