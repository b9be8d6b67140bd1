# SPDX-License-Identifier: Apache-2.0
# Containers as targets of a build.
#
#   femto_add_container(<name> <source> [CPU v1|v2|v3|v4] [COMPILER <clang or bpf-gcc>] [FLAGS ...])
#       compiles one C or C++ source to BPF; the path of the object is the target's property
#       FEMTO_OBJECT. Without COMPILER, the newest clang that knows BPF is used.
#   femto_add_rust_container(<name> <source> [CPU v3])
#       the same for a Rust source, with rustc and llc of Debian's rustc-web, rust-web-src, llvm-22.

get_filename_component(FEMTO_SDK_FOLDER "${CMAKE_CURRENT_LIST_DIR}/../sdk" ABSOLUTE)
if(NOT EXISTS "${FEMTO_SDK_FOLDER}/femto.h")
  # Installed: lib*/cmake/femto beside share/femto/sdk.
  get_filename_component(FEMTO_SDK_FOLDER "${CMAKE_CURRENT_LIST_DIR}/../../../share/femto/sdk" ABSOLUTE)
endif()
set(FEMTO_SDK_FOLDER "${FEMTO_SDK_FOLDER}" CACHE INTERNAL "Headers for containers")

# The newest clang with the BPF target.
function(femto_find_clang result)
  if(NOT FEMTO_CLANG)
    set(names clang)
    foreach(version RANGE 30 14 -1)
      list(APPEND names clang-${version})
    endforeach()
    foreach(name IN LISTS names)
      find_program(FEMTO_CLANG_CANDIDATE ${name} NO_CACHE)
      if(FEMTO_CLANG_CANDIDATE)
        execute_process(COMMAND ${FEMTO_CLANG_CANDIDATE} -target bpf -x c -c /dev/null -o /dev/null
                        RESULT_VARIABLE status OUTPUT_QUIET ERROR_QUIET)
        if(status EQUAL 0)
          set(FEMTO_CLANG ${FEMTO_CLANG_CANDIDATE} CACHE FILEPATH "clang with the BPF target")
          break()
        endif()
      endif()
      unset(FEMTO_CLANG_CANDIDATE)
    endforeach()
    if(NOT FEMTO_CLANG)
      message(FATAL_ERROR "femto: no clang with the BPF target; on Debian: apt-get install clang-14, "
                          "or set FEMTO_CLANG")
    endif()
  endif()
  set(${result} ${FEMTO_CLANG} PARENT_SCOPE)
endfunction()

function(femto_add_container name source)
  cmake_parse_arguments(arg "" "CPU;COMPILER" "FLAGS" ${ARGN})
  if(NOT arg_CPU)
    set(arg_CPU v3)
  endif()
  if(NOT arg_COMPILER)
    femto_find_clang(arg_COMPILER)
  endif()
  get_filename_component(path ${source} ABSOLUTE)
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  set(flags -O2 -g -Wall -ffreestanding -I${FEMTO_SDK_FOLDER})
  get_filename_component(compiler_name ${arg_COMPILER} NAME)
  if(compiler_name MATCHES "gcc")
    list(REMOVE_ITEM flags -g) # its line tables are not read
  else()
    # A loop must stay a loop: BPF has no memcpy and memset to call, and no jump tables.
    list(APPEND flags -target bpf -mcpu=${arg_CPU} -fno-builtin -fno-jump-tables
                      "SHELL:-mllvm -disable-loop-idiom-all")
  endif()
  if(path MATCHES "\\.(cpp|cc|cxx)$")
    list(APPEND flags -std=c++17 -fno-exceptions -fno-rtti)
  endif()
  string(REPLACE "SHELL:-mllvm -disable-loop-idiom-all" "-mllvm;-disable-loop-idiom-all" flags "${flags}")
  add_custom_command(OUTPUT ${object}
    COMMAND ${arg_COMPILER} ${flags} ${arg_FLAGS} -c ${path} -o ${object}
    DEPENDS ${path} ${FEMTO_SDK_FOLDER}/femto.h VERBATIM COMMENT "Container ${name}")
  add_custom_target(${name} ALL DEPENDS ${object})
  set_target_properties(${name} PROPERTIES FEMTO_OBJECT ${object})
endfunction()

function(femto_add_rust_container name source)
  cmake_parse_arguments(arg "" "CPU" "" ${ARGN})
  if(NOT arg_CPU)
    set(arg_CPU v3)
  endif()
  find_program(FEMTO_RUSTC NAMES rustc PATHS /usr/bin NO_DEFAULT_PATH)
  find_program(FEMTO_LLC NAMES llc-22 llc-21 llc-20 llc)
  file(GLOB core /usr/src/rustc-*/library/core/src/lib.rs)
  if(NOT FEMTO_RUSTC OR NOT FEMTO_LLC OR NOT core)
    message(FATAL_ERROR "femto: containers in Rust need rustc with the sources of core, and llc; on "
                        "Debian: apt-get install rustc-web rust-web-src llvm-22")
  endif()
  list(GET core 0 core)
  get_filename_component(path ${source} ABSOLUTE)
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/rust)
  file(MAKE_DIRECTORY ${folder})
  file(CONFIGURE OUTPUT ${folder}/compiler_builtins.rs CONTENT
       "#![feature(no_core, compiler_builtins)]\n#![no_core]\n#![compiler_builtins]\n")
  set(rustc ${CMAKE_COMMAND} -E env RUSTC_BOOTSTRAP=1 ${FEMTO_RUSTC} --target bpfel-unknown-none
            -Cpanic=abort -Copt-level=2 --cap-lints allow)
  if(NOT TARGET femto_rust_core)
    # core for BPF, once: 15 s.
    add_custom_command(OUTPUT ${folder}/libcore.rmeta ${folder}/libcompiler_builtins.rmeta
      COMMAND ${rustc} --edition 2024 --crate-name core --crate-type rlib -Zalways-encode-mir
              -Zforce-unstable-if-unmarked --emit=metadata --out-dir ${folder} ${core}
      COMMAND ${rustc} --crate-name compiler_builtins --crate-type rlib -Zalways-encode-mir
              --emit=metadata --out-dir ${folder} ${folder}/compiler_builtins.rs
      VERBATIM COMMENT "Rust's core library for BPF")
    add_custom_target(femto_rust_core DEPENDS ${folder}/libcore.rmeta)
  endif()
  set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}.o)
  add_custom_command(OUTPUT ${object}
    COMMAND ${rustc} --edition 2021 --crate-type lib --emit=llvm-ir -L ${folder}
            --extern core=${folder}/libcore.rmeta
            --extern compiler_builtins=${folder}/libcompiler_builtins.rmeta ${path}
            -o ${folder}/${name}.ll
    COMMAND ${FEMTO_LLC} -march=bpfel -mcpu=${arg_CPU} -filetype=obj ${folder}/${name}.ll -o ${object}
    DEPENDS ${path} ${folder}/libcore.rmeta VERBATIM COMMENT "Container ${name}")
  add_custom_target(${name} ALL DEPENDS ${object})
  add_dependencies(${name} femto_rust_core)
  set_target_properties(${name} PROPERTIES FEMTO_OBJECT ${object})
endfunction()
