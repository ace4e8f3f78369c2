# SPDX-License-Identifier: MIT
"""The servers that are compared: their configurations, how they are started, and what the kernel says of them."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

PASSWORD = "bench"
# Of that; 0.2 ms, so that the login is measured, not the hash.
HASH = "$6$rounds=1000$bench$RfGpgGB1me4Ue7xJiogmdQUcgf/iZXxSC2khPgmv7u52Mf9XhGJq97GZOmFsh4bwHsU1jRfQyjqNrHxgn9zRp1"
UID = {"ftp": 61001, "bench": 61002, "tenant": 61003}  # anonymous, through PAM, of the tenants' file

# Debian's stack for vsftpd, with the modules that a Debian machine has after installation.
PAM = """\
auth required pam_listfile.so item=user sense=deny file=/etc/ftpusers onerr=succeed
account required pam_unix.so
session required pam_unix.so
auth required pam_unix.so
auth required pam_shells.so
"""
# Users of vsftpd that have no system account, out of a data base.
PAM_TENANTS = """\
auth required pam_userdb.so db={work}/tenants crypt=crypt
account required pam_permit.so
session required pam_permit.so
"""

# The same for jailftpd and vsftpd, which both read it.
VSFTPD_CONF = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
max_clients=0
max_per_ip=0
idle_session_timeout=3600
anonymous_enable=YES
local_enable=YES
chroot_local_user=YES
nopriv_user=nobody
secure_chroot_dir={work}/empty
write_enable=YES
anon_upload_enable=YES
local_umask=022
anon_umask=022
xferlog_enable=NO
vsftpd_log_file={work}/{name}.log
"""
VSFTPD_TLS = """\
ssl_enable=YES
allow_anon_ssl=YES
force_local_logins_ssl=NO
force_local_data_ssl=NO
ssl_ciphers=HIGH
rsa_cert_file={work}/certificate.pem
rsa_private_key_file={work}/key.pem
"""
# vsftpd with what isolation costs it left out.
VSFTPD_BARE = "isolate=NO\nisolate_network=NO\n"
VSFTPD_TENANTS = """\
pam_service_name=bench-tenants
guest_enable=YES
guest_username=tenant
"""

JAILFTPD_INI = f"""\
[tenant tenant]
password = {HASH}
home = {{work}}/home
uid = {UID["tenant"]}
"""

PROFTPD_CONF = """\
ServerType standalone
DefaultAddress 127.0.0.1
SocketBindTight on
UseIPv6 off
Port {port}
User nobody
Group nogroup
MaxInstances none
TimeoutIdle 3600
TimeoutNoTransfer 3600
UseReverseDNS off
DelayEngine off
WtmpLog off
TransferLog none
SystemLog {work}/{name}.log
PidFile {work}/{name}.pid
ScoreboardFile {work}/{name}.scoreboard
ModulePath {files}/usr/lib/proftpd
LoadModule mod_tls.c
AuthOrder mod_auth_pam.c* mod_auth_unix.c
AuthPAMConfig vsftpd
DefaultRoot ~
<Anonymous {work}/home>
  User ftp
  Group nogroup
  UserAlias anonymous ftp
  MaxClients none
</Anonymous>
"""
PROFTPD_TLS = """\
TLSEngine on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile {work}/certificate.pem
TLSECCertificateKeyFile {work}/key.pem
TLSRequired off
TLSLog none
"""

# -A: everybody is locked into the home; -L: as long listings as the others'
PURE_FTPD = ("{files}/usr/sbin/pure-ftpd -S 127.0.0.1,{port} -4 -H -c 20000 -C 20000 -I 60 -l pam -A -L 2000000:10 -k 100 "
             "-f none -g {work}/{name}.pid")


class Cgroup:
    """What all that a server ever started used, ended children included."""

    root = pathlib.Path("/sys/fs/cgroup")
    old = (root / "cpuacct").is_dir()

    def __init__(self, name):
        name = f"jailftpd-bench-{os.getpid()}-{name}"
        controllers = [self.root / "cpuacct", self.root / "memory"] if self.old else [self.root]
        if not self.old and "memory" in (self.root / "cgroup.controllers").read_text().split():
            (self.root / "cgroup.subtree_control").write_text("+memory")
        self.folders = [each / name for each in controllers if each.is_dir()]
        for folder in self.folders:
            folder.mkdir()

    @classmethod
    def source(cls):
        if not cls.usable():
            return "CPU: of the server's processes and of the children that they waited for, by /proc (no cgroup can be made)"
        return f"CPU: {'cpuacct.usage' if cls.old else 'cpu.stat'} of a cgroup of each server"

    @classmethod
    def usable(cls):
        return os.access(cls.root / "cpuacct" if cls.old else cls.root, os.W_OK) and (
            cls.old or (cls.root / "cgroup.controllers").exists())

    def begin(self, pid):
        """In the server's process that is to be, before it executes."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def processes(self):
        # What a server put into groups of its own below this one is of it too.
        return [int(pid) for procs in self.folders[0].rglob("cgroup.procs") for pid in procs.read_text().split()]

    def cpu(self):
        """Seconds."""
        if self.old:
            return int((self.folders[0] / "cpuacct.usage").read_text()) / 1e9
        return int(fields(self.folders[0] / "cpu.stat")["usage_usec"]) / 1e6

    def kernel_memory(self):
        """Bytes that the kernel holds for the processes and accounts to them; None where it does not."""
        try:
            if self.old:
                return int((self.folders[1] / "memory.kmem.usage_in_bytes").read_text())
            return int(fields(self.folders[0] / "memory.stat")["kernel"])
        except (IndexError, KeyError, OSError):
            return None

    def remove(self):
        for folder in self.folders:
            for each in [*sorted((f for f in folder.rglob("*") if f.is_dir()), reverse=True), folder]:
                each.rmdir()


class Descendants:
    """The same without cgroups: to the clock tick, and of ended children only what was waited for."""

    def __init__(self, _):
        self.leader = 0

    def begin(self, pid):
        pass

    def all(self):
        """{pid: its /proc/PID/stat after the name}"""
        stats = {}
        for folder in pathlib.Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    stats[int(folder.name)] = (folder / "stat").read_text().rsplit(") ", 1)[1].split()
                except OSError:
                    pass  # it has just ended
        found = {self.leader} & stats.keys()
        while more := {pid for pid, stat in stats.items() if pid not in found and int(stat[1]) in found}:
            found |= more
        return {pid: stats[pid] for pid in found}

    def processes(self):
        return list(self.all())

    def cpu(self):
        return sum(int(ticks) for stat in self.all().values() for ticks in stat[11:15]) / os.sysconf("SC_CLK_TCK")

    def kernel_memory(self):
        return None

    def remove(self):
        pass


def fields(path, separator=None):
    """A file of names and values, as /proc has many."""
    lines = (line.split(separator, 1) for line in path.read_text().splitlines())
    return {line[0]: line[1].strip() for line in lines if len(line) == 2}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """What all servers serve: a folder on tmpfs, so that no disk is measured, users, and a certificate."""

    def __init__(self, work, build):
        self.work, self.build, self.home = work, build, work / "home"
        work.chmod(0o755)
        for folder in (self.home / "up", self.home / "nothing", work / "empty"):
            folder.mkdir(parents=True)
        (self.home / "up").chmod(0o777)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-days", "2", "-subj", "/CN=bench", "-keyout", work / "key.pem",
                        "-out", work / "certificate.pem"], check=True, capture_output=True)
        self.private_etc()

    def private_etc(self):
        """In this process's mount namespace /etc has the users; the machine's own stays as it is."""
        if os.readlink("/proc/self/ns/mnt") == os.readlink(f"/proc/{os.getppid()}/ns/mnt"):
            sys.exit("run.sh starts this in a mount namespace of its own")
        etc = self.work / "etc"
        subprocess.run(["cp", "-a", "/etc", etc], check=True)
        subprocess.run(["mount", "--bind", etc, "/etc"], check=True)
        with open("/etc/passwd", "a") as passwd, open("/etc/shadow", "a") as shadow:
            for name, uid in UID.items():
                passwd.write(f"{name}:x:{uid}:65534::{self.home}:/bin/sh\n")
                shadow.write(f"{name}:{HASH if name == 'bench' else '*'}:19000:0:99999:7:::\n")
        pathlib.Path("/etc/ftpusers").write_text("root\n")
        for service in ("vsftpd", "pure-ftpd"):
            pathlib.Path("/etc/pam.d", service).write_text(PAM)
        pathlib.Path("/etc/pam.d/bench-tenants").write_text(PAM_TENANTS.format(work=self.work))
        loader = self.build / "servers/vsftpd/usr/bin/db5.3_load"
        if loader.exists():
            subprocess.run([loader, "-T", "-t", "hash", self.work / "tenants.db"], check=True, text=True,
                           input=f"tenant\n{HASH}\n")

    def file(self, name, size):
        path = self.home / name
        if not path.exists():
            block = os.urandom(min(size, 1 << 20))
            with open(path, "wb") as file:
                for _ in range(size // len(block)):
                    file.write(block)
            path.chmod(0o644)
        return "/" + name

    def folder(self, entries):
        path = self.home / f"entries-{entries}"
        if not path.exists():
            path.mkdir()
            for n in range(entries):
                os.mknod(path / f"a file with a name of usual length {n}.txt", 0o644)
        return "/" + path.name

    def empty_uploads(self):
        for each in (self.home / "up").iterdir():
            each.unlink()


class Server:
    """One of NAMES; tls: with TLS configured, which costs some servers something at each connection."""

    NAMES = ("jailftpd", "vsftpd", "vsftpd-bare", "vsftpd-tenants", "proftpd", "pure-ftpd", "limit")

    def __init__(self, name, site, tls):
        self.name, self.site, self.port = name, site, free_port()
        self.title = f"{name}{'-tls' if tls else ''}"
        self.said = site.work / f"{self.title}.out"
        command = self.command(tls)
        self.cgroup = (Cgroup if Cgroup.usable() else Descendants)(self.title)
        with open(self.said, "w") as said:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                                            env={**os.environ, **self.libraries()}, preexec_fn=lambda: self.cgroup.begin(os.getpid()))
        self.cgroup.leader = self.process.pid
        self.wait_until_it_listens()

    @staticmethod
    def files_of(name, build):
        return build / "servers" / name.split("-bare")[0].split("-tenants")[0]

    @classmethod
    def there(cls, name, build):
        return name in ("jailftpd", "limit") or cls.files_of(name, build).is_dir()

    def libraries(self):
        folders = self.files_of(self.name, self.site.build).glob("usr/lib/*-linux-gnu")
        return {"LD_LIBRARY_PATH": ":".join(map(str, folders))}

    def command(self, tls):
        values = {"port": self.port, "work": self.site.work, "name": self.title,
                  "files": self.files_of(self.name, self.site.build)}

        def written(suffix, *parts):
            path = self.site.work / f"{self.title}.{suffix}"
            path.write_text("".join(parts).format(**values))
            return str(path)

        if self.name == "limit":
            return [self.site.build / "tests/bench/bench_limit", str(self.port), self.site.home,
                    self.site.work / "certificate.pem", self.site.work / "key.pem"]
        if self.name == "proftpd":
            conf = written("conf", PROFTPD_CONF, PROFTPD_TLS if tls else "")
            return [f"{values['files']}/usr/sbin/proftpd", "-n", "-q", "-c", conf]
        if self.name == "pure-ftpd":
            more = " -Y 1 -J HIGH -2 {work}/certificate.pem,{work}/key.pem" if tls else ""
            return (PURE_FTPD + more).format(**values).split()
        more = {"vsftpd-bare": VSFTPD_BARE, "vsftpd-tenants": VSFTPD_TENANTS}.get(self.name, "")
        conf = written("conf", VSFTPD_CONF, VSFTPD_TLS if tls else "", more)
        if self.name == "jailftpd":
            return [self.site.build / "jailftpd", conf, "--ini", written("ini", JAILFTPD_INI)]
        return [f"{values['files']}/usr/sbin/vsftpd", conf]

    def wait_until_it_listens(self):
        for _ in range(200):
            if self.process.poll() is not None:
                break
            # A probe is a client that leaves at once.
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    time.sleep(0.3)
                    return
            time.sleep(0.05)
        self.stop()
        sys.exit(f"{self.title} does not start: {self.said.read_text()}")

    def pin(self, cpus):
        """All its processes and what they will start."""
        for pid in self.cgroup.processes():
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    os.sched_setaffinity(int(thread), cpus)
            except OSError:
                pass  # it has just ended

    def settle(self):
        """Until it is idle: what ends sessions, and makes spares anew, belongs to what was measured."""
        last = self.cgroup.cpu()
        for _ in range(50):
            time.sleep(0.1)
            now = self.cgroup.cpu()
            if now - last < 0.0005:
                return
            last = now

    def memory(self):
        """PSS of all its processes in KiB, and how many there are."""
        pss = processes = 0
        for pid in self.cgroup.processes():
            try:
                pss += int(fields(pathlib.Path(f"/proc/{pid}/smaps_rollup"), ":")["Pss"].split()[0])
                processes += 1
            except (OSError, KeyError):
                pass  # it has just ended
        return pss, processes

    def peaks(self):
        """KiB that each of its processes has had in memory at most."""
        found = {}
        for pid in self.cgroup.processes():
            try:
                found[pid] = int(fields(pathlib.Path(f"/proc/{pid}/status"), ":")["VmHWM"].split()[0])
            except (OSError, KeyError):
                pass
        return found

    def isolation(self, client_there):
        """What the kernel says of the processes of one session; client_there: logs in and out around its argument."""
        before = set(self.cgroup.processes())
        found = []
        client_there(lambda: found.extend(
            # jailftpd's spares and servants have no client in their titles; of the others', new ones are the session's.
            state for pid in sorted(self.cgroup.processes()) if pid not in before or self.name == "jailftpd"
            if (state := state_of(pid)) and (self.name != "jailftpd" or "127.0.0.1" in state["title"])))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for attempt in range(100):
            left = self.cgroup.processes()
            if not left:
                return self.cgroup.remove()
            for pid in left if attempt > 20 else []:  # sessions of servers that end without them; all are of our own group
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.1)
        print(f"{self.title} left processes behind: {self.cgroup.processes()}", file=sys.stderr)


def state_of(pid):
    """Identity, filter and namespaces of a process; nothing if it has just ended."""
    folder = pathlib.Path(f"/proc/{pid}")
    try:
        status = fields(folder / "status", ":")
        own = [ns for ns in ("user", "mnt", "pid", "ipc", "uts", "cgroup", "net")
               if os.readlink(folder / "ns" / ns) != os.readlink(f"/proc/self/ns/{ns}")]
        return {"title": (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()[:60],
                "uid": status["Uid"].split()[0], "capabilities": status["CapPrm"], "root": os.readlink(folder / "root"),
                "seccomp": status["Seccomp"] == "2", "no_new_privs": status["NoNewPrivs"] == "1", "namespaces": own}
    except OSError:
        return None


def kernel_threads():
    """CPU seconds of every kernel thread; they do for a server what ends its namespaces, and for others the same."""
    found = {}
    for pid in pathlib.Path("/proc/2/task/2/children").read_text().split():  # kthreadd's
        try:
            found[pid] = int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
        except OSError:
            pass  # it has just ended
    return found


def kernel_memory_of_machine():
    """KiB: what the kernel has taken for itself, of whoever's account."""
    info = fields(pathlib.Path("/proc/meminfo"), ":")
    return sum(int(info[name].split()[0]) for name in ("Slab", "KernelStack", "PageTables", "Percpu") if name in info)
