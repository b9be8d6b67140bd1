// SPDX-License-Identifier: Apache-2.0
extern int nowhere;
extern unsigned long no_such_helper(void);
#ifdef DATA
int *pointer = &nowhere;
unsigned long entry(void) { return (unsigned long)*pointer; }
#elif defined(HELPER)
unsigned long entry(void) { return no_such_helper(); }
#else
unsigned long entry(void) { return (unsigned long)nowhere; }
#endif
