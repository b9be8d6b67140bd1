#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutation testing: mutate.py [COUNT [FILE...]] [--seed N] [--jobs N] [--timeout S] [--with TEXT].

Changes one operator, bound or constant of a header at a time, then builds and runs the programs of TESTS without
sanitizers until one notices: the model and the judgement of the verifier, by two compilers and for two cores, and unit
tests. A change that none notices, and that tests/mutants.known does not explain, is printed: it needs a test or a
reason. COUNT changes are drawn from all that are possible in FILES; 0 means all of them; --with, those whose line
contains TEXT. What does not compile is killed by the compiler.
"""
import argparse
import collections
import concurrent.futures
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KNOWN = f"{ROOT}/tests/mutants.known"
FILES = ["memory.hpp", "verifier.hpp", "execution.hpp", "compact.hpp", "threaded_form.hpp", "threaded_run.hpp",
         "threaded.hpp", "bodies.hpp", "prepared.hpp", "helper.hpp", "semantics.hpp", "opcode_table.hpp", "interpreter.hpp",
         "vm.hpp"]
# In this order, but before all the unit test that is called like the header, then what has noticed most there. SMALL is
# other code of compact, threaded and verifier; ARM a core of 32 bits that compilers take for one whose words are aligned.
TWO, ARM, SMALL = "mutants.cpp with two machines", " for Arm", " with -Os"
TESTS = [TWO, "mutants.cpp", "unit/vm.cpp", *(f"mutants.cpp{how}" for how in (SMALL, ARM, ARM + SMALL)),
         *(f"unit/{name}.cpp" for name in ("memory", "opcode_table", "semantics", "helper", "bodies", "prepared", "verifier")),
         *(f"unit/{name}.cpp{SMALL}" for name in ("bodies", "prepared", "verifier")),
         *(f"unit/{name}.cpp" for name in ("known_defects", "isolation_runs", "isolation", "helpers", "machine"))]
# What never changes is compiled once: the standard library's headers, and the model or Catch2.
STANDARD = ["algorithm", "array", "atomic", "bit", "charconv", "cstdint", "cstdio", "cstring", "functional", "iterator", "map",
            "memory", "new", "optional", "random", "set", "span", "string", "string_view", "utility", "vector"]
COMMON = {"model": [f"{ROOT}/tests/model/legal.hpp", f"{ROOT}/tests/model/random.hpp"], "unit": ["catch2/catch.hpp"]}
CHANGES = [(r"(?<![<>=!-])<=(?!>)", "<"), (r"(?<![<>=!-])>=", ">"), (r"(?<= )<(?= (?!<))", "<="),
           (r"(?<= )>(?= (?!>))", ">="), (r"==", "!="), (r"!=", "=="), (r"(?<= )&&(?= |$)", "||"), (r"\|\|", "&&"),
           (r"(?<= )\+(?= )", "-"), (r"(?<= )-(?= )", "+"), (r"(?<= )&(?= )", "|"), (r"<<", ">>"),
           (r"\+\+", "--"), (r"\+=", "-="), (r"-=", "+="),
           (r"(?<![\w.])1(?![\w.'])", "2"), (r"(?<![\w.])0(?![\w.'x])", "1"), (r"(?<![\w.])8(?![\w.'])", "7"),
           (r"(?<![\w.])10(?![\w.'])", "11"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
           (r"\breturn(?= (fault|refuse)\()", "if (false) return")]

CLANG = ["clang++-14", "-O0"]
ARM_GCC = ["arm-none-eabi-g++", "-mcpu=arm926ej-s", "--specs=rdimon.specs", "-Wl,--defsym=getentropy=0"]


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **more)


class Mutant:
    """A change of one line. `text` names it whatever the line's number is: file: code «before→after» code."""

    def __init__(self, name, line, code, match, replacement):
        self.name, self.line = name, line
        self.start, self.end, self.replacement = match.start(), match.end(), replacement
        self.text = f"{name}: {code[:self.start]}«{match[0]}→{replacement}»{code[self.end:]}"
        self.text = re.sub(r"\s+", " ", self.text).strip()

    def apply(self, source):
        lines = source.splitlines()
        line = lines[self.line]
        lines[self.line] = line[:self.start] + self.replacement + line[self.end:]
        return "\n".join(lines) + "\n"


def code_lines(text):
    """Line numbers that hold code: no comments, includes, templates' heads or asserts."""
    asserting = 0  # parentheses that are open
    for n, line in enumerate(text.splitlines()):
        code = line.split("//")[0]
        if asserting or re.match(r"\s*static_assert", code):
            asserting += code.count("(") - code.count(")")
        elif code.strip() and not re.match(r"\s*(#|template|///|\"|requires|namespace|using)", code):
            yield n, code


def mutants_of(name):
    with open(f"{ROOT}/include/femto/{name}") as file:
        text = file.read()
    seen = collections.Counter()
    for n, code in code_lines(text):
        for pattern, replacement in CHANGES:
            for match in re.finditer(pattern, code):
                mutant = Mutant(name, n, code, match, replacement)
                seen[mutant.text] += 1
                if seen[mutant.text] > 1:  # the same line once more in the file
                    mutant.text += f" ({seen[mutant.text]})"
                yield mutant


def read_known():
    """Mutants by text, each with the kind of its reason; see the head of the file."""
    known, kind = {}, None
    with open(KNOWN) as file:
        for line in file:
            if line.startswith("== "):
                kind = line[3:].strip()
            elif line.startswith("    "):
                text = line.strip()
                if kind is None or text in known:
                    sys.exit(f"{KNOWN}: without a kind, or twice: {text}")
                known[text] = kind
    return known


class Tests:
    """Builds the tests against a copy of the headers, one after the other, and runs them."""

    def __init__(self, folder, common, timeout):
        self.folder, self.common, self.timeout = folder, common, timeout
        self.kills = collections.Counter()  # by header and test
        shutil.copytree(f"{ROOT}/include", f"{folder}/include")

    def with_change(self, mutant, tests=TESTS):
        """Why a change is noticed, or None."""
        path = f"{self.folder}/include/femto/{mutant.name}"
        with open(path) as file:
            original = file.read()
        self.write(path, mutant.apply(original))
        try:
            return self.noticed(mutant.name, tests)
        finally:
            self.write(path, original)

    def noticed(self, name=None, tests=TESTS):
        own = f"unit/{(name or '')[:-4]}.cpp"
        for test in sorted(tests, key=lambda test: (test != own, -self.kills[name, test])):
            if (why := self.fails(test)) is not None:
                self.kills[name, test] += 1
                return why
        return None

    def fails(self, test):
        program = f"{self.folder}/test"
        common = "unit" if test.startswith("unit/") else "model"
        options = ["-std=c++20", "-w", f"-I{self.folder}/include", f"{ROOT}/tests/{test.split()[0]}", "-o", program]
        if common == "unit":
            options.append(f"{self.common}/main.o")
        if test == TWO or ARM in test:
            options.append("-DFEMTO_TWO_MACHINES")
        if ARM in test or SMALL in test:
            build = run(*(ARM_GCC if ARM in test else ["g++"]), "-Os" if SMALL in test else "-O1", *options)
        else:
            build = run(*CLANG, "-include-pch", f"{self.common}/{common}.pch", *options)
        if build.returncode != 0:
            return "do not compile"
        # A time of the processor: how long a test takes by the clock depends on what else runs.
        ran = run("sh", "-c", f"ulimit -c 0; ulimit -t {self.timeout}; exec {'qemu-arm ' if ARM in test else ''}{program}")
        if ran.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return "run for ever"
        return f"fail {test}" if ran.returncode != 0 else None

    @staticmethod
    def write(path, text):
        with open(path, "w") as file:
            file.write(text)


def compile_common(folder):
    options = [*CLANG, "-std=c++20", "-w"]
    for name, headers in COMMON.items():
        header = f"{folder}/{name}.hpp"
        Tests.write(header, "".join(f"#include <{h}>\n" for h in [*STANDARD, *headers]))
        run(*options, "-x", "c++-header", header, "-o", f"{folder}/{name}.pch", check=True)
    run(*options, "-c", f"{ROOT}/tests/unit/main.cpp", "-o", f"{folder}/main.o", check=True)


def try_all(chosen, jobs, timeout, known):
    """Each mutant with why it is noticed. Prints the survivors that are not known."""
    with tempfile.TemporaryDirectory() as folder:
        compile_common(folder)
        free = queue.SimpleQueue()
        for n in range(jobs):
            os.mkdir(f"{folder}/{n}")
            free.put(Tests(f"{folder}/{n}", folder, timeout))
        tests = free.get()
        if (why := tests.noticed()) is not None:
            sys.exit(f"without any change tests {why}")
        free.put(tests)

        def attempt(mutant):
            tests = free.get()
            try:
                return mutant, tests.with_change(mutant)
            finally:
                free.put(tests)

        tried = {}
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            for done in concurrent.futures.as_completed([pool.submit(attempt, m) for m in chosen]):
                mutant, why = done.result()
                tried[mutant] = why
                if why is None and mutant.text not in known:
                    print(f"SURVIVES, line {mutant.line + 1}:\n    {mutant.text}", flush=True)
                if len(tried) % 10 == 0:
                    print(f"{len(tried)} of {len(chosen)} ...", flush=True)
        return tried


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int, nargs="?", default=50)
    parser.add_argument("files", nargs="*", default=FILES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=int, default=30)
    parser.add_argument("--with", dest="part", default="")
    options = parser.parse_args()

    possible = [m for name in options.files for m in mutants_of(os.path.basename(name)) if options.part in m.text]
    chosen = possible
    if 0 < options.count < len(possible):
        chosen = random.Random(options.seed).sample(possible, options.count)
    known = read_known()
    tried = try_all(chosen, options.jobs, options.timeout, known)

    print(f"{'file':18} possible  tried  killed  explained  unexplained")
    unexplained = 0
    for name in dict.fromkeys(m.name for m in possible):
        here = {m: why for m, why in tried.items() if m.name == name}
        survive = [m for m, why in here.items() if why is None]
        explained = sum(m.text in known for m in survive)
        unexplained += len(survive) - explained
        print(f"{name:18} {sum(m.name == name for m in possible):8} {len(here):6} {len(here) - len(survive):7} "
              f"{explained:10} {len(survive) - explained:12}")
    for title, counted in (
            ("killed, as tests", collections.Counter(why for why in tried.values() if why is not None)),
            ("explained", collections.Counter(known[m.text] for m, why in tried.items() if why is None and m.text in known))):
        for what, n in counted.most_common():
            print(f"  {n:4} {title}: {what}" if title == "explained" else f"  {n:4} {title} {what}")

    texts = {m.text for name in FILES for m in mutants_of(name)}
    stale = [f"no such change: {text}" for text in known if text not in texts]
    stale += [f"tests {why}: {m.text}" for m, why in tried.items() if why is not None and m.text in known]
    for text in stale:
        print(f"STALE in tests/mutants.known, {text}")
    return 1 if unexplained or stale else 0


if __name__ == "__main__":
    sys.exit(main())
