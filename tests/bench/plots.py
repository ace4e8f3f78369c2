# SPDX-License-Identifier: MIT
"""Cost against load, as SVG."""

import math
import re
import statistics

# file, title, rows (the number at the end is the load), metric, factor to the unit, axes
PLOTS = [
    *((f"idle-{way}", f"Idle sessions, {way}: memory per session, PSS and kernel", rf"idle-{way}-(\d+)", "memory", 1,
       "sessions", "KiB") for way in ("plain", "tls")),
    *((f"login-among-{way}", f"CPU of one login among idle sessions, {way}", rf"idle-{way}-(\d+)", "login_cpu", 1e3,
       "sessions", "ms") for way in ("plain", "tls")),
    *((f"{verb}-{name}", f"{verb.replace('unsorted', 'list -U').upper()}: {title}", rf"list-{verb}-(\d+)", metric, factor, "entries", unit)
      for verb in ("list", "unsorted", "mlsd", "nlst")
      for name, title, metric, factor, unit in (("cpu", "CPU", "cpu", 1e3, "ms"),
                                                ("first-byte", "time to the first byte", "first_byte", 1e3, "ms"),
                                                ("memory", "peak of the largest process", "peak", 1 / 1024, "MiB"))),
    *((f"{verb}-{way}", f"{verb.upper()}, {way}: CPU per GiB", rf"{verb}-{way}-(\d+)", "cpu", 1, "streams", "s")
      for verb in ("retr", "stor") for way in ("plain", "tls")),
]
COLOURS = {"jailftpd": "#0a6", "vsftpd": "#c33", "vsftpd-bare": "#e90", "proftpd": "#36c", "pure-ftpd": "#939",
           "limit": "#777"}
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 400, 70, 120, 40, 50


def points(results, pattern, metric, factor):
    """{server: [(load, low, median, high)]}"""
    found = {}
    for row, taken in results["rows"].items():
        if at := re.fullmatch(pattern, row):
            for server, runs in taken.items():
                if values := [run[metric] * factor for run in runs if metric in run]:
                    found.setdefault(server, []).append(
                        (int(at.group(1)), min(values), statistics.median(values), max(values)))
    return {server: sorted(some) for server, some in found.items()}


def ticks(low, high):
    """Powers of ten, with 2 and 5 between them where they are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 3 else (1, 2, 5)
    return [step * 10.0 ** power for power in range(first, last + 1) for step in steps
            if low * 0.999 <= step * 10.0 ** power <= high * 1.001]


def svg(title, across, up, series):
    values = [value for some in series.values() for point in some for value in point[1:]]
    loads = [point[0] for some in series.values() for point in some]
    low, high = max(min(values), 1e-3) / 1.3, max(values) * 1.3

    def place(value, smallest, largest, start, end):  # both axes are logarithmic
        return start + (end - start) * math.log(max(value, smallest) / smallest) / math.log(largest / smallest)

    def x(load):
        return place(load, min(loads), max(loads), LEFT, WIDTH - RIGHT)

    def y(value):
        return place(value, low, high, HEIGHT - BOTTOM, TOP)

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/><text x="{LEFT}" y="22" font-size="14">{title}</text>',
             f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{across}</text>',
             f'<text x="16" y="{HEIGHT / 2}" text-anchor="middle" transform="rotate(-90 16 {HEIGHT / 2})">{up}</text>']
    for value in ticks(low, high):
        lines += [f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>',
                  f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>']
    for load in sorted(set(loads)):
        lines += [f'<path d="M{x(load):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>',
                  f'<text x="{x(load):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{load:,}</text>']
    for number, (server, some) in enumerate(series.items()):
        colour = COLOURS.get(server, "#000")
        path = "L".join(f"{x(load):.1f} {y(median):.1f}" for load, _, median, _ in some)
        lines.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for load, least, median, most in some:
            lines.append(f'<path d="M{x(load):.1f} {y(least):.1f}V{y(most):.1f}" stroke="{colour}"/>'
                         f'<circle cx="{x(load):.1f}" cy="{y(median):.1f}" r="3" fill="{colour}"/>')
        lines.append(f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 16 + 18 * number}" fill="{colour}">{server}</text>')
    return "\n".join([*lines, "</svg>\n"])


def draw(results, folder):
    """The files that were written: a plot takes two loads."""
    for name, title, pattern, metric, factor, across, up in PLOTS:
        series = points(results, pattern, metric, factor)
        if len({point[0] for some in series.values() for point in some}) < 2:
            continue
        folder.mkdir(exist_ok=True)
        file = folder / f"{name}.svg"
        file.write_text(svg(title, across, up, series))
        yield str(file)
