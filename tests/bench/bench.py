#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the same work in alternation with jailftpd, vsftpd, ProFTPD, Pure-FTPd and a minimal server; started by run.sh."""

import argparse
import collections
import ftplib
import json
import os
import pathlib
import shutil
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

import plots
import report
from rows import FULL, QUICK, ROWS
from servers import Cgroup, Server, Site

Bound = collections.namedtuple("Bound", "row metric against at_most")

# The figures to reach, of jailftpd: `metric` of `row`, divided by that of the server `against`; as it is where that is
# empty; divided by our own of another row where it is "row:NAME".
BOUNDS = [
    # Namespaces are ended by kernel threads, so isolation costs those as well.
    *(Bound("login-anonymous", metric, *other)
      for metric in ("cpu", "with_threads") for other in (("vsftpd", 0.40), ("vsftpd-bare", 0.70))),
    Bound("login-pam", "cpu", "vsftpd", 0.45),
    Bound("login-tenant", "cpu", "vsftpd-tenants", 0.45),
    Bound("login-tls", "cpu", "vsftpd", 0.45),
    Bound("burst-64", "p99", "", 0.060),
    *(Bound(f"retr-plain-{n}", "cpu", "limit", 1.1) for n in (1, 8)),
    *(Bound(f"stor-plain-{n}", "cpu", *other) for n in (1, 8) for other in (("vsftpd", 0.5), ("limit", 1.2))),
    *(Bound(f"retr-tls-{n}", "cpu", *other) for n in (1, 8) for other in (("vsftpd", 0.45), ("limit", 1.2))),
    *(Bound(f"stor-tls-{n}", "cpu", *other) for n in (1, 8) for other in (("vsftpd", 0.35), ("limit", 1.2))),
    *(Bound(f"small-{verb}-plain", "cpu", *other)
      for verb in ("retr", "stor", "mlsd") for other in (("vsftpd", 0.5), ("pure-ftpd", 1.0))),
    *(Bound(f"small-{verb}-tls", "cpu", "vsftpd", 0.6) for verb in ("retr", "stor", "mlsd")),
    *(Bound(f"idle-{way}-{n}", "memory", "vsftpd", 0.5) for way in ("plain", "tls") for n in (100, 1000, 5000)),
    *(Bound(f"idle-{way}-5000", "memory", f"row:idle-{way}-100", 1.1) for way in ("plain", "tls")),  # flat
    *(Bound(f"idle-{way}-5000", "login_growth", "", 1.2) for way in ("plain", "tls")),
    *(Bound("list-list-100000", metric, "vsftpd", 0.6) for metric in ("cpu", "clock")),
    *(Bound(f"list-mlsd-{n}", "first_byte", "", 0.020) for n in (100_000, 300_000, 1_000_000)),
    *(Bound(f"list-unsorted-{n}", "first_byte", "", 0.020) for n in (100_000, 300_000)),
    Bound("list-mlsd-1000000", "peak", "row:list-mlsd-1000", 1.1),  # constant
    Bound("list-unsorted-300000", "peak", "row:list-unsorted-1000", 1.1),
]
ENOUGH = 10  # repetitions behind the word "undecided"


class Bench:
    def __init__(self, site, scale, names):
        self.site, self.scale, self.names = site, scale, names
        self.servers, self.failed = {}, []

    def server(self, name, tls):
        if (name, tls) not in self.servers:
            self.servers[name, tls] = Server(name, self.site, tls)
        return self.servers[name, tls]

    def run(self, row, repetitions, most):
        """{server: [figures of each repetition]}; A B B A, so that what drifts weighs on all."""
        compared = [self.server(name, row.tls) for name in row.servers if name in self.names]
        taken = {server.name: [] for server in compared}
        bounds = [bound for bound in BOUNDS if bound.row == row.name]
        for repetition in range(most):
            if repetition >= repetitions and not any(
                    (found := judge(bound, {row.name: taken})) and found["verdict"].startswith("undecided")
                    for bound in bounds):
                break
            for server in compared if repetition % 2 == 0 else reversed(compared):
                try:
                    if server.name in taken:
                        taken[server.name].append(row.measure(server, self.scale))
                except RuntimeError as error:  # no figure of it, and no end of the others'
                    self.failed.append(f"{row.name}: {error}")
                    del taken[server.name]
        return taken

    def isolation(self, name):
        """Of a session that is there."""
        server = self.server(name, True)

        def client_there(look):
            insecure = ssl.create_default_context()
            insecure.check_hostname, insecure.verify_mode = False, ssl.CERT_NONE
            client = ftplib.FTP_TLS(context=insecure)
            client.connect("127.0.0.1", server.port, 10)
            client.login("anonymous", "bench@")
            look()
            client.quit()
        return server.isolation(client_there)

    def plan(self):
        """Of jailftpd's jail what /proc does not tell: Landlock, and what the server says is missing on this machine."""
        server = self.server("jailftpd", True)
        explained = subprocess.run([*server.command(True), "--explain-user", "ftp"], capture_output=True, text=True)
        steps = [" ".join(line.split()[1:]) for line in explained.stdout.splitlines() if "landlock  " in line]
        return [*steps, *(line for line in server.said.read_text().splitlines() if "certificate" not in line)]

    def stop(self):
        for server in self.servers.values():
            server.stop()


def judge(bound, rows):
    """The ratio's spread and the verdict; None where a server was left out."""
    ours = rows.get(bound.row, {}).get("jailftpd", [])
    if bound.against.startswith("row:"):
        others = rows.get(bound.against[4:], {}).get("jailftpd", [])
    else:
        others = rows.get(bound.row, {}).get(bound.against, []) if bound.against else [{bound.metric: 1}] * len(ours)
    # Neighbours in time are compared, so that a noisy minute weighs on both.
    ratios = [our[bound.metric] / other[bound.metric] for our, other in zip(ours, others) if bound.metric in our]
    if len(ratios) < 2:
        return None
    low, median, high = statistics.quantiles(ratios, n=4)
    # Reached or not only when the middle half of the repetitions is on one side of the bound.
    if high <= bound.at_most:
        verdict = "reached"
    elif low > bound.at_most:
        verdict = "not reached"
    else:
        verdict = "undecided" if len(ratios) >= ENOUGH else f"undecided (only {len(ratios)} repetitions)"
    return {**bound._asdict(), "low": low, "median": median, "high": high, "repetitions": len(ratios), "verdict": verdict}


def chosen(rows, beginnings, quick):
    for beginning in beginnings:
        if not any(row.name.startswith(beginning) for row in rows):
            sys.exit(f"no row begins with {beginning}; --list names them")
    return [row for row in rows if (any(map(row.name.startswith, beginnings)) if beginnings
                                    else row.in_quick or not quick)]


def machine():
    model = [line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    return {"date": time.strftime("%F %T"), "kernel": os.uname().release, "cpus": os.cpu_count(),
            "cpu": model[0] if model else os.uname().machine, "load_average": os.getloadavg()[0]}


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench/run.sh", description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="less work, 4 repetitions instead of up to 10")
    parser.add_argument("--repetitions", type=int, help="this many at most")
    parser.add_argument("--servers", help=f"some of {','.join(Server.NAMES)}")
    parser.add_argument("--json", type=pathlib.Path, help="default: results.json in the build folder")
    parser.add_argument("--markdown", action="store_true", help="print the README's tables instead")
    parser.add_argument("--list", action="store_true", help="name the rows")
    parser.add_argument("row", nargs="*", help="beginnings of names of rows; default: all")
    return parser.parse_args()


def end_once(*_):
    """The servers are stopped all the same."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # timeout(1) says it twice
    sys.exit("ended by a signal")


def main():
    given = arguments()
    if given.list:
        return print("\n".join(row.name for row in ROWS))
    build = given.build.resolve()
    rows = chosen(ROWS, given.row, given.quick)
    most = given.repetitions or (4 if given.quick else ENOUGH)
    names = given.servers.split(",") if given.servers else Server.NAMES
    if unknown := set(names) - set(Server.NAMES):
        sys.exit(f"no server is called {', '.join(unknown)}")
    names = [name for name in names if Server.there(name, build)]

    work = pathlib.Path(tempfile.mkdtemp(prefix="jailftpd-bench-", dir="/dev/shm"))
    bench = None
    started = time.monotonic()
    signal.signal(signal.SIGTERM, end_once)
    try:
        bench = Bench(Site(work, build), QUICK if given.quick else FULL, names)
        results = {"machine": machine(), "isolation": {name: bench.isolation(name) for name in names if name != "limit"},
                   "plan": bench.plan() if "jailftpd" in names else [], "cpu_by": Cgroup.source(),
                   "units": {row.name: row.unit for row in rows}, "rows": {}}
        try:
            for row in rows:
                print(f"{row.name} ...", file=sys.stderr, flush=True)
                results["rows"][row.name] = bench.run(row, min(row.repetitions, most), most)
        except (KeyboardInterrupt, SystemExit):  # what there is until then is said all the same
            bench.failed.append(f"{row.name} and what follows: ended by a signal")
        results["failed"] = bench.failed
        results["bounds"] = [found for bound in BOUNDS if (found := judge(bound, results["rows"]))]
        results["minutes"] = (time.monotonic() - started) / 60
        print((report.markdown if given.markdown else report.text)(results))
        where = given.json or build / "results.json"
        where.write_text(json.dumps(results, indent=1))
        print("all figures:", where, *plots.draw(results, where.parent / "plots"), file=sys.stderr)
    finally:
        if bench:
            bench.stop()
        subprocess.run(["umount", "/etc"], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
