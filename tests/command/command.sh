#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `femto` says and returns. Usage: command.sh TEST FEMTO SOURCES [OBJECT]; one ctest for each TEST.
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

# json COMMAND...: its standard output is one JSON value, as somebody else's parser sees it.
json() {
    if ! "$@" 2>/dev/null | python3 -m json.tool >/dev/null; then
        printf 'FAILED: no JSON: %s\n' "$*"
        failures=$((failures + 1))
    fi
}
# folders and endless files where a file is wanted
no_file() {
    expect 2 "$work: cannot be read: Is a directory" "$@" "$work"
    expect 2 "nowhere.o: cannot be read: No such file" "$@" nowhere.o
    expect 2 "longer than 64 MiB" "$@" /dev/zero
    expect 2 "no ELF file" "$@" /dev/null
    expect 2 "no ELF file" "$@" "$fletcher"
    expect 2 "not a relocatable little-endian BPF object" "$@" "$femto"
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
    expect 2 "is a folder" "$femto" build "$work"
    expect 2 "one source file" "$femto" build "$fletcher" "$fletcher"
    expect 2 "not a clang with the BPF target" "$femto" build "$fletcher" --compiler false
    expect 2 "apt-get install clang-19" "$femto" build "$fletcher" --compiler false --cpu v4
    expect 2 "v9 not in" "$femto" build "$fletcher" --cpu v9
    expect 2 "apt-get install clang" env PATH="$work" "$femto" build "$fletcher"
    expect 1 "unable to open output file" "$femto" build "$fletcher" -o nowhere/f.o
    for cpu in v1 v2 v3; do
        "$femto" build "$fletcher" -o $cpu.o --cpu $cpu
        expect 0 "0xf04fc729" "$femto" run $cpu.o --context $context
    done
    expect 0 "" "$femto" build "$fletcher" -o flag.o --flag=-DUNUSED --flag -O1
    cp "$fletcher" here.c
    expect 0 "" "$femto" build here.c
    expect 0 "verified" "$femto" verify here.o
    echo 'int f(void) { return x; }' >bad.c
    expect 1 "the compiler failed" "$femto" build bad.c
    ;;
inspect)
    "$femto" build "$sources/examples/containers/sort.c" -o s.o
    expect 0 "functions" "$femto" inspect s.o
    expect 0 "sort.c:" "$femto" inspect s.o
    expect 0 "2 frames of" "$femto" inspect s.o
    expect 0 "exit" "$femto" inspect s.o
    expect 0 "functions" "$femto" inspect - <s.o
    out=$("$femto" inspect s.o --no-code)
    case $out in *exit*) echo "FAILED: --no-code shows code"; failures=1 ;; esac
    # What the firmware binds, nobody here knows: it can be looked at all the same.
    echo 'extern int mine(int); int f(void) { return mine(1); }' >own.c
    "$femto" build own.c -o own.o
    expect 0 "by name mine" "$femto" inspect own.o
    expect 0 "0 bytes: 1 frame" "$femto" inspect own.o
    no_file "$femto" inspect
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
    expect 1 "a function calls itself" "$femto" verify - <r.o
    no_file "$femto" verify
    ;;
lines)
    # The same two mistakes in an object with .BTF.ext and in one that has DWARF only.
    cat >wrong.c <<'END'
__attribute__((noinline)) unsigned long down(unsigned long n) {
    return n == 0 ? 0 : down(n - 1) * 3 + n;
}
__attribute__((section("hook"))) unsigned long recursive(unsigned long *c) { return down(c[0]); }
END
    printf '%s\n' 'unsigned long entry(unsigned long *c, unsigned long n) {' \
        '    volatile unsigned long *p = c;' '    c[0] += n;' '    return p[n];' '}' >past.c
    "$femto" build wrong.c -o llvm.o
    "$femto" build past.c -o llvm_past.o
    bpf-gcc -g -O1 -c wrong.c -o gcc.o
    bpf-gcc -g -O2 -c past.c -o gcc_past.o
    for by in llvm gcc; do
        expect 1 "wrong.c:2" "$femto" verify $by.o
        expect 1 "   2 |     return n == 0 ? 0 : down(n - 1) * 3 + n;" "$femto" verify $by.o
        expect 0 "wrong.c:4: __attribute__" "$femto" inspect $by.o
        expect 1 "past.c:4" "$femto" run ${by}_past.o --context 0000000000000000
        expect 1 "return p[n];" "$femto" run ${by}_past.o --context 0000000000000000
    done
    # Without the source DWARF has the place still; without either there is the instruction.
    rm past.c wrong.c
    expect 1 "past.c:4" "$femto" run gcc_past.o --context 0000000000000000
    llvm-strip-22 --strip-debug gcc_past.o -o bare.o
    expect 1 "bare.o: error: access outside" "$femto" run bare.o --context 0000000000000000
    expect 1 "in function entry, instruction" "$femto" run bare.o --context 0000000000000000
    ;;
rust)
    expect 0 "fletcher32.rs:" "$femto" inspect "$4"
    expect 0 "verified" "$femto" verify "$4"
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
    expect 0 " r10=1" "$femto" run f.o --trace --context $context
    expect 0 "0xf04fc729" "$femto" run - --context $context <f.o
    printf abcde >five
    expect 0 "0xf04fc729" "$femto" run f.o --context five
    expect 0 "0xf04fc729" "$femto" run f.o --context - <five
    no_file "$femto" run
    echo 'int entry(int *c, unsigned long n) { return c[n / 4]; }' >past.c
    "$femto" build past.c -o p.o
    echo 'int entry(void) { return *(volatile int *)8; }' >null.c
    "$femto" build null.c -o n.o
    echo 'int entry(volatile char *c) { return c[-1]; }' >before.c
    "$femto" build before.c -o b.o
    expect 1 "offset 8 of the context, 8 bytes readable" "$femto" run p.o --context 0400000001000200
    expect 1 "offset 8 of the context, 8 bytes readable" "$femto" run p.o --address-space flat \
        --context 0400000001000200
    expect 1 "a null or small pointer" "$femto" run n.o
    expect 1 "a null or small pointer" "$femto" run n.o --address-space flat
    expect 1 "1 bytes before the context" "$femto" run b.o --address-space flat --context 00
    expect 1 "past.c:1" "$femto" run p.o --context 0400000001000200
    json "$femto" run f.o --json --context $context
    json "$femto" run p.o --json --context 0400000001000200
    json "$femto" run f.o nothing --json
    json "$femto" run /dev/null --json
    expect 1 '"line": 1' "$femto" run p.o --json --context 0400000001000200
    expect 1 '"note": "guest address' "$femto" run p.o --json --context 0400000001000200
    echo 'int entry(void) { return ((int (*)(void))77)(); }' >unbound.c
    "$femto" build unbound.c -o un.o
    expect 1 '"stage": "verify", "name": "illegal_call"' "$femto" run un.o --json
    expect 1 "helper or function 77" "$femto" verify un.o
    json "$femto" run un.o --json
    expect 2 '"stage": "load"' "$femto" run f.o nothing --json
    cat >print.c <<'END'
#include <bpf/bpfapi/helpers.h>
int entry(void) {
    static const char text[] = "\"%d\"\n";
    bpf_printf(text, 7);
    return 0;
}
END
    "$femto" build print.c -o print.o
    expect 0 '"7"' "$femto" run print.o
    expect 0 '"printed": "\"7\"\u000a"' "$femto" run print.o --json
    json "$femto" run print.o --json
    expect 1 '"name": "illegal_memory"' "$femto" run p.o --json --context 0400000001000200
    expect 1 "used up its fuel" "$femto" run f.o --fuel 5 --context $context
    echo 'int entry(void) { return *(volatile char *)0x500000007 + 1; }' >one.c
    "$femto" build one.c -o one.o
    expect 2 "there are: fletcher32" "$femto" run f.o nothing
    expect 2 "neither a file nor" "$femto" run f.o --context xyz
    expect 2 "odd number" "$femto" run f.o --context 123
    expect 2 "--region" "$femto" run f.o --region 64
    expect 2 "cannot be read" "$femto" run f.o --region nowhere:ro
    expect 2 "at most 99999999" "$femto" run f.o --region 999999999:rw
    expect 0 "0x1" "$femto" run one.o --region 8:rw
    expect 2 "too many regions, at most 11" "$femto" run f.o --region 8:rw --region 8:rw --region 8:rw \
        --region 8:rw --region 8:rw --region 8:rw --region 8:rw --region 8:rw --region 8:rw \
        --region 8:rw --region 8:rw --region 8:rw
    expect 2 "not in range" "$femto" run f.o --fuel 0
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
pack)
    for name in thread_counter sensor_average coap_answer; do
        "$femto" build "$sources/examples/scenario/$name.c" -o $name.o
        expect 0 "$name.fmtc" "$femto" pack $name.o
        expect 0 "verified" "$femto" verify $name.fmtc
    done
    # what the source says of itself
    expect 0 "hook 46454d54-0000-8000-8000-000000000001" "$femto" inspect thread_counter.fmtc
    expect 0 "fuel 100 instructions" "$femto" inspect thread_counter.fmtc
    expect 0 "stores 8 entries" "$femto" inspect thread_counter.fmtc
    expect 0 "0x13 bpf_fetch_global" "$femto" inspect thread_counter.fmtc
    expect 0 "suspends" "$femto" inspect sensor_average.fmtc
    expect 0 "result" "$femto" run thread_counter.fmtc --context 00000000000000000200000000000000
    # flags go before
    cat >plain.c <<'END'
int one(int *c) { return c[0]; }
int two(int *c) { return c[0] + 2; }
END
    "$femto" build plain.c -o plain.o
    expect 2 "for which hook" "$femto" pack plain.o
    expect 2 "for which function" "$femto" pack plain.o --hook 46454d54-0000-8000-8000-000000000009
    expect 2 "no function \`three\`" "$femto" pack plain.o --hook three=46454d54-0000-8000-8000-000000000009
    expect 2 "neither a UUID" "$femto" pack plain.o --hook one=here
    expect 2 "write NUMBER:r" "$femto" pack plain.o --hook one=46454d54-0000-8000-8000-000000000009 --region 7
    expect 0 "plain.fmtc" "$femto" pack plain.o --hook one=46454d54-0000-8000-8000-000000000009 \
        --hook two=46454d54-0000-8000-8000-00000000000a --fuel 77 --region 7:rw
    expect 0 "fuel 77" "$femto" inspect plain.fmtc
    expect 0 "region 7: read and write" "$femto" inspect plain.fmtc
    expect 0 "(5)" "$femto" run plain.fmtc 46454d54-0000-8000-8000-00000000000a --context 03000000
    expect 2 "two functions are for one hook" "$femto" pack plain.o --hook one=46454d54-0000-8000-8000-000000000009 \
        --hook two=46454d54-0000-8000-8000-000000000009
    expect 0 "aligned(8)" sh -c "'$femto' pack plain.o --hook one=46454d54-0000-8000-8000-000000000009 --c-array plain -o - "
    expect 2 "is an image already" "$femto" pack plain.fmtc --hook 46454d54-0000-8000-8000-000000000009
    printf 'FEMTO_REQUEST("speed 9");\n' | cat - plain.c | sed '1i #include <femto.h>' >wrong.c
    "$femto" build wrong.c -o wrong.o
    expect 2 "\`speed\` is not understood" "$femto" pack wrong.o --hook one=46454d54-0000-8000-8000-000000000009
    # damaged images
    head -c 50 plain.fmtc >cut.fmtc
    expect 2 "it should have" "$femto" verify cut.fmtc
    { printf 'fmtc\002'; tail -c +6 plain.fmtc; } >new.fmtc
    expect 2 "version 2" "$femto" inspect new.fmtc
    # an image of Femto-Containers: r0 = 6; exit
    { printf 'rBPF'; printf '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\020\0\0\0\0\0\0\0'
      printf '\267\0\0\0\006\0\0\0\225\0\0\0\0\0\0\0'; } >old.bin
    expect 0 "(6)" "$femto" run old.bin
    expect 0 "image of Femto-Containers" "$femto" inspect old.bin
    expect 0 "verified" "$femto" verify old.bin
    head -c 40 old.bin >short.bin
    expect 2 "it should have 44 bytes" "$femto" verify short.bin
    ;;
plugin)
    # r0 = *(u32 *)r1; exit
    program="61 10 00 00 00 00 00 00 95 00 00 00 00 00 00 00"
    expect 0 "44332211" "$femto" conformance-plugin "11 22 33 44" --program "$program"
    expect 1 "outside every region" "$femto" conformance-plugin "11 22" --program "$program"
    expect 1 "not defined" "$femto" conformance-plugin --program "ff 00 00 00 00 00 00 00"
    expect 2 "whole number" "$femto" conformance-plugin --program "95 00"
    expect 0 "44332211" "$femto" conformance-plugin "11 22 33 44" --program "$program" --dispatch prepared
    out=$(printf '%s' "$program" | "$femto" conformance-plugin "01 00 00 00" --dispatch compact)
    [ "$out" = 1 ] || { echo "FAILED: program on standard input gave $out"; failures=1; }
    ;;
help)
    expect 0 "Exit status" "$femto" --help
    expect 0 "--context" "$femto" run --help
    expect 0 "0." "$femto" --version
    expect 0 "bpf_printf" "$femto" run --help
    for c in build inspect verify run conformance-plugin; do
        expect 0 "Usage" "$femto" $c --help
        expect 2 "--nonsense" "$femto" $c x --nonsense
        expect 0 "$c" "$femto" --help
    done
    expect 2 "subcommand" "$femto"
    expect 2 'no command `frob`' "$femto" frob
    expect 2 "dispatch" "$femto" run x.o --dispatch fast
    ;;
*) echo "no test $test"; exit 1 ;;
esac
exit $((failures != 0))
