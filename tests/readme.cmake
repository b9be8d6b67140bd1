# SPDX-License-Identifier: Apache-2.0
# cmake -DFEMTO=<source> -P readme.cmake: the firmware in README.md is the one that tests/consumer builds.
file(READ ${FEMTO}/README.md readme)
file(READ ${FEMTO}/tests/consumer/main.cpp source)
string(FIND "${source}" "#include <femto" begin)
string(SUBSTRING "${source}" ${begin} -1 source)
string(STRIP "${source}" source)
string(FIND "${readme}" "${source}" found)
if(found EQUAL -1)
  message(FATAL_ERROR "README.md does not show tests/consumer/main.cpp as it is")
endif()
