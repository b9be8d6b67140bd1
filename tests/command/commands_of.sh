#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Does what a page tells its readers to do: saves the C in it as app.c, then runs its `femto` commands one
# after the other, each to succeed. Usage: commands_of.sh PAGE HEADING FEMTO SOURCES
set -eu
page=$1 heading=$2 femto=$3 sources=$4
work=$(mktemp -d)
trap 'kill ${!-} 2>/dev/null || true; rm -rf "$work"' EXIT  # the device goes on in the background
ln -s "$femto" "$work/femto"
ln -s "$sources/examples" "$work/examples"
PATH=$work:$PATH
port=$((20000 + $$ % 20000))  # another device may listen on the usual one

section=$(awk -v heading="## $heading" '/^## / { here = $0 == heading } here' "$page")
cd "$work"
printf '%s\n' "$section" | sed -n '/^```c$/,/^```$/ { /^```/d; p; }' >app.c
commands=$(printf '%s\n' "$section" |
    sed -n "/^femto /{ s/femto device/& --listen 127.0.0.1:$port/; s/127.0.0.1:5683/127.0.0.1:$port/; p; }")
[ -n "$commands" ] || { echo "$page has no commands below \"## $heading\"" >&2; exit 1; }
set -x
eval "$commands"
