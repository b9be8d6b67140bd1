# SPDX-License-Identifier: Apache-2.0
# Firmware for emulated boards as part of the host's build, and its tests as tests of ctest.
#
#   femto_add_target_objects(<name> <target> [DEFINITIONS ...] SOURCES ... [DEPENDS ...])
#       compiles sources (C++, C, assembler) for a target once; boards with the same core link the
#       same objects. DEFINITIONS are compiler options, after those of every firmware.
#   femto_add_firmware(<name> <target> <board folder> [OBJECTS <name>...] [SOURCES ...]
#                      [LIBRARIES -lm ...])
#       links them with the board's start-up file and linker script; ${<name>_ELF} is the result.
#   femto_add_target_test(<firmware> <qemu command> SUITES <prefix>... [DIGEST <file>])
#       runs it once; each test case that the log must have is a test `target.<firmware>.<case>`
#       with the label `target`.
include(${CMAKE_CURRENT_LIST_DIR}/femto_targets.cmake)
get_filename_component(FEMTO_ROOT ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
set(FEMTO_CHECK_LOG ${CMAKE_CURRENT_LIST_DIR}/check_log.cmake)
set(femto_firmware_c_flags -Os -g1 -ffunction-sections -fdata-sections -I${FEMTO_ROOT}/include
    -I${FEMTO_ROOT}/ports)
set(femto_firmware_flags -std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
    ${femto_firmware_c_flags} -fno-rtti -fno-exceptions -fno-threadsafe-statics)

function(femto_add_target_objects name target)
  cmake_parse_arguments(arg "" "" "DEFINITIONS;SOURCES;DEPENDS" ${ARGN})
  femto_target(${target} cross)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/${name})
  set(objects)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(path ${source} ABSOLUTE)
    file(RELATIVE_PATH base ${FEMTO_ROOT} ${path})
    string(MAKE_C_IDENTIFIER ${base} base)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${name}/${base}.o)
    if(path MATCHES "\\.cpp$")
      set(compile ${cross_COMPILER} ${cross_FLAGS} ${femto_firmware_flags} ${arg_DEFINITIONS})
    else()  # C, and assembler after the preprocessor
      set(compile ${cross_PREFIX}-gcc ${cross_C_FLAGS} ${femto_firmware_c_flags} ${arg_DEFINITIONS})
    endif()
    list(APPEND compile -MD -MF ${object}.d -c ${path} -o ${object})
    add_custom_command(OUTPUT ${object} COMMAND ${compile} DEPENDS ${path} ${arg_DEPENDS}
                       DEPFILE ${object}.d VERBATIM COMMENT "${target}: ${base}")
    list(APPEND objects ${object})
  endforeach()
  set(${name}_OBJECTS ${objects} PARENT_SCOPE)
endfunction()

function(femto_add_firmware name target board)
  cmake_parse_arguments(arg "" "" "OBJECTS;SOURCES;LIBRARIES" ${ARGN})
  femto_target(${target} cross)
  file(GLOB start ${board}/*.cpp)
  if(NOT start)
    set(start ${board}/../start.cpp)
  endif()
  femto_add_target_objects(${name} ${target} SOURCES ${start} ${arg_SOURCES})
  set(objects ${${name}_OBJECTS})
  foreach(set IN LISTS arg_OBJECTS)
    list(APPEND objects ${${set}_OBJECTS})
  endforeach()
  set(elf ${CMAKE_CURRENT_BINARY_DIR}/${name}.elf)
  add_custom_command(OUTPUT ${elf}
    COMMAND ${cross_COMPILER} ${cross_FLAGS} -nostartfiles -nodefaultlibs -Wl,--gc-sections -Wl,-Map,${elf}.map
            -Wl,--no-warn-rwx-segments -L${FEMTO_ROOT}/ports -T${board}/board.ld ${objects} -o ${elf}
            -Wl,--start-group ${arg_LIBRARIES} -lc -lgcc -Wl,--end-group
    DEPENDS ${objects} ${board}/board.ld ${FEMTO_ROOT}/ports/sections.ld VERBATIM
    COMMENT "Firmware ${name}")
  add_custom_target(firmware_${name} ALL DEPENDS ${elf})
  set(${name}_ELF ${elf} PARENT_SCOPE)
endfunction()

function(femto_add_target_test name)
  cmake_parse_arguments(arg "" "DIGEST" "COMMAND;SOURCES;DEFINITIONS" ${ARGN})
  set(log ${CMAKE_CURRENT_BINARY_DIR}/${name}.log)
  add_test(NAME target.${name} COMMAND ${CMAKE_COMMAND} -DLOG=${log} "-DCOMMAND=${arg_COMMAND}"
                                       -DELF=${${name}_ELF} -P ${FEMTO_CHECK_LOG})
  set_tests_properties(target.${name} PROPERTIES LABELS target TIMEOUT 60 FIXTURES_SETUP ${name})
  # The names of the tests, from the sources.
  set(cases)
  foreach(source IN LISTS arg_SOURCES)
    get_filename_component(path ${source} ABSOLUTE)
    file(STRINGS ${path} lines REGEX "^TEST_CASE\\(\"")
    foreach(line IN LISTS lines)
      string(REGEX REPLACE "^TEST_CASE\\(\"([^\"]*)\".*" "\\1" case "${line}")
      add_test(NAME "target.${name}.${case}"  # a thousand of these: grep starts faster than cmake
               COMMAND sh -c "grep -Fqx -e \"ok $1\" \"$2\" || { cat \"$2\"; exit 1; }" sh "${case}" ${log})
      set_tests_properties("target.${name}.${case}" PROPERTIES LABELS target FIXTURES_REQUIRED ${name})
    endforeach()
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${path})
  endforeach()
  if(arg_DIGEST)
    add_test(NAME "target.${name}.same as the host" COMMAND ${CMAKE_COMMAND} -DLOG=${log}
             -DDIGEST=${arg_DIGEST} -P ${FEMTO_CHECK_LOG})
    set_tests_properties("target.${name}.same as the host" PROPERTIES
      LABELS target FIXTURES_REQUIRED "${name};host_digest")
  endif()
endfunction()
