#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Proves the claims of claims.cpp: prove.py CLANG INCLUDE CLAIMS.

The file is compiled to LLVM IR, as the library's users compile it; each function without loops becomes a
formula of bit vectors, memory that is only read an unknown array, and z3 looks for arguments and contents
for which the function returns false. A loop that the compiler does not unroll, an instruction that is not
known here, or a value that is `poison` or `undef` is an error, not a proof.
"""
import re
import subprocess
import sys

IDENT = r'[%@]?[-\w."$]+'


class Unsupported(Exception):
    pass


def width(kind):
    if kind.endswith("*"):
        return 64
    match = re.fullmatch(r"i(\d+)", kind)
    if not match:
        raise Unsupported(f"type {kind}")
    return int(match[1])


def literal(text, bits):
    if text in ("true", "false"):
        return "#b1" if text == "true" else "#b0"
    if text == "null":
        text = "0"
    if re.fullmatch(r"-?\d+", text):
        return f"(_ bv{int(text) % (1 << bits)} {bits})"
    if text.startswith("%"):
        return f"|{text}|"
    raise Unsupported(f"value {text}")


BINARY = {"add": "bvadd", "sub": "bvsub", "mul": "bvmul", "and": "bvand", "or": "bvor", "xor": "bvxor",
          "shl": "bvshl", "lshr": "bvlshr", "ashr": "bvashr", "udiv": "bvudiv", "sdiv": "bvsdiv",
          "urem": "bvurem", "srem": "bvsrem"}
COMPARE = {"eq": "=", "ugt": "bvugt", "uge": "bvuge", "ult": "bvult", "ule": "bvule", "sgt": "bvsgt",
           "sge": "bvsge", "slt": "bvslt", "sle": "bvsle"}
INTRINSIC = {"umax": "bvuge", "umin": "bvule", "smax": "bvsge", "smin": "bvsle"}


def bit(formula):
    return f"(ite {formula} #b1 #b0)"


def split(text):
    """Splits at commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for n, c in enumerate(text):
        depth += c in "({[<"
        depth -= c in ")}]>"
        if c == "," and depth == 0:
            parts.append(text[start:n].strip())
            start = n + 1
    return parts + [text[start:].strip()]


class Function:
    def __init__(self, header, body, layouts):
        self.layouts = layouts
        self.out = ["(set-logic QF_AUFBV)"]
        for bits in (8, 16, 32, 64):
            self.out.append(f"(declare-const mem{bits} (Array (_ BitVec 64) (_ BitVec {bits})))")
        self.bits = {}
        for n, arg in enumerate(split(re.search(r"\((.*)\)[^)]*$", header)[1])):
            kind, name = arg.split()[0], arg.split()[-1]
            self.bits[name] = width(kind)
            self.out.append(f"(declare-const |{name}| (_ BitVec {width(kind)}))")
        self.edges = {}  # block -> [(predecessor, condition)]
        self.results = []
        self.loaded = set()
        self.places = {}  # pointer -> (base, offset), where the offset is a constant
        self.run(body)

    def define(self, name, bits, value):
        self.bits[name] = bits
        self.out.append(f"(define-fun |{name}| () (_ BitVec {bits}) {value})")

    def run(self, body):
        blocks, name = {}, "%entry"
        for line in body:
            line = re.sub(r"(, )?![\w.]+ ![\d{}]+|;.*$", "", line).strip().rstrip(",")
            label = re.fullmatch(r"([-\w.]+):", line)
            if label:
                name = "%" + label[1]
            elif line:
                blocks.setdefault(name, []).append(line)
        for name in self.in_order(blocks):
            incoming = " ".join(c for _, c in self.edges.get(name, []))
            reached = f"(or false {incoming})" if incoming else "true"
            self.out.append(f"(define-fun |reach {name}| () Bool {reached})")
            for line in blocks[name]:
                self.instruction(line, name)

    @staticmethod
    def in_order(blocks):
        """The blocks, each behind those that lead to it."""
        order, state = [], {}

        def visit(name):
            if state.get(name) == "open":
                raise Unsupported("a loop")
            if name not in state:
                state[name] = "open"
                for to in re.findall(r"label (%[-\w.]+)", blocks[name][-1]):
                    visit(to)
                state[name] = "done"
                order.append(name)

        visit(next(iter(blocks)))
        return order[::-1]

    def jump(self, block, to, condition="true"):
        self.edges.setdefault(to, []).append((block, f"(and |reach {block}| {condition})"))

    def instruction(self, line, block):
        match = re.fullmatch(rf"({IDENT}) = (.*)", line)
        if not match:
            return self.control(line, block)
        name, what = match.groups()
        op, rest = what.split(" ", 1)
        rest = re.sub(r"^((nuw|nsw|exact|tail|inbounds|zeroext|noundef) ?)+", "", rest)
        if op == "tail":
            op, rest = rest.split(" ", 1) if not rest.startswith("i") else ("call", rest)
        if op in BINARY:
            kind, values = rest.split(" ", 1)
            a, b = split(values)
            bits = width(kind)
            return self.define(name, bits, f"({BINARY[op]} {literal(a, bits)} {literal(b, bits)})")
        if op == "icmp":
            how, kind, values = rest.split(" ", 2)
            a, b = (literal(v, width(kind)) for v in split(values))
            formula = f"(not (= {a} {b}))" if how == "ne" else f"({COMPARE[how]} {a} {b})"
            return self.define(name, 1, bit(formula))
        if op in ("zext", "sext", "trunc", "ptrtoint", "inttoptr", "bitcast"):
            kind, value, _, to = re.fullmatch(r"(.+?) (%?[-\w.]+) (to) (.+)", rest).groups()
            have, want = width(kind), width(to)
            value = literal(value, have)
            if want > have:
                op = "sign_extend" if op == "sext" else "zero_extend"
                return self.define(name, want, f"((_ {op} {want - have}) {value})")
            return self.define(name, want, f"((_ extract {want - 1} 0) {value})")
        if op == "select":
            c, a, b = split(rest)
            kind = a.split(" ")[0]
            bits = width(kind)
            return self.define(name, bits, f"(ite (= {literal(c.split()[-1], 1)} #b1) "
                                           f"{literal(a.split()[-1], bits)} {literal(b.split()[-1], bits)})")
        if op == "freeze":
            kind, value = rest.split()
            return self.define(name, width(kind), literal(value, width(kind)))
        if op == "phi":
            kind, values = rest.split(" ", 1)
            bits = width(kind)
            formula = None
            for value, source in re.findall(r"\[ (\S+), (\S+) \]", values):
                value = literal(value, bits)
                taken = [c for b, c in self.edges.get(block, []) if b == source]
                formula = value if formula is None else f"(ite (or false {' '.join(taken)}) {value} {formula})"
            return self.define(name, bits, formula)
        if op == "load":
            kind, pointer = split(rest)[:2]
            bits, pointer = width(kind), pointer.split()[-1]
            # What lies at a constant offset is a variable of its own: fewer arrays for the solver. That
            # it may be the same as an element of one is not used, so nothing is proved too easily.
            base, offset = self.places.get(pointer, (pointer, 0))
            if offset is None:
                return self.define(name, bits, f"(select mem{bits} {literal(pointer, 64)})")
            at = f"|{base}+{offset}:{bits}|"
            if at not in self.loaded:
                self.loaded.add(at)
                self.out.append(f"(declare-const {at} (_ BitVec {bits}))")
            return self.define(name, bits, at)
        if op == "getelementptr":
            pointer = split(rest)[1].split()[-1]
            base, offset = self.places.get(pointer, (pointer, 0))
            total, constant = self.address(rest)
            known = offset is not None and constant is not None
            self.places[name] = (base, offset + constant if known else None)
            return self.define(name, 64, total)
        checked = re.match(r"\{ i\d+, i1 \} @llvm\.usub\.with\.overflow\.i(\d+)\((.*)\)", rest)
        if op == "call" and checked:
            bits = int(checked[1])
            a, b = (literal(v.split()[-1], bits) for v in split(checked[2]))
            self.define(f"{name}.0", bits, f"(bvsub {a} {b})")
            return self.define(f"{name}.1", 1, bit(f"(bvult {a} {b})"))
        if op == "extractvalue":
            pair, member = split(rest[rest.index("}") + 1:])
            bits = self.bits[f"{pair}.{member}"]
            return self.define(name, bits, literal(f"{pair}.{member}", bits))
        called = re.match(r"(i\d+) @llvm\.(\w+)\.i(\d+)\((.*)\)", rest)
        if op == "call" and called:
            bits = int(called[3])
            values = [literal(v.split()[-1], bits) for n, v in enumerate(split(called[4])) if n < 2]
            if called[2] in INTRINSIC:
                a, b = values
                return self.define(name, bits, f"(ite ({INTRINSIC[called[2]]} {a} {b}) {a} {b})")
            if called[2] == "fshl" and (shift := re.search(r" (\d+)\)", rest)):
                high, low = bits - int(shift[1]) - 1, bits - int(shift[1])
                return self.define(name, bits, f"(concat ((_ extract {high} 0) {values[0]}) "
                                               f"((_ extract {bits - 1} {low}) {values[1]}))")
            if called[2] == "bswap":
                parts = " ".join(f"((_ extract {n + 7} {n}) {values[0]})" for n in range(0, bits, 8))
                return self.define(name, bits, f"(concat {parts})")
        raise Unsupported(line)

    def address(self, rest):
        """A pointer as a number, and its distance from the base if that is a constant."""
        kind, pointer, *indices = split(rest)
        total, constant = literal(pointer.split()[-1], 64), 0
        for n, index in enumerate(indices):
            index_kind, value = index.split()
            if n > 0 and not kind.startswith("["):
                fields = self.fields(kind)
                step = sum(self.size(field) for field in fields[:int(value)])
                kind = fields[int(value)]
            else:
                if n > 0:
                    kind = re.fullmatch(r"\[\d+ x (.*)\]", kind)[1]
                if value.startswith("%"):
                    number = literal(value, width(index_kind))
                    if width(index_kind) < 64:
                        number = f"((_ sign_extend {64 - width(index_kind)}) {number})"
                    total = f"(bvadd {total} (bvmul {number} (_ bv{self.size(kind)} 64)))"
                    constant = None
                    continue
                step = int(value) * self.size(kind)
            total = f"(bvadd {total} {literal(str(step), 64)})"
            constant = constant + step if constant is not None else None
        return total, constant

    def fields(self, kind):
        kind = self.layouts.get(kind, kind)
        return split(re.fullmatch(r"<?\{ (.*) \}>?", kind)[1])

    def size(self, kind):
        array = re.fullmatch(r"\[(\d+) x (.*)\]", kind)
        if array:
            return int(array[1]) * self.size(array[2])
        if kind.endswith("*"):
            return 8
        if re.fullmatch(r"i\d+", kind):
            return max(1, width(kind) // 8)
        return sum(self.size(f) for f in self.fields(kind))  # no padding in what is claimed about

    def control(self, line, block):
        if match := re.fullmatch(r"ret i1 (\S+)", line):
            self.results.append((f"|reach {block}|", literal(match[1], 1)))
        elif match := re.fullmatch(r"br label (\S+)", line):
            self.jump(block, match[1])
        elif match := re.fullmatch(r"br i1 (\S+), label (\S+), label (\S+)", line):
            c = f"(= {literal(match[1], 1)} #b1)"
            self.jump(block, match[2], c)
            self.jump(block, match[3], f"(not {c})")
        elif line == "unreachable":
            self.results.append((f"|reach {block}|", "#b0"))
        else:
            raise Unsupported(line)

    def holds(self):
        failing = " ".join(f"(and {reach} (= {value} #b0))" for reach, value in self.results)
        query = "\n".join(self.out + [f"(assert (or false {failing}))", "(check-sat)"])
        answer = subprocess.run(["z3", "-in", "-T:600"], input=query, capture_output=True, text=True).stdout
        answer = answer.strip()
        if answer not in ("sat", "unsat"):
            raise Unsupported(f"z3 says {answer[:200]}")
        return answer == "unsat"


def main():
    clang, include, claims = sys.argv[1:4]
    # One structure of the library's is read: without vectors, and with names for blocks.
    ir = subprocess.run([clang, "-std=c++20", "-O2", "-fno-vectorize", "-fno-slp-vectorize", "-S",
                         "-emit-llvm", "-fno-discard-value-names", "-mllvm", "-unroll-threshold=4000",
                         "-mllvm", "-inline-threshold=100000",
                         f"-I{include}", claims, "-o", "-"],
                        check=True, capture_output=True, text=True).stdout
    layouts = dict(re.findall(r'^(%\S+) = type (<?\{.*\}>?)$', ir, re.M))
    good, count = True, 0
    for match in re.finditer(r"^define [^@]*@(\w*claim_\w+)(\(.*?)\{\n(.*?)^\}", ir, re.M | re.S):
        name, header, body = match.groups()
        wanted = not name.startswith("false_")
        count += 1
        try:
            header = re.sub(r"\) (local_unnamed_addr )?#\d+ .*|\) .*$", ")", header.strip())
            holds = Function(header, body.splitlines(), layouts).holds()
            words = "proved" if holds else "refuted"
        except Unsupported as why:
            holds, words = None, f"not decided: {why}"
        if holds is not wanted:
            good = False
            words += " (WRONG)"
        print(f"{name}: {words}", flush=True)
    print(f"{count} claims")
    return 0 if good and count > 10 else 1


if __name__ == "__main__":
    sys.exit(main())
