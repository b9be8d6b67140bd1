#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Turns what ./dev bench measured into tables, JSON and pictures.

report.py BUILD DIRECTORY
reads   BUILD/host-g++.json, BUILD/host-clang++.json (Google Benchmark), BUILD/boards.json (boards.py)
writes  DIRECTORY/benchmarks.md, benchmarks.json and pictures/{ratio,size,startup}.{svg,png}
"""
import datetime
import json
import math
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "bench/target"), str(pathlib.Path(__file__).parent)]
import boards  # noqa: E402
import pictures  # noqa: E402

FEMTO = [f"{d}/{s}" for d in ("prepared", "threaded", "compact") for s in ("segmented", "flat")]
PEERS = {"lua": "Lua 5.4", "wabt": "WABT", "duktape": "Duktape"}
TO_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


def first_line(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def package(name):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", name], capture_output=True,
                          text=True).stdout or "?"


def read_host(path):
    """[{group, case, machine, ns, ...}]: the fastest of the repetitions, in CPU time, since what else
    the computer does only ever adds to it."""
    rows = {}
    for row in json.loads(pathlib.Path(path).read_text())["benchmarks"]:
        if row.get("run_type") == "aggregate":
            continue
        if row.get("error_occurred"):
            sys.exit(f"report: {row['name']} failed: {row.get('error_message')}")
        group, *case = row["run_name"].split("/")
        machine = "/".join(case[-2:]) if "/".join(case[-2:]) in FEMTO else case[-1]
        case = "/".join(case)[: -len(machine)].rstrip("/")
        ns = row["cpu_time"] * TO_NS[row["time_unit"]]
        old = rows.get((group, case, machine))
        if old is None or ns < old["ns"]:
            rows[group, case, machine] = {
                "group": group, "case": case, "machine": machine, "ns": ns,
                **{k: row[k] for k in ("instructions", "slots", "bytes", "items_per_second") if k in row}}
    return list(rows.values())


class Host:
    """Figures of both compilers' builds by group, case and machine."""

    def __init__(self, build):
        self.by = {}
        self.rows = []
        for compiler in ("g++", "clang++"):
            for row in read_host(pathlib.Path(build, f"host-{compiler}.json")):
                self.rows.append({"compiler": compiler, **row})
                self.by.setdefault(row["group"], {}).setdefault(row["case"], {})[compiler, row["machine"]] = row

    def ratios(self, compiler, machine):
        """{workload: times native}, native by the same compiler in the same run."""
        return {case: by[compiler, machine]["ns"] / by[compiler, "native"]["ns"]
                for case, by in self.by["workload"].items() if (compiler, machine) in by}


def host_tables(host):
    table, mean = boards.table, boards.mean
    measured = {key for by in host.by["workload"].values() for key in by}
    columns = [(c, m) for c in ("g++", "clang++") for m in FEMTO if (c, m) in measured]
    one = columns[0]
    heads = [f"{m.replace('/', ' ')} ({c})" for c, m in columns]
    ratios = {column: host.ratios(*column) for column in columns}
    peers = {peer: host.ratios("g++", peer) for peer in PEERS}
    cell = lambda ratio: f"{ratio:.1f}" if ratio else ""
    body = [[case, f"{by[one]['instructions']:.0f}", f"{by['g++', 'native']['ns']:.0f}"]
            + [cell(ratios[c].get(case)) for c in columns] + [cell(peers[p].get(case)) for p in PEERS]
            for case, by in host.by["workload"].items()]
    common = sorted(set.intersection(*(set(p) for p in peers.values())))
    for label, cases in (("all", list(host.by["workload"])), ("those ported to every language", common)):
        body.append([f"**geometric mean, {label}**", "", ""]
                    + [f"**{mean([r[case] for case in cases]):.1f}**" for r in ratios.values()]
                    + [f"**{mean([r[case] for case in cases]):.1f}**" if all(case in r for case in cases) else ""
                       for r in peers.values()])
    text = ["## On the host: time of a workload, as a multiple of native code in the same run\n",
            table(["workload", "eBPF instructions", "native ns (g++)"] + heads + list(PEERS.values()), body)]

    def group(name, title, unit, value):
        rows = [[case or name] + [unit.format(value(by[c])) if c in by else "" for c in columns]
                for case, by in host.by[name].items()]
        return [f"## {title}\n", table(["case"] + heads, rows)]

    ns = lambda row: row["ns"]
    each = lambda row: row["ns"] / row["instructions"]
    text += group("instruction", "On the host: ns for one instruction, by class", "{:.2f}", each)
    text += group("regions", "On the host: ns for a load, by regions beside the five fixed ones", "{:.2f}", each)
    text += group("helper", "On the host: ns for a helper call and the instructions that set its arguments",
                  "{:.1f}", lambda row: row["ns"] / 3200)
    text += group("local_call", "On the host: ns for a local call and its return", "{:.1f}", lambda row: row["ns"] / 3200)
    text += group("suspend_and_resume", "On the host: ns to resume a run that suspends again", "{:.1f}", ns)
    text += group("hook", "On the host: ns to fire a hook", "{:.1f}", ns)
    text += group("verify", "On the host: ns to verify a program", "{:.0f}", ns)
    text += group("first_instruction", "On the host: ns for a run of one instruction", "{:.1f}", ns)
    parse = host.by["parse"]
    text += ["## On the host: ns to parse and load a program\n", table(
        ["program", "ELF object (g++)", "ELF object (clang++)", "image (g++)", "image (clang++)"],
        [[case] + [f"{by[c, kind]['ns']:.0f}" for kind in ("object", "image") for c in ("g++", "clang++")]
         for case, by in parse.items()])]
    text += ["## On the host: µs from a program's bytes to a machine that has begun to run it\n", table(
        ["program", "bytes of the image"] + heads + list(PEERS.values()),
        [[case, f"{by[one]['bytes']:.0f}"]
         + [f"{by[c]['ns'] / 1e3:.2f}" if c in by else "" for c in columns + [("g++", p) for p in PEERS]]
         for case, by in host.by["startup"].items() if one in by])]
    return "\n".join(text)


def circumstances():
    cpu = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "machine": f"{cpu[1] if cpu else '?'}, {first_line('nproc')} cores",
            "compilers": {"g++": first_line("g++", "--version"), "clang++": first_line("clang++-14", "--version"),
                          "workloads": first_line("clang-22", "--version") + ", -mcpu=v4 -O2",
                          "cortex-m": first_line("arm-none-eabi-g++", "--version"),
                          "riscv": first_line("riscv64-unknown-elf-g++", "--version"),
                          "xtensa": first_line("xtensa-lx106-elf-g++", "--version"),
                          "emulator": first_line("qemu-system-arm", "--version")},
            "flags": "-O2 -DNDEBUG, native code of the host without vector instructions; boards -O2, "
                     "rows with -Os so",
            "peers": {"Lua": package("liblua5.4-dev"), "Duktape": package("duktape-dev"), "WABT": package("wabt")}}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip())
    build, target = map(pathlib.Path, sys.argv[1:])
    (target / "pictures").mkdir(parents=True, exist_ok=True)
    host = Host(build)
    on_boards = json.loads((build / "boards.json").read_text())
    about = circumstances()
    (target / "benchmarks.json").write_text(
        json.dumps({**about, "host": host.rows, "boards": on_boards}, indent=1) + "\n")
    pictures.draw(host, on_boards, about, target / "pictures")
    lines = [f"- {key}: {value}" if isinstance(value, str) else
             f"- {key}: " + "; ".join(f"{k}: {v}" for k, v in value.items()) for key, value in about.items()]
    (target / "benchmarks.md").write_text("\n".join([
        "# Benchmarks\n", "What `./dev bench --write` measured and wrote here; `./dev bench` does the same into",
        "`build/bench/report`.\n", *lines, "",
        *(f"![{alt}](pictures/{name}.svg)\n" for name, alt in pictures.ALTERNATIVES.items()),
        host_tables(host), "## On emulated boards: instructions retired\n", boards.tables(on_boards)]))
    print(f"{target}/benchmarks.md")


if __name__ == "__main__":
    main()
