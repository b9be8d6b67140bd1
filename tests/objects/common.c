// SPDX-License-Identifier: Apache-2.0
// Compiled with -fcommon: tentative definitions are common symbols.
int first;
long second[3];
unsigned long entry(void) {
    first += 4;
    second[2] += 5;
    return (unsigned long)(first + second[2]);
}
