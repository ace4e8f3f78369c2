# SPDX-License-Identifier: MIT
"""What is measured: each row is some work, done by one server at a time."""

import dataclasses
import os
import subprocess
import time
import typing

from servers import PASSWORD, kernel_memory_of_machine, kernel_threads

GIB = 1 << 30
ALL = ("jailftpd", "vsftpd", "proftpd", "pure-ftpd")
WITH_LIMIT = ALL + ("limit",)
ONE_CPU = {0}


@dataclasses.dataclass
class Scale:
    """How much work a repetition is."""
    mib: int
    small: int
    logins: int
    rounds: int


FULL = Scale(mib=512, small=1000, logins=200, rounds=4)
QUICK = Scale(mib=256, small=300, logins=60, rounds=1)


@dataclasses.dataclass
class Row:
    name: str
    unit: str  # what "cpu" is per
    servers: tuple
    tls: bool
    measure: typing.Callable  # (Server, Scale) -> {metric: figure}
    repetitions: int = 10
    in_quick: bool = True


class Load:
    """The load generator on its way: it waits before its work and after it."""

    def __init__(self, server, arguments, tls=None, account=(), cpus=None):
        command = [server.site.build / "tests/bench/bench_load", *([tls] if tls else []), *account, server.port,
                   *arguments]
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None)
        self.figures, self.server = {}, server
        self.until_ready()

    def until_ready(self):
        for line in self.process.stdout:
            name, value = line.split()
            if name == "ready":
                return
            self.figures[name] = value if name == "cipher" else float(value)
        self.process.wait()
        raise RuntimeError(f"the load failed with {self.server.title}")

    def work(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        self.until_ready()
        for name in TIMES & self.figures.keys():
            self.figures[name] /= 1e6
        return self.figures

    def cpu(self):
        return time.clock_gettime((~self.process.pid << 3) | 2)  # the CPU clock of another process

    def end(self):
        self.process.stdin.close()
        if self.process.wait() != 0:
            raise RuntimeError(f"the load failed with {self.server.title}")


TIMES = {"clock", "median", "p99", "first_byte"}  # the load says microseconds


def cost_of(server, per, arguments, tls=None, account=(), cpus=None, look=dict):
    """
    CPU seconds of the server, kernel threads and the load, and the load's own figures, for each of `per`; and what
    look() finds while the session is still there.
    """
    load = Load(server, arguments, tls, account, cpus)
    server.settle()
    cpu, threads, load_cpu = server.cgroup.cpu(), kernel_threads(), load.cpu()
    figures = load.work()
    load_cpu = load.cpu() - load_cpu
    server.settle()
    time.sleep(0.2)  # kernel threads end namespaces a little later
    threads_after = kernel_threads()
    cpu = server.cgroup.cpu() - cpu
    seen = look()
    load.end()
    kernel = sum(after - threads.get(pid, 0) for pid, after in threads_after.items())
    return {**figures, **seen, "clock": figures["clock"] / per, "cpu": cpu / per, "load_cpu": load_cpu / per,
            "kernel_threads": kernel / per, "with_threads": (cpu + kernel) / per}


# ----- transfers

def transfer(verb, tls, streams):
    def measure(server, scale):
        size = scale.mib << 20
        each = size // streams
        path = "/up/file" if verb == "stor" else server.site.file(f"file-{each}", each)
        found = cost_of(server, size / GIB, ["transfer", verb, path, each, streams], "--tls" if tls else None)
        if verb == "stor":
            sizes = [file.stat().st_size for file in (server.site.home / "up").iterdir()]
            if sizes != [each] * streams:
                raise RuntimeError(f"{server.title}: the upload is not whole: {sizes}")
            server.site.empty_uploads()
        return found
    return Row(f"{verb}-{'tls' if tls else 'plain'}-{streams}", "GiB", WITH_LIMIT, tls, measure)


def small(verb, tls):
    def measure(server, scale):
        # vsftpd has no MLSD
        said = "list" if verb == "mlsd" and server.name.startswith("vsftpd") else verb
        path = {"retr": server.site.file("file-4096", 4096), "stor": "/up/file", "mlsd": "/nothing"}[verb]
        everywhere = os.sched_getaffinity(0)
        server.pin(ONE_CPU)
        try:
            return cost_of(server, scale.small, ["small", said, path, scale.small], "--tls" if tls else None, cpus=ONE_CPU)
        finally:
            server.pin(everywhere)
            server.site.empty_uploads()
    return Row(f"small-{verb}-{'tls' if tls else 'plain'}", "file" if verb != "mlsd" else "listing", WITH_LIMIT, tls,
               measure)


# ----- logins and connections

def login(name, tls, user, servers):
    account = ["--user", user, "--password", PASSWORD] if user else []

    def measure(server, scale):
        return cost_of(server, scale.logins, ["login", scale.logins], "--tls" if tls else None, account)
    return Row(f"login-{name}", "login", servers, tls, measure)


def burst(count):
    def measure(server, scale):
        return cost_of(server, count * scale.rounds, ["burst", count, scale.rounds])
    return Row(f"burst-{count}", "connection", ALL, False, measure)


# ----- many sessions, long listings

def idle(count, tls):
    def measure(server, scale):
        logins = min(scale.logins, 100)
        speak = "--tls" if tls else None
        alone = cost_of(server, logins, ["login", logins], speak)
        load = Load(server, ["idle", count], speak)
        server.settle()
        before = memory_of(server)
        load.work()
        server.settle()
        after = memory_of(server)
        each = {name: (after[name] - before[name]) / count for name in after}
        among = cost_of(server, logins, ["login", logins], speak)
        load.end()
        wait_for_ends(server, before["processes"])
        return {"memory": each["pss"] + each["kernel"], **each, "login_cpu": among["cpu"], "login_clock": among["median"],
                "login_growth": among["cpu"] / alone["cpu"]}
    # Those two have figures to reach; the others' thousands of processes would only take time.
    servers = ALL if count <= 1000 else ("jailftpd", "vsftpd")
    return Row(f"idle-{'tls' if tls else 'plain'}-{count}", "session", servers, tls, measure, repetitions=2,
               in_quick=count <= 100)


def memory_of(server):
    """KiB; where the kernel does not account its own memory, all that it took meanwhile."""
    pss, processes = server.memory()
    whole, accounted = kernel_memory_of_machine(), server.cgroup.kernel_memory()
    return {"pss": pss, "processes": processes, "kernel": whole if accounted is None else accounted / 1024,
            "kernel_of_machine": whole}


def wait_for_ends(server, processes):
    for _ in range(600):
        if len(server.cgroup.processes()) <= processes + 4:  # it may have made spares
            break
        time.sleep(0.1)
    server.settle()


def listing(verb, entries):
    def measure(server, scale):
        path = server.site.folder(entries)
        before = server.peaks()

        # Of the session's processes, that is: those that are new or have grown.
        def peak():
            return {"peak": max((kib for pid, kib in server.peaks().items() if kib > before.get(pid, 0)), default=0)}
        said, path = ("list", f"-U {path}") if verb == "unsorted" else (verb, path)
        found = cost_of(server, 1, ["list", said, path], look=peak)
        if found.pop("bytes") < entries * 40:
            raise RuntimeError(f"{server.title}: the listing is not whole")
        return found
    # vsftpd has no MLSD and always sorts, the limit knows names alone, and ProFTPD takes half a minute for a million.
    servers = {"list": ALL, "unsorted": ("jailftpd",), "mlsd": ("jailftpd", "proftpd", "pure-ftpd"),
               "nlst": WITH_LIMIT}[verb]
    if entries > 100_000:
        servers = tuple(name for name in servers if name != "proftpd")
    return Row(f"list-{verb}-{entries}", "listing", servers, False, measure, repetitions=4 if entries >= 100_000 else 10,
               in_quick=entries <= 100_000)


ROWS = [
    *(transfer(verb, tls, streams) for tls in (False, True) for verb in ("retr", "stor") for streams in (1, 8)),
    *(small(verb, tls) for tls in (False, True) for verb in ("retr", "stor", "mlsd")),
    login("anonymous", False, "", ("jailftpd", "vsftpd", "vsftpd-bare", "proftpd", "pure-ftpd")),
    login("pam", False, "bench", ("jailftpd", "vsftpd", "vsftpd-bare", "proftpd", "pure-ftpd")),
    login("tenant", False, "tenant", ("jailftpd", "vsftpd-tenants")),
    login("tls", True, "", ALL),
    burst(64),
    *(idle(count, tls) for tls in (False, True) for count in (100, 1000, 5000)),
    *(listing(verb, entries) for verb in ("list", "unsorted", "mlsd", "nlst") for entries in (1000, 10_000, 100_000, 300_000)),
    listing("mlsd", 1_000_000),
]
