# SPDX-License-Identifier: Apache-2.0
"""The pictures of a report, drawn with matplotlib (Debian: python3-matplotlib)."""
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import boards  # noqa: E402

ALTERNATIVES = {
    "ratio": "Time of each workload on the host, as a multiple of native code, by engine",
    "size": "Bytes of code and time against native code of the engines on a Cortex-M4",
    "startup": "Cost of starting a program by its size, on a Cortex-M4 and on the host",
}
# One colour for an engine in all pictures.
COLOURS = {"femto prepared": "#a63603", "femto threaded": "#d95f02", "femto compact": "#1b6ca8", "Lua 5.4": "#777777",
           "WABT": "#999933", "Duktape": "#aa4499", "bytes": "#bbbbbb"}
MACHINES = {"femto prepared": "prepared/segmented", "femto threaded": "threaded/segmented", "femto compact": "compact/segmented",
            "Lua 5.4": "lua", "WABT": "wabt", "Duktape": "duktape"}


def plain(axis):
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)


def save(figure, target, name, about):
    figure.text(0.01, 0.008, about, fontsize=7, color="#666666")
    # The same figures give the same bytes.
    figure.savefig(target / f"{name}.svg", metadata={"Date": None})
    figure.savefig(target / f"{name}.png", dpi=110)
    plt.close(figure)


def ratio(host, about, target):
    """Rows are the workloads that run on every engine, sorted; x is time as a multiple of native."""
    ratios = {label: host.ratios("g++", machine) for label, machine in MACHINES.items()}
    ratios = {label: r for label, r in ratios.items() if r}  # a filter may have left some out
    common = set.intersection(*(set(r) for r in ratios.values()))
    ours = next(iter(ratios))
    rows = sorted(common, key=lambda case: -ratios[ours][case]) + ["geometric mean"]
    for label, r in ratios.items():
        r["geometric mean"] = boards.mean([r[case] for case in common])
    mean = {label: r["geometric mean"] for label, r in ratios.items()}
    figure, axis = plt.subplots(figsize=(8.6, 4.4))
    for y, case in enumerate(reversed(rows)):
        values = [r[case] for r in ratios.values()]
        axis.plot([min(values), max(values)], [y, y], color="#dddddd", zorder=1)
        for label, r in ratios.items():
            axis.scatter(r[case], y, s=90 if case == "geometric mean" else 45, color=COLOURS[label],
                         marker="D" if case == "geometric mean" else "o", zorder=2)
    # Neighbours' names at different heights.
    for n, label in enumerate(sorted(ratios, key=mean.get)):
        axis.annotate(f"{label} {mean[label]:.0f}x", (mean[label], 0), (0, -12 - 13 * (n % 4)),
                      textcoords="offset points", ha="center", va="top", fontsize=10, color=COLOURS[label],
                      weight="bold")
    axis.set_yticks(range(len(rows)), list(reversed(rows)))
    axis.set_ylim(-2.8, len(rows) - 0.5)
    axis.set_xscale("log")
    axis.set_xlabel("times as long as native code (log scale; left is faster)")
    axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}x")
    peer = min(("Lua 5.4", "WABT", "Duktape"), key=mean.get)
    axis.set_title(f"On the host, femto takes {mean[ours]:.0f} times as long as native code; "
                   f"{peer} takes {mean[peer]:.0f}", loc="left", weight="bold", fontsize=11)
    plain(axis)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    save(figure, target, "ratio", about)


def size(on_boards, about, target):
    """Bytes of verifier and interpreter against the mean over the workloads, Cortex-M4."""
    points = []
    native = {f["workload"]: f["native_instructions"] for f in on_boards["figures"]
              if f["target"] == "cortex-m4"}
    ported = {f["workload"] for f in on_boards["peers"]}  # the same ones for every engine
    for row in on_boards["sizes"]:
        if row["engine"].startswith("femto"):
            runs = [f for f in on_boards["figures"] if f["target"] == row["target"]
                    and f["dispatch"] == row["engine"].split()[1] and f["address_space"] == "segmented"]
            label = row["engine"] + (" -Os" if row["target"].endswith("-Os") else " -O2")
        else:
            runs = [f for f in on_boards["peers"] if f["engine"] == row["engine"]]
            label = {"lua": "Lua 5.4", "duktape": "Duktape"}[row["engine"]]
        times = boards.mean([f["instructions"] / native[f["workload"]] for f in runs if f["workload"] in ported])
        points.append((label, row["bytes"], times))
    figure, axis = plt.subplots(figsize=(8.6, 4.2))
    for label, size_, times in points:
        name = next((c for c in COLOURS if label.startswith(c)), "bytes")
        axis.scatter(size_ / 1024, times, s=80, color=COLOURS[name], zorder=2)
        # Names that would lie on those of others.
        left = label == "femto compact -O2"
        above = label.endswith("-Os") and label != "femto prepared -Os"
        axis.annotate(f"{label}: {size_ / 1024:.1f} KiB, {times:.0f}x", (size_ / 1024, times),
                      (-9 if left else 9, 5 if above else -5 if "-O" in label else 0),
                      textcoords="offset points", ha="right" if left else "left", va="center", fontsize=9,
                      color=COLOURS[name])
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlim(min(p[1] for p in points) / 1024 / 8, max(p[1] for p in points) / 1024 * 6)
    low, high = min(p[2] for p in points), max(p[2] for p in points)
    axis.set_ylim(low / 1.6, high * 1.5)
    axis.minorticks_off()
    for ax, ticks, unit in ((axis.xaxis, (1, 2, 4, 8, 16, 32, 64, 128, 256), " KiB"),
                            (axis.yaxis, (10, 20, 50, 100, 200, 500, 1000, 2000), "x")):
        bounds = axis.get_xlim() if ax is axis.xaxis else axis.get_ylim()
        ax.set_ticks([t for t in ticks if bounds[0] <= t <= bounds[1]])
        ax.set_major_formatter(lambda v, _, unit=unit: f"{v:g}{unit}")
    axis.set_xlabel("code and constants in flash (log scale; left is smaller)")
    axis.set_ylabel("instructions, times native\n(log scale; lower is faster)")
    femto = [p for p in points if p[0].startswith("femto")]
    fastest = min(femto, key=lambda p: p[2])
    lua = next(p for p in points if p[0] == "Lua 5.4")
    axis.set_title(f"On a Cortex-M4, femto takes {min(p[1] for p in femto) / 1024:.1f} to {fastest[1] / 1024:.1f} "
                   f"KiB with its verifier; Lua {lua[1] / fastest[1]:.1f} times the flash\nand "
                   f"{lua[2] / fastest[2]:.1f} times the instructions of the fastest", loc="left", weight="bold",
                   fontsize=11)
    plain(axis)
    figure.tight_layout(rect=(0, 0.03, 1, 1))
    save(figure, target, "size", about)


def startup(host, on_boards, about, target):
    """Left: instructions on a Cortex-M4; right: microseconds on the host, beside the others."""
    figure, (board, computer) = plt.subplots(1, 2, figsize=(9.6, 4.2))
    rows = sorted((f for f in on_boards["startup"] if f["target"] == "cortex-m4"), key=lambda f: f["bytes"])
    x = [f["bytes"] for f in rows]
    whole = [f["load"] + f["verify"] + f["first_instruction"] for f in rows]
    board.scatter(x, [w / 1e3 for w in whole], s=28, color=COLOURS["femto threaded"])
    board.scatter(x, [f["pass_over_bytes"] / 1e3 for f in rows], s=28, color=COLOURS["bytes"])
    board.annotate("load, verify,\nfirst instruction", (x[-1], whole[-1] / 1e3), (-8, 0),
                   textcoords="offset points", ha="right", va="center", color=COLOURS["femto threaded"], weight="bold")
    board.annotate("reading each byte once", (x[-1], rows[-1]["pass_over_bytes"] / 1e3), (0, -60),
                   textcoords="offset points", ha="right", va="top", color="#777777", weight="bold")
    board.set_xlabel("bytes of the container image")
    board.set_ylabel("thousands of instructions")
    board.set_ylim(0)
    board.set_xlim(0)
    board.set_title("On a Cortex-M4", loc="left", fontsize=10)
    cases = {case: by for case, by in host.by["startup"].items()
             if all(("g++", m) in by for label, m in MACHINES.items() if label != "femto prepared")}
    means = {}
    for label, machine in MACHINES.items():
        if label in ("femto compact", "femto prepared"):
            continue  # verification is the same; preparing is for programs that run often
        values = [by["g++", machine]["ns"] / 1e3 for by in cases.values()]
        means["femto" if label == "femto threaded" else label] = (boards.mean(values), COLOURS[label])
    order = sorted(means, key=lambda label: -means[label][0])
    computer.barh(order, [means[label][0] for label in order], color=[means[label][1] for label in order])
    for y, label in enumerate(order):
        computer.annotate(f" {means[label][0]:.3g} µs", (means[label][0], y), va="center", fontsize=9)
    computer.set_xscale("log")
    computer.set_xlim(0.1, max(m for m, _ in means.values()) * 6)
    computer.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    computer.minorticks_off()
    computer.set_xlabel("µs to load a program and begin (log scale)")
    computer.set_title(f"On the host, mean of {len(cases)} programs", loc="left", fontsize=10)
    others = min(m for label, (m, _) in means.items() if label != "femto")
    figure.suptitle(f"Starting takes time in proportion to the program, {others / means['femto'][0]:.0f} times "
                    "less than the next interpreter", x=0.01, ha="left", weight="bold", fontsize=11)
    for axis in (board, computer):
        plain(axis)
    figure.tight_layout(rect=(0, 0.03, 1, 0.98))
    save(figure, target, "startup", about)


def draw(host, on_boards, about, target):
    plt.rcParams.update({"svg.hashsalt": "femto", "svg.fonttype": "none", "font.size": 9})
    compilers = about["compilers"]
    on_host = (f"{about['machine']}; {about['date']}; {compilers['g++']}, -O2.\n"
               f"eBPF and WebAssembly by {compilers['workloads']}. Geometric mean of the workloads above.")
    on_board = (f"QEMU -icount; {compilers['cortex-m'].split(')')[0]}); eBPF by {compilers['workloads']}; "
                f"{about['date'][:10]}")
    ratio(host, on_host, target)
    size(on_boards, on_board, target)
    startup(host, on_boards, f"{on_board}. {about['machine']}", target)
