#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing: mutate.py [COUNT [FILE...]] [--seed N] [--timeout S].

Changes one operator, bound or constant of a header at a time, then builds and runs the programs of TESTS
without sanitizers until one notices: first the model and the judgement of the verifier, then unit tests, at last
the first ones as GCC makes them with -Os, which is other code of compact, threaded and verifier. A change that none notices is printed: it needs a test, or a reason in docs/assurance.md. COUNT changes are drawn
from all that are possible in FILES; 0 means all of them. What does not compile is killed by the compiler.
"""
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ["memory.hpp", "verifier.hpp", "execution.hpp", "compact.hpp", "threaded_form.hpp", "threaded_run.hpp",
         "threaded.hpp", "prepared.hpp", "helper.hpp", "semantics.hpp", "opcode_table.hpp", "interpreter.hpp", "vm.hpp"]
TESTS = ["mutants.cpp", *(f"unit/{name}.cpp" for name in (
    "memory", "verifier", "vm", "opcode_table", "known_defects", "machine", "isolation_runs", "isolation", "helpers"))]
SMALL = "mutants.cpp, with -Os"
COMMON = ["catch2/catch.hpp", "algorithm", "array", "atomic", "bit", "charconv", "cstdint", "cstdio", "cstring",
          "functional", "memory", "optional", "random", "span", "string", "string_view", "utility", "vector"]
CHANGES = [(r"(?<![<>=!-])<=(?!>)", "<"), (r"(?<![<>=!-])>=", ">"), (r" < (?!<)", " <= "), (r" > (?!>)", " >= "),
           (r"==", "!="), (r"!=", "=="), (r"&&", "||"), (r"\|\|", "&&"), (r" \+ ", " - "), (r" - ", " + "),
           (r" & ", " | "), (r"<<", ">>"), (r"\+\+", "--"), (r"\+=", "-="), (r"-=", "+="),
           (r"(?<![\w.])1(?![\w.'])", "2"), (r"(?<![\w.])0(?![\w.'x])", "1"), (r"(?<![\w.])8(?![\w.'])", "7"),
           (r"(?<![\w.])10(?![\w.'])", "11"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
           (r"return fault\(", "if (false) return fault("), (r"return refuse\(", "if (false) return refuse(")]


def code_lines(text):
    """Line numbers that hold code: no comments, includes, templates' heads or asserts."""
    for n, line in enumerate(text.splitlines()):
        code = line.split("//")[0]
        if not code.strip() or re.match(r"\s*(#|static_assert|template|///|\"|requires|namespace|using)", code):
            continue
        yield n, code


def candidates(name):
    text = open(f"{ROOT}/include/femto/{name}").read()
    lines = text.splitlines()
    for n, code in code_lines(text):
        for pattern, replacement in CHANGES:
            for match in re.finditer(pattern, code):
                changed = code[:match.start()] + replacement + code[match.end():] + lines[n][len(code):]
                yield name, n, lines[n], changed


class Tests:
    """Builds the tests against the headers in a folder, one after the other, and runs them."""

    def __init__(self, folder, timeout):
        self.folder, self.timeout = folder, timeout
        # What never changes is compiled once: the standard library's headers, Catch2 and its main.
        with open(f"{folder}/common.hpp", "w") as file:
            file.writelines(f"#include <{name}>\n" for name in COMMON)
        self.compile("-x", "c++-header", f"{folder}/common.hpp", "-o", f"{folder}/common.pch", check=True)
        self.compile("-c", f"{ROOT}/tests/unit/main.cpp", "-o", f"{folder}/main.o", check=True)

    def compile(self, *arguments, **more):
        return self.run("clang++-14", "-std=c++20", "-O0", "-w", f"-I{self.folder}/include", *arguments, **more)

    @staticmethod
    def run(*command, **more):
        return subprocess.run(command, capture_output=True, text=True, errors="replace", **more)

    def noticed(self):
        """Why the change is noticed, or None."""
        test = f"{self.folder}/test"
        for source in [*TESTS, SMALL]:
            if source == SMALL:
                build = self.run("g++", "-std=c++20", "-Os", "-w", f"-I{self.folder}/include", f"{ROOT}/tests/{TESTS[0]}",
                                 "-o", test)
            else:
                main = [] if source == TESTS[0] else [f"{self.folder}/main.o"]
                build = self.compile("-include-pch", f"{self.folder}/common.pch", f"{ROOT}/tests/{source}", *main, "-o", test)
            if build.returncode != 0:
                return "do not compile"
            # A time of the processor: how long a test takes by the clock depends on what else runs.
            limit = (resource.RLIMIT_CPU, (self.timeout, self.timeout))
            run = self.run(test, preexec_fn=lambda: resource.setrlimit(*limit))
            if run.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
                return "run for ever"
            if run.returncode != 0:
                return f"fail {source}"
        return None


def main():
    arguments = sys.argv[1:]
    seed, timeout = 1, 30
    for option in ("--seed", "--timeout"):
        if option in arguments:
            at = arguments.index(option)
            value = int(arguments[at + 1])
            seed, timeout = (value, timeout) if option == "--seed" else (seed, value)
            del arguments[at:at + 2]
    count = int(arguments[0]) if arguments else 50
    files = arguments[1:] or FILES
    possible = [c for name in files for c in candidates(os.path.basename(name))]
    chosen = random.Random(seed).sample(possible, count) if 0 < count < len(possible) else possible
    folder = tempfile.mkdtemp()
    shutil.copytree(f"{ROOT}/include", f"{folder}/include")
    tests = Tests(folder, timeout)
    if (why := tests.noticed()) is not None:
        sys.exit(f"without any change tests {why}")
    survivors, killed = [], {}
    try:
        for number, (name, line, before, after) in enumerate(chosen):
            path = f"{folder}/include/femto/{name}"
            original = open(path).read()
            lines = original.splitlines()
            lines[line] = after
            with open(path, "w") as file:
                file.write("\n".join(lines) + "\n")
            why = tests.noticed()
            with open(path, "w") as file:
                file.write(original)
            if why is None:
                survivors.append((name, line, before, after))
                print(f"SURVIVES {name}:{line + 1}\n  - {before.strip()}\n  + {after.strip()}", flush=True)
            else:
                killed[why] = killed.get(why, 0) + 1
            if number % 10 == 9:
                print(f"{number + 1} of {len(chosen)} ...", flush=True)
    finally:
        shutil.rmtree(folder)
    print(f"{len(chosen)} of {len(possible)} possible changes: {len(survivors)} survive, "
          + ", ".join(f"{n} {why}" for why, n in sorted(killed.items())))
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
