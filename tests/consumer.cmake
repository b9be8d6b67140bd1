# SPDX-License-Identifier: Apache-2.0
# cmake -DHOW=... -DFEMTO=<source> -DWORK=<folder> -DCOMPILER=<c++> -P consumer.cmake: builds and runs
# tests/consumer as a user would.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\n${out}")
  endif()
endfunction()
file(REMOVE_RECURSE ${WORK})
set(compiler -DCMAKE_CXX_COMPILER=${COMPILER} -G Ninja)
if(HOW STREQUAL "find_package")
  run(${CMAKE_COMMAND} -S ${FEMTO} -B ${WORK}/femto ${compiler} -DFEMTO_TESTS=OFF -DFEMTO_TOOLS=OFF
      -DCMAKE_INSTALL_PREFIX=${WORK}/installed)
  run(${CMAKE_COMMAND} --install ${WORK}/femto)
  set(compiler ${compiler} -DCMAKE_PREFIX_PATH=${WORK}/installed)
endif()
run(${CMAKE_COMMAND} -S ${FEMTO}/tests/consumer -B ${WORK}/build ${compiler} -DHOW=${HOW}
    -DFEMTO=${FEMTO})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
if(NOT EXISTS ${WORK}/build/answer.o)
  message(FATAL_ERROR "no container was built")
endif()
