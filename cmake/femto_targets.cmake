# SPDX-License-Identifier: Apache-2.0
# The cross compilers that femto is tested with, by the name of the target. Used by the toolchain file
# for whole builds and by femto_add_target_test for firmware inside the host's build.
#
#   femto_target(<target> <variable>)  sets <variable>_PREFIX, _COMPILER, _FLAGS (a list, for C++),
#                                      _C_FLAGS and _PROCESSOR

set(FEMTO_TARGETS cortex-m0plus cortex-m3 cortex-m4 cortex-m7 cortex-m33 cortex-m55
                  rv32imc rv32imac rv64imac xtensa-lx106)

# Debian has no libstdc++ for RISC-V and Xtensa. Its headers for Arm are the same generic ones.
set(femto_borrowed_headers /usr/include/newlib/c++/12.2.1)

function(femto_target name variable)
  set(borrowed)
  if(EXISTS ${femto_borrowed_headers})
    set(borrowed -nostdinc++ -isystem ${femto_borrowed_headers}
                 -isystem ${femto_borrowed_headers}/arm-none-eabi)
  endif()
  if(name MATCHES "^cortex-m")
    set(prefix arm-none-eabi)
    set(processor arm)
    set(flags -mcpu=${name} -mthumb -mfloat-abi=soft)
  elseif(name MATCHES "^rv(32|64)")
    set(prefix riscv64-unknown-elf)
    set(processor riscv)
    string(REPLACE "32" "ilp32" abi "${CMAKE_MATCH_1}")
    string(REPLACE "64" "lp64" abi "${abi}")
    set(flags -march=${name} -mabi=${abi} -mcmodel=medany --specs=picolibc.specs ${borrowed})
  elseif(name STREQUAL "xtensa-lx106")
    set(prefix xtensa-lx106-elf)
    set(processor xtensa)
    set(flags -mlongcalls -mtext-section-literals ${borrowed})
    # Debian puts the specs where only the linker looks.
    set(specs /usr/lib/xtensa-lx106-elf/picolibc.specs)
    if(EXISTS ${specs})
      list(APPEND flags --specs=${specs})
    endif()
  else()
    message(FATAL_ERROR "femto: target '${name}' is none of: ${FEMTO_TARGETS}")
  endif()
  set(c_flags ${flags})
  if(borrowed)
    list(REMOVE_ITEM c_flags ${borrowed})
  endif()
  set(${variable}_PREFIX ${prefix} PARENT_SCOPE)
  set(${variable}_C_FLAGS ${c_flags} PARENT_SCOPE)
  set(${variable}_COMPILER ${prefix}-g++ PARENT_SCOPE)
  set(${variable}_PROCESSOR ${processor} PARENT_SCOPE)
  set(${variable}_FLAGS ${flags} PARENT_SCOPE)
endfunction()
