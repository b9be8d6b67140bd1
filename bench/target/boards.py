#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the workloads on the emulated boards and counts instructions retired.

boards.py BUILD           prints the tables; BUILD is a build folder with FEMTO_BENCH_TARGET
boards.py BUILD --check   and fails if a figure differs by over 1 % from figures.json
boards.py BUILD --write   and writes figures.json

Deterministic for one version of the compilers; ./dev bench does all of this.
"""
import json
import math
import pathlib
import subprocess
import sys

FIGURES = pathlib.Path(__file__).with_name("figures.json")
THRESHOLD = 0.01
KEYS = ("workload", "target", "dispatch", "address_space")
MACHINES = [(d, s) for d in ("compact", "threaded") for s in ("segmented", "flat")]


def run(target, command):
    """The figures that a board prints, a dictionary for each line."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    lines = done.stdout.splitlines() + done.stderr.splitlines()
    if done.returncode != 0 or "end" not in lines:
        sys.exit(f"{target}: the firmware did not end by itself:\n  " + "\n  ".join(lines[-3:]))
    for line in lines:
        kind, *fields = line.split()
        if kind != "end":
            row = dict(field.split("=", 1) for field in fields)
            yield kind, {k: int(v) if v.isdigit() else v for k, v in row.items()}


def measure(build):
    figures = []
    for line in pathlib.Path(build, "bench/target/boards.txt").read_text().splitlines():
        target, *command = line.split()
        native = {}
        for kind, row in run(target, command):
            if kind == "native":
                native[row["workload"]] = row["instructions"]
            else:
                figures.append({"workload": row["workload"], "target": target, "dispatch": row["dispatch"],
                                "address_space": row["address_space"], "instructions": row["instructions"],
                                "ebpf_instructions": row["ebpf_instructions"],
                                "native_instructions": native[row["workload"]]})
    return figures


def mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def tables(figures):
    """Markdown: for each target a row for each workload; the last one has the geometric means."""
    text = []
    for target in dict.fromkeys(f["target"] for f in figures):
        rows = {}
        for f in figures:
            if f["target"] == target:
                rows.setdefault(f["workload"], {})[f["dispatch"], f["address_space"]] = f
        text.append(f"### {target}: instructions (times native; for one eBPF instruction)\n")
        text.append("| workload | native | eBPF |" + "".join(f" {d} {s} |" for d, s in MACHINES))
        text.append("|---|--:|--:|" + "--:|" * len(MACHINES))
        for workload, by in rows.items():
            any_machine = by[MACHINES[0]]
            text.append(f"| {workload} | {any_machine['native_instructions']} "
                        f"| {any_machine['ebpf_instructions']} |" + "".join(
                f" {f['instructions']} ({f['instructions'] / f['native_instructions']:.1f}x; "
                f"{f['instructions'] / f['ebpf_instructions']:.1f}) |" for f in (by[m] for m in MACHINES)))
        text.append("| **geometric mean** | | |" + "".join(
            f" **{mean([by[m]['instructions'] / by[m]['native_instructions'] for by in rows.values()]):.1f}x; "
            f"{mean([by[m]['instructions'] / by[m]['ebpf_instructions'] for by in rows.values()]):.1f}** |"
            for m in MACHINES) + "\n")
    return "\n".join(text)


def changes(figures):
    """What differs from the committed figures, a line each."""
    number = lambda f: (f["instructions"], f["native_instructions"], f["ebpf_instructions"])
    before = {tuple(f[k] for k in KEYS): number(f) for f in json.loads(FIGURES.read_text())}
    after = {tuple(f[k] for k in KEYS): number(f) for f in figures}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            yield f"{' '.join(key)}: {'new' if old is None else 'gone'}"
        elif any(abs(n - o) > THRESHOLD * o for o, n in zip(old, new)):
            yield (f"{' '.join(key)}: {old[0]} -> {new[0]} instructions ({100 * new[0] / old[0] - 100:+.1f} %), "
                   f"native {old[1]} -> {new[1]}, eBPF {old[2]} -> {new[2]}")


def main():
    if len(sys.argv) < 2 or any(a not in ("--check", "--write") for a in sys.argv[2:]):
        sys.exit(__doc__.strip())
    figures = measure(sys.argv[1])
    print(tables(figures))
    if "--write" in sys.argv:
        FIGURES.write_text("[\n" + ",\n".join("  " + json.dumps(f) for f in figures) + "\n]\n")
    elif "--check" in sys.argv:
        changed = sorted(changes(figures))
        if changed:
            sys.exit(f"Differs by over {THRESHOLD:.0%} from {FIGURES.name}:\n  " + "\n  ".join(changed)
                     + "\nIf that is meant: ./dev bench --write, and say why in the commit.")
        print(f"All within {THRESHOLD:.0%} of {FIGURES.name}.")


if __name__ == "__main__":
    main()
