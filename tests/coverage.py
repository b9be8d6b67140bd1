#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lines and branches of the engine that its tests execute: coverage.py.

Builds the unit tests, the instruction tests and the random programs with clang's source-based coverage and
no sanitizers, runs them and reports each file of FILES, whatever a template was instantiated for; what is not
executed is listed by line. docs/assurance.md gives the reasons for what remains.
"""
import fnmatch
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILES = ["memory.hpp", "verifier.hpp", "opcode_table.hpp", "execution.hpp", "interpreter.hpp", "compact.hpp",
         "threaded*.hpp", "bodies.hpp", "prepared*.hpp", "helper.hpp", "semantics.hpp", "vm.hpp"]
PROGRAMS = {"femto_unit": "tests", "femto_conformance": "tests/conformance", "femto_differential": "tests/model"}


def run(*command, **more):
    return subprocess.run(command, check=True, **more)


def main():
    build = f"{ROOT}/build/coverage"
    flags = "-O0 -g1 -fprofile-instr-generate -fcoverage-mapping"
    run("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_CXX_COMPILER=clang++-14",
        "-DCMAKE_C_COMPILER=clang-14", f"-DCMAKE_CXX_FLAGS_DEBUG={flags}", "-DFEMTO_SANITIZE=OFF", "-DFEMTO_TOOLS=OFF",
        "-DFEMTO_TARGET_TESTS=OFF", stdout=subprocess.DEVNULL)
    run("cmake", "--build", build, "--target", *PROGRAMS)
    profiles = []
    for name, folder in PROGRAMS.items():
        profiles.append(f"{build}/{name}.profraw")
        run(f"{build}/{folder}/{name}", stdout=subprocess.DEVNULL,
            env={**os.environ, "LLVM_PROFILE_FILE": profiles[-1]})
    run("llvm-profdata-14", "merge", "-o", f"{build}/all.profdata", *profiles)
    first, *others = [f"{build}/{folder}/{name}" for name, folder in PROGRAMS.items()]
    exported = run("llvm-cov-14", "export", first, *(x for other in others for x in ("-object", other)),
                   f"-instr-profile={build}/all.profdata", f"{ROOT}/include/femto", capture_output=True, text=True)
    data = json.loads(exported.stdout)["data"][0]["files"]
    print(f"{'file':24} {'lines':>12} {'branches':>12}   not executed: lines")
    for pattern in FILES:
        for file in data:
            name = os.path.relpath(file["filename"], f"{ROOT}/include/femto")
            if fnmatch.fnmatch(name, pattern):
                report(name, file)
    return 0


def lines_of(segments):
    """Each line with code, and how often it ran at most, as `llvm-cov show` counts them."""
    counts, before = {}, None
    starts = {}
    for segment in segments:
        starts.setdefault(segment[0], []).append(segment)
    for line in range(segments[0][0], segments[-1][0] + 1):
        here = starts.get(line, [])
        entries = [s for s in here if s[3] and s[4] and not s[5]]
        skipped = here and not here[0][3] and here[0][4]
        if not skipped and (entries or (before and before[3])):
            counts[line] = max([before[2]] if before and before[3] else [0], default=0)
            counts[line] = max([counts[line], *(s[2] for s in entries)])
        before = here[-1] if here else before
    return counts


def report(name, file):
    lines = lines_of(file["segments"])
    missing = sorted(line for line, count in lines.items() if count == 0)
    # A branch counts once for each of its places in the source, whatever it was instantiated for.
    places = {}
    for first, column, last, end, taken, not_taken, *_ in file["branches"]:
        place = places.setdefault((first, column), [0, 0])
        place[0] += taken
        place[1] += not_taken
    done = sum((a > 0) + (b > 0) for a, b in places.values())
    half = sorted({line for (line, _), (a, b) in places.items() if (a > 0) != (b > 0)})
    never = sorted({line for (line, _), (a, b) in places.items() if a == 0 and b == 0})
    print(f"{name:24} {len(lines) - len(missing):4} of {len(lines):4} {done:4} of {2 * len(places):4}   {missing}")
    if half or never:
        print(f"{'':24} one way only: {half}; not reached: {never}")


if __name__ == "__main__":
    sys.exit(main())
