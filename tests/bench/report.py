# SPDX-License-Identifier: MIT
"""The figures in words: a table for the terminal, and one for the README."""

import statistics


def seconds(value):
    for unit, factor in (("s", 1), ("ms", 1e3), ("µs", 1e6)):
        if abs(value) * factor >= 1 or unit == "µs":
            return f"{value * factor:.3g} {unit}" if value * factor < 1000 else f"{value * factor:.0f} {unit}"
    return ""


def kib(value):
    return f"{value:.0f} KiB" if value < 10240 else f"{value / 1024:.0f} MiB"


# metric: how it is shown, and as what
METRICS = {
    "cpu": (seconds, "CPU"),
    "kernel_threads": (seconds, "kernel threads"),
    "with_threads": (seconds, "CPU with kernel threads"),
    "load_cpu": (seconds, "load"),
    "clock": (seconds, "clock"),
    "p99": (seconds, "p99"),
    "first_byte": (seconds, "first byte"),
    "peak": (kib, "peak"),
    "memory": (kib, "memory"),
    "pss": (kib, "PSS"),
    "kernel": (kib, "kernel"),
    "kernel_of_machine": (kib, "kernel by meminfo"),
    "processes": (lambda value: f"{value:.3g}", "processes"),
    "login_cpu": (seconds, "CPU per login then"),
    "login_clock": (seconds, "clock per login then"),
    "login_growth": (lambda value: f"{value:.2f}", "to that with none"),
}


def figures_of(runs, metric):
    return [run[metric] for run in runs if metric in run]


def spread(runs, metric):
    shown, name = METRICS[metric]
    values = figures_of(runs, metric)
    return f"{name} {shown(statistics.median(values))} ({shown(min(values))} - {shown(max(values))})"


def main_metric(runs):
    return "cpu" if "cpu" in runs[0] else "memory"


def heading(results):
    on = results["machine"]
    return (f"{on['date']}, {on['cpu']}, {on['cpus']} CPUs, Linux {on['kernel']}, load {on['load_average']:.1f} at start; "
            f"{results['minutes']:.0f} minutes")


def isolation(results):
    for name, found in results["isolation"].items():
        yield f"{name}: {'no process found' if not found else ''}"
        for state in found:
            yield (f"    {state['title']}: uid {state['uid']}, capabilities {state['capabilities']}, "
                   f"seccomp {'yes' if state['seccomp'] else 'no'}, no_new_privs {'yes' if state['no_new_privs'] else 'no'}, "
                   f"namespaces {' '.join(state['namespaces']) or 'none'}")


    for line in results["plan"]:
        yield f"    jailftpd itself says: {line}"


def row_of(name, taken, unit):
    yield f"{name}, per {unit}"
    ours = taken.get("jailftpd", [])
    for server, runs in taken.items():
        if not runs:
            continue
        main = main_metric(runs)
        line = f"    {server:14} {spread(runs, main):44}"
        if ours and server != "jailftpd":
            ratios = [our[main] / their[main] for our, their in zip(ours, runs)]
            line += f" ours/its {statistics.median(ratios):5.2f}"
        else:
            line += " " * 15
        others = [f"{METRICS[metric][1]} {METRICS[metric][0](statistics.median(figures_of(runs, metric)))}"
                  for metric in METRICS if metric != main and figures_of(runs, metric)]
        cipher = runs[0].get("cipher", "none")
        yield line + "  " + ", ".join(others) + (f"  {cipher}" if cipher != "none" else "")


def bound_text(bound):
    shown = METRICS[bound["metric"]][0] if not bound["against"] else lambda value: f"{value:.2f}"
    against = f" / {bound['against'].removeprefix('row:')}" if bound["against"] else ""
    return (f"{bound['row']} {METRICS[bound['metric']][1]}{against}", f"{shown(bound['median'])}",
            f"{shown(bound['low'])} - {shown(bound['high'])}", f"{shown(bound['at_most'])}",
            f"{bound['verdict']}")


def text(results):
    lines = [heading(results), results["cpu_by"], "", "The isolation that was in force, as the kernel has it:", *isolation(results), "",
             "Medians (lowest - highest):", ""]
    for name, taken in results["rows"].items():
        lines += row_of(name, taken, results["units"][name])
    lines += ["", *(f"No figures of {what}" for what in results["failed"]), "To reach: median ratio (quartiles), bound, verdict"]
    for what, median, quartiles, at_most, verdict in map(bound_text, results["bounds"]):
        lines.append(f"    {what:58} {median:>8} ({quartiles})  at most {at_most}: {verdict}")
    return "\n".join(lines) + "\n"


def markdown(results):
    names = list(dict.fromkeys(name for taken in results["rows"].values() for name in taken))
    lines = [heading(results) + ". CPU of all processes of a server, medians:", "",
             f"| work | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for row, taken in results["rows"].items():
        cells = []
        for name in names:
            runs = taken.get(name)
            metric = main_metric(runs) if runs else None
            cells.append(METRICS[metric][0](statistics.median(figures_of(runs, metric))) if runs else "")
        lines.append(f"| {row}, per {results['units'][row]} | {' | '.join(cells)} |")
    lines += ["", "| figure to reach | median | quartiles | at most | |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {' | '.join(bound_text(bound))} |" for bound in results["bounds"]]
    worse = [f"{bound['row']} {bound['against'] and 'to ' + bound['against']}".strip() for bound in results["bounds"]
             if bound["verdict"] != "reached"]
    lines += ["", "Not reached, or undecided: " + (", ".join(worse) or "nothing") + "."]
    lines += [f"No figures of {what}." for what in results["failed"]]
    return "\n".join(lines) + "\n"
