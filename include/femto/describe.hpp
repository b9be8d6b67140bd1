// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <femto/result.hpp>

#include <string_view>

namespace femto {

/// An error in words; 6 KiB of text if all of it is used, so for hosts and consoles.
struct error_description {
    errc code;
    std::string_view name;    ///< the enumerator
    std::string_view what;    ///< what is wrong
    std::string_view advice;  ///< what to do about it
};

inline constexpr error_description error_descriptions[]{
    {errc::ok, "ok", "no error", ""},
    {errc::illegal_instruction, "illegal_instruction", "this opcode is not defined by RFC 9669",
     "compile for BPF; is this data, or code for another machine?"},
    {errc::illegal_memory, "illegal_memory", "access outside every region that was granted",
     "check pointers and lengths; grant the memory if the container may use it"},
    {errc::illegal_jump, "illegal_jump", "jump to a place outside the function",
     "functions must be entered by calls only"},
    {errc::illegal_call, "illegal_call", "call of something that is no function and no granted helper",
     "bind the helper in the firmware, or grant it to this container"},
    {errc::illegal_length, "illegal_length", "the program is empty or too long",
     "raise config::max_instructions, or give as many bytes of scratch as it has slots"},
    {errc::illegal_register, "illegal_register", "there are registers r0 to r10 only", ""},
    {errc::no_return, "no_return", "execution could run past the end of the function",
     "end every path with a return; is a function declared noreturn?"},
    {errc::out_of_fuel, "out_of_fuel", "the run used up its fuel",
     "give more fuel, or resume the run; does a loop end?"},
    {errc::division, "division", "division by zero", "never reported: RFC 9669 defines the result"},
    {errc::unsupported_group, "unsupported_group",
     "the instruction's conformance group is not configured",
     "add it to config::allowed, or compile with a lower -mcpu"},
    {errc::unsupported_instruction, "unsupported_instruction",
     "RFC 9669 names this instruction, but a device has no use for it",
     "legacy packet access, maps and BTF calls exist in kernels only"},
    {errc::nonzero_field, "nonzero_field", "a field that the instruction does not use is not zero",
     "the program was damaged or made by a faulty tool"},
    {errc::undefined_variant, "undefined_variant", "a field selects no form of the instruction", ""},
    {errc::frame_pointer_write, "frame_pointer_write", "r10 can only be read", ""},
    {errc::incomplete_load, "incomplete_load", "lddw without a proper second slot", ""},
    {errc::jump_into_load, "jump_into_load", "jump or call into the middle of a lddw", ""},
    {errc::illegal_stack_access, "illegal_stack_access", "access outside the stack frame",
     "use smaller local variables, or raise config::stack_size"},
    {errc::stack_too_small, "stack_too_small", "the deepest chain of calls needs more stack",
     "use smaller local variables or fewer nested calls, or raise config::stack_size"},
    {errc::call_too_deep, "call_too_deep", "local calls nest too deep",
     "let the compiler inline, or raise config::max_call_depth"},
    {errc::recursion, "recursion", "a function calls itself, directly or through others",
     "write it as a loop: the stack of a container is bounded"},
    {errc::illegal_write, "illegal_write", "write to memory that may only be read", ""},
    {errc::helper_failed, "helper_failed", "a helper refused its arguments", ""},
    {errc::suspended, "suspended", "a helper suspended the run", "resume it"},
    {errc::not_resumable, "not_resumable", "there is no run to resume", ""},
    {errc::too_many_regions, "too_many_regions", "no region is free", "raise config::max_regions"},
    {errc::unknown_function, "unknown_function", "the program has no function of that name", ""},
    {errc::no_space, "no_space", "the storage given is too small", "give as much as is asked for"},
    {errc::syntax_error, "syntax_error", "no instruction looks like this", ""},
    {errc::value_out_of_range, "value_out_of_range", "the number does not fit its field", ""},
    {errc::undefined_label, "undefined_label", "no line defines this label", ""},
    {errc::elf_truncated, "elf_truncated", "the file ends before what its headers point to",
     "was it copied completely?"},
    {errc::elf_not_elf, "elf_not_elf", "this is no ELF file", "give the .o that the compiler wrote"},
    {errc::elf_wrong_kind, "elf_wrong_kind", "not a relocatable little-endian BPF object",
     "compile with clang -target bpf -c, or `femto build`"},
    {errc::elf_bad_section, "elf_bad_section", "a section header is malformed", ""},
    {errc::elf_bad_symbol, "elf_bad_symbol", "a symbol is malformed", ""},
    {errc::elf_bad_relocation, "elf_bad_relocation", "a relocation points to a wrong place", ""},
    {errc::elf_unsupported_relocation, "elf_unsupported_relocation", "unknown type of relocation",
     "is the compiler newer than clang 22?"},
    {errc::elf_undefined_symbol, "elf_undefined_symbol", "a variable is declared but not defined",
     "define it in the container"},
    {errc::elf_unknown_helper, "elf_unknown_helper",
     "a function is called that is neither defined nor a helper",
     "define it, or bind a helper of this name"},
    {errc::elf_unsupported_section, "elf_unsupported_section", "BPF maps do not exist here",
     "use a store helper or a global variable"},
    {errc::elf_too_complex, "elf_too_complex", "too many sections",
     "compile without -ffunction-sections"},
};

/// The description of `code`; an unknown one has an empty name.
[[nodiscard]] constexpr error_description describe(errc code) {
    for (const auto& d : error_descriptions) {
        if (d.code == code) return d;
    }
    return {code, {}, {}, {}};
}

}  // namespace femto
