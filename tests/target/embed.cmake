# SPDX-License-Identifier: Apache-2.0
# Writes OUTPUT, a source file that links each of FILES (a list, separated by commas) into a firmware;
# tests/unit/objects.hpp, whose folder is UNIT, finds them by name.
string(REPLACE "," ";" files "${FILES}")
set(text "#include \"${UNIT}/objects.hpp\"\nextern \"C\" const std::byte")
set(assembly "")
set(rows "")
set(n 0)
set(declared "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  list(APPEND declared " femto_object_${n}[], femto_object_${n}_end[]")
  string(APPEND assembly
         "asm(\".pushsection .rodata.femto_objects,\\\"a\\\"\\n.balign 8\\n.global femto_object_${n}\\n\"\n"
         "    \"femto_object_${n}:\\n.incbin \\\"${file}\\\"\\n\"\n"
         "    \".global femto_object_${n}_end\\nfemto_object_${n}_end:\\n.byte 0\\n.popsection\");\n")
  string(APPEND rows "    {\"${name}\", femto_object_${n}, femto_object_${n}_end},\n")
  math(EXPR n "${n} + 1")
endforeach()
list(JOIN declared "," declared)
file(WRITE ${OUTPUT} "${text}${declared};\n${assembly}"
     "static const test::embedded_object all[]{\n${rows}};\n"
     "std::span<const test::embedded_object> test::embedded_objects() { return all; }\n")
