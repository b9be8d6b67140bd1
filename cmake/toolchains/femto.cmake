# SPDX-License-Identifier: Apache-2.0
# One toolchain file for all targets:
#   cmake -DCMAKE_TOOLCHAIN_FILE=cmake/toolchains/femto.cmake -DFEMTO_TARGET=cortex-m4 ...
# CMakePresets.json has a preset for each; the names are those of cmake/femto_targets.cmake.
include(${CMAKE_CURRENT_LIST_DIR}/../femto_targets.cmake)
femto_target("${FEMTO_TARGET}" femto_cross)
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES FEMTO_TARGET)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR ${femto_cross_PROCESSOR})
set(CMAKE_CXX_COMPILER ${femto_cross_COMPILER})
set(CMAKE_C_COMPILER ${femto_cross_PREFIX}-gcc)
list(JOIN femto_cross_FLAGS " " CMAKE_CXX_FLAGS_INIT)
list(JOIN femto_cross_C_FLAGS " " CMAKE_C_FLAGS_INIT)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
