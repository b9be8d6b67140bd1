# SPDX-License-Identifier: Apache-2.0
# Part of `./dev demo`, which sets $femto and say: one container, beside native code, and hostile ones.
printf '123456789' >build/demo/context
echo "== A container: CRC-32 in C, run on nine bytes =="
say $femto build examples/containers/crc32.c -o build/demo/crc32.o
say $femto verify build/demo/crc32.o
say $femto run build/demo/crc32.o --context build/demo/context
$femto run build/demo/crc32.o --context build/demo/context | grep -q 0xcbf43926 ||
    { echo "wrong result" >&2; exit 1; }
echo
echo "== Beside native code: fletcher32 over 360 bytes; ratio = times as long as native =="
build/demo/bench/femto_bench --benchmark_min_time=0.2 --benchmark_filter='workload/fletcher32/' \
    2>/dev/null
echo
echo "== Hostile containers: refused by the verifier, or stopped while they run =="
for name in recursion overrun endless; do
    step "Building examples/hostile/$name.c" \
        $femto build examples/hostile/$name.c -o build/demo/$name.o
    if say $femto run build/demo/$name.o --context build/demo/context; then
        echo "$name was not stopped" >&2
        exit 1
    fi
done
