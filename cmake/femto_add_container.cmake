# SPDX-License-Identifier: Apache-2.0
# Containers in a CMake project.
#
#   femto_add_container(counter SOURCES counter.c)
#   femto_add_container(counter SOURCES counter.c MCPU v2 COMPILER gcc NATIVE)
#   femto_add_rust_container(counter SOURCES counter.rs)
#
# Each makes the target <name>, which builds the eBPF object <name>.o; its path is the target's
# property FEMTO_OBJECT. If no compiler is found the target is not made, <name>_FOUND is FALSE, and
# a message says what to install (REQUIRED makes that an error).
#
#   SOURCES      one C or C++ file (by its ending); further .c/.cpp files it includes may follow
#   MCPU         v1 to v4, v3 by default: the best that clang 14 knows; v4 needs clang 18
#   COMPILER     clang (default: the newest there is, or FEMTO_CLANG), the path of a clang, or gcc
#                (bpf-gcc, or FEMTO_BPF_GCC)
#   INCLUDES     further include directories
#   OPTIONS      further compiler options
#   OUTPUT       the object's path, ${CMAKE_CURRENT_BINARY_DIR}/<name>.o by default
#   NATIVE       also a static library <name>_native of the same source for the host; helpers are
#                then ordinary functions that the program defines
#   ALL          build it by default

# The folder of femto.h: in the source tree beside this folder, installed beside the headers.
get_filename_component(_femto_here "${CMAKE_CURRENT_LIST_DIR}" ABSOLUTE)
if(NOT FEMTO_SDK_DIR)
  foreach(_femto_candidate "${_femto_here}/../sdk" "${_femto_here}/../../../include/femto/sdk"
                           "${_femto_here}/../../../share/femto/sdk")
    if(EXISTS "${_femto_candidate}/femto.h")
      get_filename_component(FEMTO_SDK_DIR "${_femto_candidate}" ABSOLUTE)
      break()
    endif()
  endforeach()
endif()
set(FEMTO_SDK_DIR "${FEMTO_SDK_DIR}" CACHE PATH "Where femto.h is, the header for containers")

# The newest clang there is that has the BPF target.
function(femto_find_clang)
  if(FEMTO_CLANG)
    return()
  endif()
  set(names)
  foreach(version RANGE 30 14 -1)
    list(APPEND names clang-${version})
  endforeach()
  foreach(name IN LISTS names ITEMS clang)
    find_program(_femto_clang_${name} ${name})
    mark_as_advanced(_femto_clang_${name})
    set(path "${_femto_clang_${name}}")
    if(NOT path)
      continue()
    endif()
    execute_process(COMMAND "${path}" --print-targets OUTPUT_VARIABLE targets ERROR_QUIET
                    RESULT_VARIABLE status)
    if(status EQUAL 0 AND targets MATCHES "bpf")
      set(FEMTO_CLANG "${path}" CACHE FILEPATH "A clang that compiles for BPF")
      return()
    endif()
  endforeach()
endfunction()

function(_femto_missing name required what)
  set(${name}_FOUND FALSE PARENT_SCOPE)
  set(text "femto: container ${name} cannot be built: ${what}")
  if(required)
    message(FATAL_ERROR "${text}")
  endif()
  message(STATUS "${text}")
endfunction()

function(femto_add_container name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "NATIVE;ALL;REQUIRED" "MCPU;COMPILER;OUTPUT"
                        "SOURCES;INCLUDES;OPTIONS")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "femto_add_container(${name} SOURCES file ...): no SOURCES, or not known: "
                        "${arg_UNPARSED_ARGUMENTS}")
  endif()
  if(NOT arg_MCPU)
    set(arg_MCPU v3)
  endif()
  if(NOT arg_OUTPUT)
    set(arg_OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}.o")
  endif()
  list(GET arg_SOURCES 0 source)
  get_filename_component(source "${source}" ABSOLUTE)
  set(flags -mcpu=${arg_MCPU} -O2 -g -ffreestanding -fno-builtin -Wall -Wextra)

  if(arg_COMPILER STREQUAL "gcc")
    find_program(FEMTO_BPF_GCC NAMES bpf-gcc bpf-unknown-none-gcc DOC "GCC for BPF")
    set(compiler "${FEMTO_BPF_GCC}")
    if(NOT compiler)
      _femto_missing(${name} "${arg_REQUIRED}" "no bpf-gcc. On Debian: apt install gcc-bpf")
    endif()
    # Stack slots are the guest's 512 bytes, not the 32767 GCC would take.
    list(APPEND flags -mframe-limit=512)
  else()
    if(arg_COMPILER AND NOT arg_COMPILER STREQUAL "clang")
      set(compiler "${arg_COMPILER}")
    else()
      femto_find_clang()
      set(compiler "${FEMTO_CLANG}")
    endif()
    if(NOT compiler)
      _femto_missing(${name} "${arg_REQUIRED}"
                     "no clang with the BPF target. On Debian: apt install clang-14")
    endif()
    # No jump tables: they need an indirect jump. No loop idioms: LLVM would turn loops into calls
    # of memset and memcpy, which a guest does not have.
    list(APPEND flags -target bpf -fno-jump-tables -mllvm -disable-loop-idiom-all)
  endif()
  if(NOT compiler)
    set(${name}_FOUND FALSE PARENT_SCOPE)
    return()
  endif()
  if(source MATCHES "\\.(cpp|cc|cxx)$")
    if(arg_COMPILER STREQUAL "gcc")
      _femto_missing(${name} "${arg_REQUIRED}" "bpf-gcc compiles C only; use clang for C++")
      set(${name}_FOUND FALSE PARENT_SCOPE)
      return()
    endif()
    list(APPEND flags -x c++ -std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics)
  else()
    list(APPEND flags -std=gnu11)
  endif()
  foreach(directory IN LISTS FEMTO_SDK_DIR arg_INCLUDES)
    list(APPEND flags "-I${directory}")
  endforeach()

  get_filename_component(folder "${arg_OUTPUT}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  add_custom_command(
    OUTPUT "${arg_OUTPUT}"
    COMMAND "${compiler}" ${flags} ${arg_OPTIONS} -MD -MF "${arg_OUTPUT}.d" -c "${source}"
            -o "${arg_OUTPUT}"
    DEPENDS ${arg_SOURCES} DEPFILE "${arg_OUTPUT}.d"
    COMMENT "Building container ${name}" VERBATIM)
  if(arg_ALL)
    add_custom_target(${name} ALL DEPENDS "${arg_OUTPUT}")
  else()
    add_custom_target(${name} DEPENDS "${arg_OUTPUT}")
  endif()
  set_target_properties(${name} PROPERTIES FEMTO_OBJECT "${arg_OUTPUT}")

  if(arg_NATIVE)
    add_library(${name}_native STATIC ${arg_SOURCES})
    target_include_directories(${name}_native PUBLIC "${FEMTO_SDK_DIR}" PRIVATE ${arg_INCLUDES})
    target_compile_options(${name}_native PRIVATE -O2)
  endif()
  set(${name}_FOUND TRUE PARENT_SCOPE)
endfunction()

# Rust without cargo or rustup: the compiler's own `core`, built once for BPF as metadata, then the
# container as LLVM IR, then an object by llc. Needs a rustc, its library sources, and an llc of at
# least the LLVM that rustc has. Debian 12: apt install rustc-web rust-web-src llvm-22.
function(femto_add_rust_container name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "ALL;REQUIRED" "MCPU;OUTPUT" "SOURCES")
  if(NOT arg_SOURCES OR arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "femto_add_rust_container(${name} SOURCES file.rs ...)")
  endif()
  if(NOT arg_MCPU)
    set(arg_MCPU v3)
  endif()
  if(NOT arg_OUTPUT)
    set(arg_OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/${name}.o")
  endif()
  # The distribution's compiler first: its sources are the ones that are installed with it.
  find_program(FEMTO_RUSTC NAMES rustc PATHS /usr/bin NO_DEFAULT_PATH DOC "A Rust compiler")
  find_program(FEMTO_RUSTC NAMES rustc)
  find_program(FEMTO_LLC NAMES llc-22 llc-23 llc-24 PATHS /usr/lib/llvm-22/bin
               DOC "LLVM's compiler from IR to objects")
  set(library)
  if(FEMTO_RUSTC)
    execute_process(COMMAND "${FEMTO_RUSTC}" --print sysroot OUTPUT_VARIABLE sysroot
                    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND "${FEMTO_RUSTC}" --version OUTPUT_VARIABLE version ERROR_QUIET)
    string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
    foreach(candidate "${sysroot}/lib/rustlib/src/rust/library" "/usr/src/rustc-${version}/library")
      if(EXISTS "${candidate}/core/src/lib.rs")
        set(library "${candidate}")
        break()
      endif()
    endforeach()
  endif()
  if(NOT FEMTO_RUSTC OR NOT FEMTO_LLC OR NOT library)
    _femto_missing(${name} "${arg_REQUIRED}"
                   "it needs rustc, the sources of its library and llc of LLVM 22. On Debian: apt \
install rustc-web rust-web-src llvm-22")
    set(${name}_FOUND FALSE PARENT_SCOPE)
    return()
  endif()

  set(core "${CMAKE_BINARY_DIR}/femto-rust-core")
  set(rustc ${CMAKE_COMMAND} -E env RUSTC_BOOTSTRAP=1 "${FEMTO_RUSTC}" --target bpfel-unknown-none
            -Copt-level=2 -Cpanic=abort -Zalways-encode-mir)
  if(NOT TARGET femto_rust_core)
    file(MAKE_DIRECTORY "${core}")
    file(CONFIGURE OUTPUT "${core}/compiler_builtins.rs" CONTENT
         "#![no_std]\n#![feature(compiler_builtins)]\n#![compiler_builtins]\n")
    add_custom_command(
      OUTPUT "${core}/libcore.rmeta" "${core}/libcompiler_builtins.rmeta"
      COMMAND ${rustc} --edition 2024 --crate-name core --crate-type rlib --emit=metadata
              --cap-lints allow "${library}/core/src/lib.rs" -o "${core}/libcore.rmeta"
      COMMAND ${rustc} --edition 2024 --crate-name compiler_builtins --crate-type rlib
              --emit=metadata --cap-lints allow -L "${core}" "${core}/compiler_builtins.rs"
              -o "${core}/libcompiler_builtins.rmeta"
      COMMENT "Building Rust's core for BPF (once, about 15 s)" VERBATIM)
    add_custom_target(femto_rust_core DEPENDS "${core}/libcore.rmeta")
  endif()

  list(GET arg_SOURCES 0 source)
  get_filename_component(source "${source}" ABSOLUTE)
  add_custom_command(
    OUTPUT "${arg_OUTPUT}"
    COMMAND ${rustc} --edition 2021 --crate-name ${name} --crate-type lib -g --emit=llvm-ir
            -L "${core}" "${source}" -o "${arg_OUTPUT}.ll"
    COMMAND "${FEMTO_LLC}" -march=bpfel -mcpu=${arg_MCPU} -filetype=obj "${arg_OUTPUT}.ll"
            -o "${arg_OUTPUT}"
    DEPENDS ${arg_SOURCES} femto_rust_core "${core}/libcore.rmeta"
    COMMENT "Building container ${name} (Rust)" VERBATIM)
  if(arg_ALL)
    add_custom_target(${name} ALL DEPENDS "${arg_OUTPUT}")
  else()
    add_custom_target(${name} DEPENDS "${arg_OUTPUT}")
  endif()
  set_target_properties(${name} PROPERTIES FEMTO_OBJECT "${arg_OUTPUT}")
  set(${name}_FOUND TRUE PARENT_SCOPE)
endfunction()
