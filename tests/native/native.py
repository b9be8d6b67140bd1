#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random C functions, compiled for BPF and for this machine: native.py BUILD_FOLDER COUNT SEED.

Each function follows from its seed. It computes with integers of all widths and signs in the 256 bytes
that its argument points to: arithmetic, shifts, divisions, comparisons, loops, arrays, structures and calls.
Nothing in it is undefined: operations are on unsigned types or guarded, shifts are masked, indices are
reduced to the length of their array.
"""
import glob
import random
import re
import shutil
import subprocess
import sys

TYPES = ["u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64"]
SIZE = {"8": 1, "16": 2, "32": 4, "64": 8}
PRELUDE = """
typedef unsigned char u8; typedef unsigned short u16; typedef unsigned int u32; typedef unsigned long long u64;
typedef signed char s8; typedef signed short s16; typedef signed int s32; typedef signed long long s64;
struct mixed { u8 a; s16 b; u32 c; s64 d; s8 e[3]; u16 f[4]; };
"""


class Generator:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.names = []

    def constant(self):
        edges = [0, 1, 2, 7, 31, 63, 127, 128, 255, 256, 32767, 65535, 0x7fffffff, 0x80000000, 0xffffffff,
                 0x7fffffffffffffff, 0x8000000000000000, 0xffffffffffffffff]
        value = self.r.choice(edges) if self.r.random() < 0.6 else self.r.getrandbits(64)
        return f"(({self.r.choice(TYPES)}){value}ull)"

    def leaf(self):
        k = self.r.random()
        if k < 0.5 and self.names:
            return self.r.choice(self.names)
        if k < 0.7:
            t = self.r.choice(TYPES)
            return f"(({t} *)p)[{self.r.randrange(256 // SIZE[t[1:]])}]"
        if k < 0.8:
            return self.r.choice(["m->a", "m->b", "m->c", "m->d", f"m->e[{self.r.randrange(3)}]",
                                  f"m->f[{self.r.randrange(4)}]"])
        return self.constant()

    def expression(self, depth=3):
        if depth == 0 or self.r.random() < 0.15:
            return self.leaf()
        a, b = self.expression(depth - 1), self.expression(depth - 1)
        kind = self.r.randrange(11)
        bits = self.r.choice(["32", "64"])
        u, s = "u" + bits, "s" + bits
        if kind < 3:
            return f"({u})(({u}){a} {self.r.choice('+ - * & | ^'.split())} ({u}){b})"
        if kind == 3:
            return f"(({u}){a} << (({u}){b} & {int(bits) - 1}))"
        if kind == 4:
            return f"(({self.r.choice([u, s])}){a} >> (({u}){b} & {int(bits) - 1}))"
        if kind == 5:
            # BPF up to v3 has no signed division: LLVM refuses it there; v4 has its own function below.
            return f"(({u}){a} {self.r.choice('/%')} (({u}){b} | 1))"
        if kind == 6:
            return f"(({self.r.choice([u, s])}){a} {self.r.choice('< <= > >= == !='.split())} ({self.r.choice([u, s])}){b})"
        if kind == 7:
            return f"(({a}) ? ({b}) : ({self.expression(depth - 1)}))"
        if kind == 8:
            return f"(({self.r.choice(TYPES)})({a}))"
        if kind == 9:
            return f"({self.r.choice(['~', '-'])}({u})({a}))"
        return f"SDIV({bits}, {a}, {b})"

    def statement(self, depth=2):
        k = self.r.randrange(6)
        indent = "    "
        if k == 0:
            t = self.r.choice(TYPES)
            return [f"{indent}(({t} *)p)[(u32)({self.expression(2)}) % {256 // SIZE[t[1:]]}] = {self.expression()};"]
        if k == 1 and depth:
            body = [line for _ in range(2) for line in self.statement(depth - 1)]
            return [f"{indent}if ({self.expression(2)}) {{", *body, f"{indent}}} else {{",
                    *self.statement(depth - 1), f"{indent}}}"]
        if k == 2 and depth:
            n = f"i{self.r.getrandbits(32)}"
            body = [line for _ in range(2) for line in self.statement(depth - 1)]
            return [f"{indent}for (u32 {n} = 0; {n} < {self.r.randrange(1, 9)}; ++{n}) {{",
                    f"{indent}    x += {n};", *body, f"{indent}}}"]
        if k == 3:
            return [f"{indent}x = step(x, {self.expression(2)}, p);"]
        if k == 4:
            return [f"{indent}local[(u32)x % 8] ^= {self.expression(2)}; y += local[(u32)({self.expression(1)}) % 8];"]
        return [f"{indent}{self.r.choice(['x', 'y', 'z'])} = {self.expression()};"]

    def function(self, number):
        self.names = ["x", "y", "z"]
        lines = [f"static __attribute__((noinline)) u64 step{number}(u64 a, u64 b, void *p) {{",
                 f"    return a * {self.r.getrandbits(32) | 1}u + b + ((u8 *)p)[b % 256];", "}",
                 f"u64 f{number}(void *p) {{", "    struct mixed *m = p;", f"    u64 x = {self.constant()};",
                 f"    s32 y = (s32)({self.constant()});", f"    u16 z = (u16)({self.constant()});",
                 "    u64 local[8] = {1, 2, 3, 4, 5, 6, 7, 8};"]
        for _ in range(self.r.randrange(4, 12)):
            lines += self.statement()
        lines.append("    return x + (u64)y * 3 + z + local[3] + (u64)m->d;")
        lines.append("}")
        return "\n".join(lines).replace("step(", f"step{number}(")


def signed_division(v4):
    """As defined in C where it is, guarded elsewhere. Spelled out for processors without the instruction."""
    if v4:
        return "#define SDIV(bits, a, b) sdiv##bits((s##bits)(a), (s##bits)(b))\n" + "".join(
            f"static inline s{n} sdiv{n}(s{n} a, s{n} b) {{ return b == 0 ? 0 : b == -1 ? (s{n})(0 - (u{n})a) : a / b; }}\n"
            for n in (32, 64))
    return "#define SDIV(bits, a, b) sdiv##bits((s##bits)(a), (s##bits)(b))\n" + "".join(
        f"static inline s{n} sdiv{n}(s{n} a, s{n} b) {{ u{n} x = a < 0 ? 0 - (u{n})a : (u{n})a, y = b < 0 ? 0 - (u{n})b : (u{n})b; "
        f"u{n} q = y == 0 ? 0 : x / y; return (s{n})((a < 0) != (b < 0) ? 0 - q : q); }}\n" for n in (32, 64))


def main():
    build, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    compilers = [c for v in range(14, 30) if (c := shutil.which(f"clang-{v}"))]
    newest = max(compilers, key=lambda c: int(c.rsplit("-", 1)[1]))
    bpf = [(c, cpu, level) for c in {compilers[0], newest} for cpu in ("v1", "v2", "v3", "v4")
           for level in ("-O1", "-O2", "-Os") if cpu != "v4" or int(c.rsplit("-", 1)[1]) >= 18]
    per_file, combinations, total, skipped = 20, 0, 0, 0
    for first in range(seed, seed + count, per_file):
        n = min(per_file, seed + count - first)
        functions = "\n".join(Generator(first + k).function(k) for k in range(n))
        for k in range(2):
            compiler, cpu, level = random.Random(first * 2 + k).choice(bpf)
            host = random.Random(first * 2 + k).choice([[c, o] for c in ("gcc", newest) for o in ("-O0", "-O1", "-O2", "-O3")])
            source = f"{build}/native.c"
            with open(source, "w") as file:
                file.write(PRELUDE + signed_division(cpu == "v4") + functions)
            quiet = ["-w", "-fno-strict-aliasing", "-ffreestanding", "-fno-builtin"]
            made = subprocess.run([compiler, "-target", "bpf", f"-mcpu={cpu}", level, *quiet, "-fno-jump-tables",
                                   "-mllvm", "-disable-loop-idiom-all", "-c", source, "-o", f"{build}/native.o"],
                                  capture_output=True, text=True)
            if "__multi3" in made.stderr:  # LLVM made 128-bit products of a loop, which BPF does not have
                skipped += 1
                continue
            if made.returncode != 0:
                sys.exit(f"FAILED: {compiler} {cpu} {level}: {made.stderr[:2000]}")
            subprocess.run([*host, *quiet, "-shared", "-fPIC", source, "-o", f"{build}/native.so"], check=True)
            run = subprocess.run([f"{build}/femto_native", f"{build}/native.o", f"{build}/native.so", str(n)],
                                 capture_output=True, text=True)
            if run.returncode != 0:
                print(f"FAILED: functions of seeds {first} to {first + n - 1}, {compiler} {cpu} {level} against "
                      f"{' '.join(host)}: {run.stdout}{run.stderr[-2000:]}\nsource: {source}")
                return 1
            total += int(re.match(r"\d+", run.stdout)[0])
            combinations += 1
    print(f"{count} functions, {combinations} pairs of compilers and levels, {total} runs agree; "
          f"LLVM could not compile {skipped} files")
    return 0 if skipped <= combinations else 1


if __name__ == "__main__":
    sys.exit(main())
