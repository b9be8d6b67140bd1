# SPDX-License-Identifier: Apache-2.0
# Runs a firmware and keeps what it prints (COMMAND, ELF, LOG), or looks for a line in that (CASE), or
# compares its digests with those of the host (DIGEST).
cmake_minimum_required(VERSION 3.20)
if(DEFINED COMMAND)
  execute_process(COMMAND ${COMMAND} ${ELF} RESULT_VARIABLE status OUTPUT_FILE ${LOG} ERROR_FILE ${LOG}
                  INPUT_FILE /dev/null)
  file(READ ${LOG} text)
  message("${text}")
  # A status other than 0 or 1, or no last line, means that the firmware did not reach its end; a test
  # that fails is a failure of that test.
  if(NOT text MATCHES "\nran [0-9]+, failed [0-9]+\n" OR status GREATER 1)
    message(FATAL_ERROR "the firmware did not end by itself: ${status}")
  endif()
elseif(DEFINED CASE)
  file(READ ${LOG} text)
  string(FIND "\n${text}" "\nok ${CASE}\n" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "no 'ok ${CASE}' in:\n${text}")
  endif()
else()
  foreach(file IN ITEMS ${LOG} ${DIGEST})
    file(STRINGS ${file} ${file} REGEX "^digest ")
  endforeach()
  if("${${DIGEST}}" STREQUAL "" OR NOT "${${LOG}}" STREQUAL "${${DIGEST}}")
    message(FATAL_ERROR "board: ${${LOG}}\nhost:  ${${DIGEST}}")
  endif()
  message("${${LOG}}")
endif()
