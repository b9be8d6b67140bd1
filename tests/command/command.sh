#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `femto` says and returns. Usage: command.sh TEST FEMTO SOURCES; one ctest for each TEST.
set -u
test=$1 femto=$2 sources=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

failures=0
# expect STATUS TEXT COMMAND...: the status, and TEXT (a fixed string) somewhere in what it prints.
expect() {
    status=$1 text=$2
    shift 2
    out=$("$@" 2>&1)
    got=$?
    if [ "$got" != "$status" ] || ! printf '%s\n' "$out" | grep -qF -e "$text"; then
        printf 'FAILED: %s\n  wanted status %s and: %s\n  got status %s and:\n%s\n' \
            "$*" "$status" "$text" "$got" "$out"
        failures=$((failures + 1))
    fi
}

fletcher=$sources/examples/containers/fletcher32.c
context=6162636465 # "abcde", whose Fletcher-32 is 0xf04fc729

case $test in
build)
    expect 0 "" "$femto" build "$fletcher" -o f.o
    expect 0 "verified" "$femto" verify f.o
    expect 0 "" "$femto" build "$sources/examples/containers/fletcher32.cpp" -o fpp.o
    expect 0 "result" "$femto" run fpp.o --context $context
    expect 2 "no such file" "$femto" build nowhere.c
    expect 2 "not a clang with the BPF target" "$femto" build "$fletcher" --compiler false
    echo 'int f(void) { return x; }' >bad.c
    expect 1 "the compiler failed" "$femto" build bad.c
    ;;
inspect)
    "$femto" build "$sources/examples/containers/sort.c" -o s.o
    expect 0 "functions" "$femto" inspect s.o
    expect 0 "sort.c:" "$femto" inspect s.o
    expect 0 "2 frames of" "$femto" inspect s.o
    expect 0 "exit" "$femto" inspect s.o
    expect 2 "cannot be read" "$femto" inspect nowhere.o
    expect 2 "no ELF file" "$femto" inspect "$fletcher"
    ;;
verify)
    cat >recursive.c <<'END'
__attribute__((noinline)) unsigned long down(unsigned long n) {
    return n == 0 ? 0 : down(n - 1) * 3 + n;
}
unsigned long entry(unsigned long *c) { return down(c[0]); }
END
    "$femto" build recursive.c -o r.o
    expect 1 "a function calls itself" "$femto" verify r.o
    expect 1 "recursive.c:2" "$femto" verify r.o
    expect 1 "in function down" "$femto" verify r.o
    expect 1 "help: write it as a loop" "$femto" verify r.o
    echo 'extern int nothing(void); int f(void) { return nothing(); }' >undefined.c
    "$femto" build undefined.c -o u.o
    expect 2 'symbol `nothing`' "$femto" verify u.o
    head -c 200 r.o >cut.o
    expect 2 "the file ends before" "$femto" verify cut.o
    ;;
run)
    "$femto" build "$fletcher" -o f.o
    expect 0 "0xf04fc729" "$femto" run f.o --context $context
    expect 0 "instructions" "$femto" run f.o fletcher32 --context $context
    expect 0 '"result": "0xf04fc729"' "$femto" run f.o --json --context $context
    for d in compact threaded; do
        for a in segmented flat; do
            expect 0 "0xf04fc729" "$femto" run f.o --context $context --dispatch $d --address-space $a
        done
    done
    expect 0 "exit" "$femto" run f.o --trace --context $context
    echo 'int entry(int *c, unsigned long n) { return c[n / 4]; }' >past.c
    "$femto" build past.c -o p.o
    expect 1 "offset 8 of context, 8 bytes readable" "$femto" run p.o --context 0400000001000200
    expect 1 "past.c:1" "$femto" run p.o --context 0400000001000200
    expect 1 '"name": "illegal_memory"' "$femto" run p.o --json --context 0400000001000200
    expect 1 "used up its fuel" "$femto" run f.o --fuel 5 --context $context
    expect 2 "there are: fletcher32" "$femto" run f.o nothing
    expect 2 "neither a file nor" "$femto" run f.o --context xyz
    expect 2 "odd number" "$femto" run f.o --context 123
    expect 2 "--region" "$femto" run f.o --region 64
    cat >region.c <<'END'
unsigned long entry(void) {
    volatile unsigned char *region = (void *)0x500000000;
    region[1] = region[0];
    return region[1];
}
END
    "$femto" build region.c -o g.o
    printf 'AB' >two
    expect 0 "0x41" "$femto" run g.o --region two:rw
    expect 1 "write to memory that may only be read" "$femto" run g.o --region two:ro
    expect 1 "access outside" "$femto" run g.o
    ;;
plugin)
    # r0 = *(u32 *)r1; exit
    program="61 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00"
    expect 0 "44332211" "$femto" conformance-plugin "11 22 33 44" --program "$program"
    expect 1 "outside every region" "$femto" conformance-plugin "11 22" --program "$program"
    expect 1 "not defined" "$femto" conformance-plugin --program "ff 00 00 00 00 00 00 00"
    expect 2 "whole number" "$femto" conformance-plugin --program "95 00"
    out=$(printf '%s' "$program" | "$femto" conformance-plugin "01 00 00 00" --dispatch compact)
    [ "$out" = 1 ] || { echo "FAILED: program on standard input gave $out"; failures=1; }
    ;;
help)
    expect 0 "Exit status" "$femto" --help
    expect 0 "--context" "$femto" run --help
    expect 0 "0." "$femto" --version
    expect 2 "subcommand" "$femto"
    expect 2 "dispatch" "$femto" run x.o --dispatch fast
    ;;
*) echo "no test $test"; exit 1 ;;
esac
exit $((failures != 0))
