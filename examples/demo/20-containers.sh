# SPDX-License-Identifier: Apache-2.0
# Part of `./dev demo`: containers of two tenants on one device, live (examples/scenario).
echo "== Containers of two tenants on one device: threads counted, a sensor read, CoAP answered =="
for name in thread_counter sensor_average coap_answer; do
    $femto build examples/scenario/$name.c -o build/demo/$name.o
    say $femto pack build/demo/$name.o -o build/demo/$name.fmtc
done
echo
build/demo/examples/scenario/femto_scenario_demo
