// SPDX-License-Identifier: Apache-2.0
// Which port the component gives to which chip; the port's own code is for that chip's compiler.
#include <femto/vm.hpp>

#if !__has_include(<femto_port.hpp>)
#error "no port in the include path"
#endif
#if defined(RISCV) != __has_include(<csr.hpp>)
#error "the port of another architecture"
#endif

int main() { return femto::vm<>{}.executed() == 0 ? 0 : 1; }
