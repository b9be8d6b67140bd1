#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bytes of femto's parts for each target and configuration.

size.py           prints the table
size.py --check   and fails if a figure grew by over 2 % from figures.json
size.py --write   and writes figures.json

A figure is what the sections of one object hold, compiled with -Os: code and constants that a part needs,
inline functions included, the C library and libgcc not. Deterministic for one compiler version.
"""
import concurrent.futures, json, os, re, subprocess, sys, tempfile

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
FIGURES = os.path.join(ROOT, "bench/size/figures.json")
THRESHOLD = 0.02
BORROWED = "/usr/include/newlib/c++/12.2.1"
FLAGS = ["-std=c++20", "-Os", "-fno-rtti", "-fno-exceptions", "-fno-threadsafe-statics",
         "-ffunction-sections", "-fdata-sections", "-I" + os.path.join(ROOT, "include")]
CONFIGURATIONS = {"smallest": "smallest", "base64+divmul64": "base64_divmul64", "default": "standard",
                  "everything": "everything"}
PARTS = {"verifier": "-DVERIFIER", "dispatch compact": "-DDISPATCH=compact",
         "dispatch threaded": "-DDISPATCH=threaded", "helpers": "-DHELPERS"}
# Parts of updates, without cryptography; they have no configurations.
UPDATES = {"update framing": "-DFRAMING", "update processor": "-DPROCESSOR", "update slots": "-DSLOTS",
           "updater": "-DUPDATER"}


def targets():
    """Name, compiler and flags of each target, from the one list, by asking CMake."""
    script = f"""include({ROOT}/cmake/femto_targets.cmake)
foreach(t IN LISTS FEMTO_TARGETS)
  femto_target(${{t}} x)
  list(JOIN x_FLAGS " " flags)
  message("${{t}} ${{x_COMPILER}} ${{flags}}")
endforeach()"""
    with tempfile.NamedTemporaryFile("w", suffix=".cmake") as f:
        f.write(script)
        f.flush()
        out = subprocess.run(["cmake", "-P", f.name], check=True, capture_output=True, text=True)
    for line in out.stderr.splitlines():
        name, compiler, *flags = line.split()
        yield name, compiler, flags


def sections(compiler, object_file):
    """Bytes by kind, and those of the variable that is the machine."""
    tool = re.sub(r"g\+\+$", "", compiler)
    sums = dict.fromkeys(("text", "rodata", "data", "bss"), 0)
    out = subprocess.run([tool + "size", "-A", object_file], check=True, capture_output=True, text=True)
    ram = 0
    for line in out.stdout.splitlines():
        fields = line.split()
        if len(fields) != 3 or not fields[0].startswith("."):
            continue
        name, size = fields[0], int(fields[1])
        if "ram_of_a_machine" in name:
            ram = size
            continue
        # Xtensa keeps constants of code in .literal, beside it.
        for prefix, kind in ((".text", "text"), (".literal", "text"), (".rodata", "rodata"),
                             (".srodata", "rodata"), (".data", "data"), (".sdata", "data"),
                             (".bss", "bss"), (".sbss", "bss")):
            if name.startswith(prefix):
                sums[kind] += size
    return sums, ram


def figures_of(target, compiler, flags, configuration, part):
    with tempfile.TemporaryDirectory() as folder:
        object_file = os.path.join(folder, "part.o")
        if configuration == "update":
            source, definitions = "update.cpp", [UPDATES[part]]
        else:
            source, definitions = "part.cpp", [PARTS[part], f"-DCONFIGURATION={CONFIGURATIONS[configuration]}"]
        subprocess.run([compiler, *flags, *FLAGS, *definitions, "-c",
                        os.path.join(ROOT, "bench/size", source), "-o", object_file], check=True)
        sums, ram = sections(compiler, object_file)
    row = {"target": target, "configuration": configuration}
    figures = [{**row, "part": f"{part} {kind}", "bytes": size} for kind, size in sums.items()]
    if part == "dispatch compact":
        figures.append({**row, "part": "machine ram", "bytes": ram})
    elif configuration == "update":
        figures.append({**row, "part": f"{part} ram", "bytes": ram})
    return figures


def measure():
    parts = [(configuration, part) for configuration in CONFIGURATIONS for part in PARTS]
    parts += [("update", part) for part in UPDATES]
    work = [(*target, *part) for target in targets() for part in parts]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [f for figures in pool.map(lambda w: figures_of(*w), work) for f in figures]


def table(figures):
    rows = {}
    for f in figures:
        row = rows.setdefault((f["target"], f["configuration"]), {})
        row[f["part"]] = f["bytes"]
    heads = list(PARTS)
    print(f"{'target':14} {'configuration':16}" + "".join(f"{h:>20}" for h in heads)
          + f"{'compact+verifier':>18}{'threaded+verifier':>19}{'RAM of a vm':>13}")
    print(f"{'':31}" + f"{'text+rodata+data':>20}" * len(heads) + f"{'in all':>18}{'in all':>19}")
    for (target, configuration), row in rows.items():
        if configuration == "update":
            continue
        kinds = ("text", "rodata", "data")
        cells = ["+".join(str(row[f"{h} {k}"]) for k in kinds) for h in heads]
        whole = [sum(row[f"{h} {k}"] for h in ("verifier", d) for k in kinds)
                 for d in ("dispatch compact", "dispatch threaded")]
        print(f"{target:14} {configuration:16}" + "".join(f"{c:>20}" for c in cells)
              + f"{whole[0]:>18}{whole[1]:>19}{row['machine ram']:>13}")
    print(f"\n{'target':29}" + "".join(f"{h:>20}" for h in UPDATES) + f"{'RAM of an update':>20}")
    print(f"{'':29}" + f"{'text+rodata+data':>20}" * len(UPDATES) + f"{'updater+slots':>20}")
    for (target, configuration), row in rows.items():
        if configuration == "update":
            cells = ["+".join(str(row[f"{h} {k}"]) for k in ("text", "rodata", "data")) for h in UPDATES]
            cells.append(f"{row['updater ram']}+{row['update slots ram']}")
            print(f"{target:29}" + "".join(f"{c:>20}" for c in cells))


def check(figures):
    with open(FIGURES) as f:
        committed = {(x["target"], x["configuration"], x["part"]): x["bytes"] for x in json.load(f)}
    grown = []
    for f in figures:
        key = (f["target"], f["configuration"], f["part"])
        if f["bytes"] > committed.get(key, -1) * (1 + THRESHOLD):
            grown.append(f"{' / '.join(key)}: {committed.get(key, 'no figure')} -> {f['bytes']} bytes")
    if grown:
        sys.exit("Larger than bench/size/figures.json by over 2 %:\n  " + "\n  ".join(grown)
                 + "\nIf that is meant: ./dev size --write, and say why in the commit.")


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--check"], ["--write"]):
        print(__doc__.strip())
        sys.exit(0 if sys.argv[1:] == ["--help"] else 2)
    measured = measure()
    table(measured)
    if "--write" in sys.argv:
        with open(FIGURES, "w") as out:
            out.write("[\n" + ",\n".join("  " + json.dumps(f) for f in measured) + "\n]\n")
    elif "--check" in sys.argv:
        check(measured)
