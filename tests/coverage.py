#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines and branches of the engine that its tests execute: coverage.py [--all].

Compiles the attacks, the unit tests of the machine and the verifier, the instruction tests and the
differential test with clang's source-based coverage, runs them and reports each file of FILES; what is not
executed is listed by line. docs/assurance.md gives the reasons for what remains.
"""
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ["memory.hpp", "verifier.hpp", "opcode_table.hpp", "execution.hpp", "interpreter.hpp",
         "compact.hpp", "prepared.hpp", "threaded_form.hpp", "threaded_run.hpp", "threaded.hpp",
         "helper.hpp", "semantics.hpp", "vm.hpp"]
TESTS = ["machine", "verifier", "vm", "isolation", "known_defects", "helpers", "opcode_table", "main"]


def main():
    build = f"{ROOT}/build/coverage"
    os.makedirs(build, exist_ok=True)
    flags = ["clang++-14", "-std=c++20", "-O0", "-g", "-fprofile-instr-generate", "-fcoverage-mapping",
             f"-I{ROOT}/include", f"-I{ROOT}/tests/unit"]
    sources = [f"{ROOT}/tests/unit/{name}.cpp" for name in TESTS if os.path.exists(f"{ROOT}/tests/unit/{name}.cpp")]
    programs = {"unit": sources, "differential": [f"{ROOT}/tests/model/differential.cpp"]}
    for name, files in programs.items():
        print(f"Building {name}", flush=True)
        objects = []
        for source in files:
            target = f"{build}/{os.path.basename(source)}.o"
            subprocess.run([*flags, "-c", source, "-o", target], check=True)
            objects.append(target)
        subprocess.run([*flags, *objects, "-o", f"{build}/{name}"], check=True)
    profiles = []
    for name in programs:
        profile = f"{build}/{name}.profraw"
        subprocess.run([f"{build}/{name}"], check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "LLVM_PROFILE_FILE": profile})
        profiles.append(profile)
    subprocess.run(["llvm-profdata-14", "merge", "-o", f"{build}/all.profdata", *profiles], check=True)
    objects = [x for name in list(programs)[1:] for x in ("-object", f"{build}/{name}")]
    common = [f"{build}/{list(programs)[0]}", *objects, f"-instr-profile={build}/all.profdata"]
    exported = subprocess.run(["llvm-cov-14", "export", *common], check=True, capture_output=True, text=True)
    data = json.loads(exported.stdout)["data"][0]["files"]
    print(f"{'file':20} {'lines':>14} {'branches':>16}   not executed: lines")
    for name in FILES:
        for file in data:
            if file["filename"].endswith(f"include/femto/{name}"):
                report(name, file)
    return 0


def report(name, file):
    lines, branches = file["summary"]["lines"], file["summary"]["branches"]
    # A branch counts once for each of its places in the source, whatever it was instantiated for.
    places = {}
    for first, column, last, end, taken, not_taken, *_ in file["branches"]:
        place = places.setdefault((first, column), [0, 0])
        place[0] += taken
        place[1] += not_taken
    halves = 2 * len(places)
    done = sum((a > 0) + (b > 0) for a, b in places.values())
    missing = sorted({line for line, _, count, has_count, entry, *_ in file["segments"]
                      if has_count and entry and count == 0})
    half = sorted({line for (line, _), (a, b) in places.items() if (a > 0) != (b > 0)})
    never = sorted({line for (line, _), (a, b) in places.items() if a == 0 and b == 0})
    print(f"{name:20} {lines['covered']:5} of {lines['count']:5} {done:6} of {halves:6}   {missing}")
    if half or never:
        print(f"{'':20} one way only: {half}; not reached: {never}")


if __name__ == "__main__":
    sys.exit(main())
