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
# A reader is slower than a device is to listen.
listens="for n in \$(seq 100); do femto status coap://127.0.0.1:$port >/dev/null 2>\&1 \&\& break; sleep 0.1; done"
commands=$(printf '%s\n' "$section" | sed -n "/^femto /{
    s/127.0.0.1:5683/127.0.0.1:$port/
    s/femto device/& --listen 127.0.0.1:$port/
    s|^femto device.*|&\n$listens|
    p
}")
[ -n "$commands" ] || { echo "$page has no commands below \"## $heading\"" >&2; exit 1; }
set -x
eval "$commands"
