#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the workloads on the emulated boards and counts instructions retired.

boards.py BUILD           prints the tables; BUILD is a build folder with FEMTO_BENCH_TARGET
boards.py BUILD --check   and fails if a figure differs by over 1 % from the committed ones
boards.py BUILD --write   and writes the files of figures beside this one

Deterministic for one version of the compilers; ./dev bench does all of this.
"""
import json
import math
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "size"))
import size  # noqa: E402
THRESHOLD = 0.01
# What tells the rows of each file apart; all else in a row is a figure.
KEYS = {"figures": ("workload", "target", "dispatch", "address_space"),
        "startup": ("workload", "target"),
        "hooks": ("target", "dispatch", "address_space"),
        "peers": ("engine", "workload"),
        "sizes": ("target", "engine")}
MACHINES = [(d, s) for d in ("compact", "threaded", "prepared") for s in ("segmented", "flat")]


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
    """{file: rows}"""
    files = {name: [] for name in KEYS}
    for line in pathlib.Path(build, "bench/target/boards.txt").read_text().splitlines():
        target, *command = line.split()
        native = {}
        for kind, row in run(target, command):
            if kind == "native":
                native[row["workload"]] = row["instructions"]
            elif kind == "run":
                files["figures"].append({
                    "workload": row["workload"], "target": target, "dispatch": row["dispatch"],
                    "address_space": row["address_space"], "instructions": row["instructions"],
                    "ebpf_instructions": row["ebpf_instructions"],
                    "native_instructions": native[row["workload"]]})
            elif kind == "peer":
                files["peers"].append(row)
            else:
                files["startup" if kind == "start" else "hooks"].append({"target": target, **row})
    files["sizes"] = list(sizes(build))
    return files


def sizes(build):
    """Bytes of each engine on a Cortex-M4: femto's verifier and interpreter as configured by default, the
    compilers and interpreters of the others; no C library, which only the others need."""
    compiler, flags = next((c, f) for name, c, f in size.targets() if name == "cortex-m4")

    def bytes_of(object_file):
        kinds, _ = size.sections(compiler, object_file)
        return kinds["text"] + kinds["rodata"] + kinds["data"]
    with tempfile.TemporaryDirectory() as folder:
        def compiled(optimisation, definition):
            object_file = f"{folder}/part.o"
            subprocess.run([compiler, *flags, *size.FLAGS, optimisation, definition, "-DCONFIGURATION=standard",
                            "-c", f"{size.ROOT}/bench/size/part.cpp", "-o", object_file], check=True)
            return bytes_of(object_file)
        for target, optimisation in (("cortex-m4", "-O2"), ("cortex-m4-Os", "-Os")):
            verifier = compiled(optimisation, "-DVERIFIER")
            for engine, definition in (("compact", "-DDISPATCH=compact"), ("threaded", "-DDISPATCH=threaded"),
                                       ("prepared", "-DPREPARED")):
                yield {"target": target, "engine": f"femto {engine}",
                       "bytes": verifier + compiled(optimisation, definition)}
    for engine in ("lua", "duktape"):
        objects = pathlib.Path(build, f"bench/target/{engine}.txt").read_text().split()
        yield {"target": "cortex-m4", "engine": engine, "bytes": sum(map(bytes_of, objects))}


def mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def table(head, rows):
    """Markdown: the first column is text, the others are numbers."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def workload_table(figures):
    rows = {}
    for f in figures:
        rows.setdefault(f["workload"], {})[f["dispatch"], f["address_space"]] = f
    cell = lambda times, each: f"{times:.1f}x; {each:.1f}"
    ratios = lambda f: (f["instructions"] / f["native_instructions"],
                        f["instructions"] / f["ebpf_instructions"])
    body = []
    for workload, by in rows.items():
        one = by[MACHINES[0]]
        body.append([workload, one["native_instructions"], one["ebpf_instructions"]]
                    + [f"{by[m]['instructions']} ({cell(*ratios(by[m]))})" for m in MACHINES])
    means = [[mean(column) for column in zip(*(ratios(by[m]) for by in rows.values()))] for m in MACHINES]
    body.append(["**geometric mean**", "", ""] + [f"**{cell(*m)}**" for m in means])
    return table(["workload", "native", "eBPF"] + [" ".join(m) for m in MACHINES], body)


def tables(files):
    """All figures as Markdown."""
    text = []
    for target in dict.fromkeys(f["target"] for f in files["figures"]):
        text += [f"### {target}: instructions (times native; for one eBPF instruction)\n",
                 workload_table([f for f in files["figures"] if f["target"] == target])]
    text += ["### Start-up: instructions from an image in flash to the first instruction of the container\n"]
    text += [table(["workload", "target", "bytes", "slots", "a pass over the bytes", "parse and load",
                    "verify", "machine and first instruction", "all", "to prepare it, once"],
                   [[f["workload"], f["target"], f["bytes"], f["slots"], f["pass_over_bytes"], f["load"],
                     f["verify"], f["first_instruction"], f["load"] + f["verify"] + f["first_instruction"],
                     f["prepare"]]
                    for f in sorted(files["startup"], key=lambda f: f["slots"])
                    if f["target"] in ("cortex-m4", "rv32imac")])]
    text += ["### Firing a hook: instructions\n",
             table(["target", "machine", "empty hook", "hook with the thread counter"],
                   [[f["target"], f"{f['dispatch']} {f['address_space']}", f["empty"], f["thread_counter"]]
                    for f in files["hooks"]])]
    native = {f["workload"]: f["native_instructions"] for f in files["figures"] if f["target"] == "cortex-m4"}
    ours = {(f["dispatch"], f["workload"]): f for f in files["figures"]
            if f["target"] == "cortex-m4" and f["address_space"] == "segmented"}
    begin = {f["workload"]: f["load"] + f["verify"] + f["first_instruction"] for f in files["startup"]
             if f["target"] == "cortex-m4"}
    theirs = {(f["engine"], f["workload"]): f for f in files["peers"]}
    times = lambda workload, f: f"{f['instructions']} ({f['instructions'] / native[workload]:.0f}x)"
    workloads = dict.fromkeys(f["workload"] for f in files["peers"])
    text += ["### What one would otherwise pick, on a Cortex-M4: instructions (times native)\n",
             table(["workload", "femto prepared", "femto threaded", "femto compact", "Lua 5.4", "Duktape", "start: femto",
                    "Lua 5.4", "Duktape"],
                   [[w, *(times(w, ours[d, w]) for d in ("prepared", "threaded", "compact")), times(w, theirs["lua", w]), times(w, theirs["duktape", w]), begin[w],
                     theirs["lua", w]["start"], theirs["duktape", w]["start"]] for w in workloads]),
             "### Code and constants of an engine on a Cortex-M4, without the C library\n",
             table(["engine", "optimised", "bytes"],
                   [[f["engine"], "-Os" if f["target"].endswith("-Os") else "-O2", f["bytes"]]
                    for f in files["sizes"]])]
    return "\n".join(text)


def changes(name, figures):
    """What differs from the committed figures, a line each."""
    def by_key(rows):
        return {tuple(r[k] for k in KEYS[name]): {k: v for k, v in r.items() if k not in KEYS[name]}
                for r in rows}
    committed = HERE / f"{name}.json"
    before = by_key(json.loads(committed.read_text()) if committed.exists() else [])
    after = by_key(figures)
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            yield f"{' '.join(key)}: {'new' if old is None else 'gone'}"
            continue
        for figure, value in new.items():
            was = old.get(figure, 0)
            if abs(value - was) > THRESHOLD * was:
                percent = f" ({100 * value / was - 100:+.1f} %)" if was else ""
                yield f"{' '.join(key)}: {figure} {was} -> {value}{percent}"


def main():
    if len(sys.argv) < 2 or any(a not in ("--check", "--write") for a in sys.argv[2:]):
        sys.exit(__doc__.strip())
    files = measure(sys.argv[1])
    pathlib.Path(sys.argv[1], "boards.json").write_text(json.dumps(files))
    print(tables(files))
    if "--write" in sys.argv:
        for name, rows in files.items():
            text = "[\n" + ",\n".join("  " + json.dumps(r) for r in rows) + "\n]\n"
            (HERE / f"{name}.json").write_text(text)
    elif "--check" in sys.argv:
        changed = [line for name, rows in files.items() for line in changes(name, rows)]
        if changed:
            sys.exit(f"Differs by over {THRESHOLD:.0%} from the figures in bench/target:\n  "
                     + "\n  ".join(changed) + "\nIf that is meant: ./dev bench --write, and say why in the commit.")
        print(f"All within {THRESHOLD:.0%} of the committed figures.")


if __name__ == "__main__":
    main()
