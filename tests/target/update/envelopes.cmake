# SPDX-License-Identifier: Apache-2.0
# Writes HEADER: the envelopes in FOLDER as arrays, each named as its file.
file(GLOB files ${FOLDER}/container-*.hex)
set(text "#pragma once\n#include <cstdint>\nnamespace envelopes {\n")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME_WE)
  string(MAKE_C_IDENTIFIER ${name} name)
  file(READ ${file} digits)
  string(REGEX REPLACE "(..)" "0x\\1," data "${digits}")
  string(APPEND text "inline constexpr std::uint8_t ${name}[]{${data}};\n")
endforeach()
file(WRITE ${HEADER} "${text}}  // namespace envelopes\n")
