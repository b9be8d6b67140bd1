#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles windowed.cpp for the windowed ABI and looks at the code: register windows, no call0 call or return.
# Usage: windowed.sh CLANG SOURCES
set -eu
text=$("$1" --target=xtensa -Xclang -target-feature -Xclang +windowed -D__XTENSA_WINDOWED_ABI__=1 \
    -fno-integrated-as -std=c++20 -Os -Wall -Wextra -Werror -fno-exceptions -fno-rtti -nostdinc++ \
    -isystem /usr/include/newlib/c++/12.2.1 -isystem /usr/include/newlib/c++/12.2.1/arm-none-eabi \
    -isystem /usr/lib/xtensa-lx106-elf/include -I"$2/include" -S "$2/tests/target/windowed.cpp" -o -)
for wanted in entry retw rsil 'wsr.*160'; do
    echo "$text" | grep -Eq "$wanted" || { echo "no $wanted in the code"; exit 1; }
done
if echo "$text" | grep -Eq '^[[:space:]]*(ret|call0|callx0)\b'; then
    echo "code for call0:"
    echo "$text" | grep -E '^[[:space:]]*(ret|call0|callx0)\b'
    exit 1
fi
echo "$(echo "$text" | grep -Ec '\bentry\b') functions with register windows"
