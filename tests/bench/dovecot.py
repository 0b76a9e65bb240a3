#!/usr/bin/env python3
"""dovecot.py [compare.py's options]: postern against Debian's Dovecot, and each ratio against its bar.

Makes two throw-away stores (runtime folders on tmpfs): one with its limits out of the way, one with the default
ones for `refuse`.  compare.py runs both servers in turn and checks what they answer; everything on one CPU, as
it says.  Then what concerns us alone: connections that idle, and a folder of 200,000 messages.

    POSTERN_BUILD=build tests/bench/dovecot.py --only select,noop --rounds 3 --seconds 1     a part of it
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from harness.programs import Skip, build_dir, run_main  # noqa: E402
from harness.site import Site  # noqa: E402

# Ratios of operations a second, postern's by Dovecot's, of medians.
BARS = {
    "noop": 1.2, "login": 4, "login-c8": 4, "append": 1.5, "append-4k": 3, "append-4k-c8": 3, "select": 1.2,
    "select-big": 1.2, "status-big": 1.2, "fetch-flags-big": 3, "fetch-headers-first": 20, "fetch-headers": 6,
    "fetch-full": 1.2, "fetch-random": 1.5, "fetch-random-c8": 1.0, "pop3-fetch": 1.0, "search-text": 10,
    "search-header": 3, "store-flags": 1.0, "expunge": 8, "copy": 3, "refuse": 3, "lmtp": 3, "lmtp-c8": 3,
}
LOGINS = ("login", "login-c8")
PASSWORD = "pass"
USERS = 60
IDLE_USERS, IDLE_CONNECTIONS, IDLE_SETTLE_S = 200, 2000, 90
MANY = 200000


def figure(what, value, unit="", bar=None):
    print(f"figure: {what} | {value:.2f}{unit} | {'' if bar is None else f'{bar:g}{unit}'}", flush=True)


def raise_limits(site):
    for name in ("Maximum Allowed Sessions Per User", "Maximum Allowed Service Sessions Per User",
                 "Maximum Allowed Exchange Sessions Per Service"):
        site.reg(name, 65536)
    for name in ("MaxConnections", "MaxConnectionFromSingleIP", "MaxConnectionsPerUser"):
        for door in ("imap", "pop") if name == "MaxConnectionsPerUser" else ("imap", "pop", "delivery"):
            site.setting(door, name, 25000)
    site.postern("policy", "set", "default", "POPMaxConcurrency", "null")


def address(site, door):
    return f"127.0.0.1:{site.ports[door]}"


class Comparison:
    """Runs of compare.py, as its options say; what it prints is ours to print."""

    def __init__(self, options, work):
        self.options, self.work = options, work

    def run(self, other, *args):
        out = os.path.join(self.work, "compare.json")
        tool = [sys.executable, os.path.join(HERE, "compare.py"), "--mailload", self.options.mailload, "--json", out,
                "--skip", "idle", "--other", other, *map(str, args)]
        running = subprocess.Popen(tool)
        try:
            running.wait()
        except BaseException:
            running.terminate()  # not killed: it has a Dovecot to end
            running.wait()
            raise
        if not os.path.exists(out):
            raise SystemExit(f"compare.py ended with status {running.returncode}")
        with open(out) as f:
            result = json.load(f)["workloads"]
        os.unlink(out)
        return result

    def ratios(self, other, what, only, *args):
        """A figure for each workload; one that failed on our side fails the bench."""
        options = self.options
        common = ["--rounds", options.rounds, "--seconds", options.seconds, "--cpu", options.cpu]
        wrong = []
        for name, result in self.run(other, "--only", ",".join(only), *common, *args).items():
            if "failed" in result["postern"]:
                wrong.append(f"{name}: {result['postern']['failed']}")
            if "ratio" in result:
                figure(f"{name}{what}, to Dovecot's rate", result["ratio"], " x", BARS[name])
        return wrong


def say_if_busy():
    """A login passes through three processes of Dovecot's and one of ours; where others want the CPU, each waits."""
    load, cpus = os.getloadavg()[0], len(os.sched_getaffinity(0))
    if load > cpus:
        print(f"The machine is busy (load {load:.1f}, {cpus} CPUs): the ratios flatter whoever has fewer processes; "
              "trust the columns of CPU time.", flush=True)


def the_comparison(options, chosen):
    say_if_busy()
    with Site(runtime="/dev/shm") as site, Site(runtime="/dev/shm") as limited:
        raise_limits(site)
        for n in range(1, USERS + 1):
            site.user(f"user{n}", PASSWORD, plain=True)
        for n in range(10, 18):
            site.user(f"hash{n}", PASSWORD)
        for n in (5, 6):
            limited.user(f"user{n}", PASSWORD, plain=True)
        site.serve("imap", "pop3", "lmtp")
        limited.serve("imap")
        pids = "+".join(str(daemon.pid) for daemon in site.daemons.values())
        other = (f"name=postern,imap={address(site, 'imap')},pop3={address(site, 'pop3')},"
                 f"lmtp={address(site, 'lmtp')},users=%s%%d,password={PASSWORD},pids={pids},"
                 f"limited={address(limited, 'imap')},limited_pids={'+'.join(str(daemon.pid) for daemon in limited.daemons.values())}")
        compare = Comparison(options, site.work)
        wrong = compare.ratios(other % "user", "", chosen)
        hashed = [name for name in LOGINS if name in chosen]
        if hashed:
            wrong += compare.ratios(other % "hash", ", each side hashes its passwords and caches them", hashed,
                                    "--scheme", "BLF-CRYPT")
        return wrong


def memory_kb(pid, what):
    with open(f"/proc/{pid}/" + ("smaps_rollup" if what == "Pss" else "status")) as f:
        return next(int(line.split()[1]) for line in f if line.startswith(what + ":"))


def idle_wire(site, door, user):
    """A connection in IDLE, its socket alone."""
    wire = site.wire(door)
    wire.read_line()
    wire.imap(f"a LOGIN {user} {PASSWORD}")
    wire.imap("b SELECT INBOX")
    wire.send_line("c IDLE")
    wire.read_line()
    return wire


def idle_site(tls):
    site = Site(tls=tls, runtime="/dev/shm")
    raise_limits(site)
    for n in range(40, 40 + IDLE_USERS):
        site.user(f"user{n}", PASSWORD, plain=True)
    site.serve("imap")
    return site


def idle_connections(options):
    """What an idle connection costs in a fresh process, and how soon it is told of a new message."""
    with idle_site(tls=False) as site:
        run = subprocess.run(
            [options.mailload, "idle", f"--imap={address(site, 'imap')}", f"--pass={PASSWORD}", "--first-user=40",
             f"--users={IDLE_USERS}", f"--conns={IDLE_CONNECTIONS}", "--count=200", f"--settle={IDLE_SETTLE_S}",
             f"--server-pids={site.daemons['imap'].pid}"], stdout=subprocess.PIPE, text=True, check=True)
        told = dict(pair.split("=", 1) for pair in run.stdout.split() if "=" in pair)
        print(run.stdout.strip())
        figure("EXISTS to an idling client, p50", float(told["p50_us"]) / 1e3, " ms", 1)
        figure("EXISTS to an idling client, p99", float(told["p99_us"]) / 1e3, " ms", 10)
        figure("PSS of an idle connection", int(told["bytes_per_conn"]) / 1024, " KB", 6)
    with idle_site(tls=True) as site:
        pid = site.daemons["imap"].pid
        before = memory_kb(pid, "Pss")
        wires = [idle_wire(site, "imaps", f"user{40 + i % IDLE_USERS}") for i in range(IDLE_CONNECTIONS)]
        time.sleep(IDLE_SETTLE_S)
        figure("PSS of an idle connection with TLS", (memory_kb(pid, "Pss") - before) / IDLE_CONNECTIONS, " KB", 16)
        for wire in wires:
            wire.close()


def generate(count, path):
    """An mbox of small messages."""
    with open(path, "w") as f:
        for i in range(count):
            f.write(f"From ann@example.org Mon Mar  3 10:01:00 2025\nFrom: Ann <ann@example.org>\nTo: bob@example.org\n"
                    f"Subject: number {i}\nDate: Mon, 3 Mar 2025 10:01:00 +0000\nMessage-ID: <{i}@example.org>\n\n"
                    "A few words.\n\n")
    return path


def logged_in(site, folder=None):
    wire = site.wire("imap", seconds=60)
    wire.read_line()
    wire.imap(f"a LOGIN bob {PASSWORD}")
    if folder:
        wire.imap(f"b SELECT {folder}")
    return wire


def seconds_of(action):
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def drain(wire, tag):
    """Reads to the tagged answer without keeping what comes."""
    tail = b""
    while (b"\r\n" + tag + b" ") not in tail:
        tail = (tail + wire.socket.recv(1 << 20))[-200:]


def large_folder():
    """A folder of 200,000 messages: what a warm SELECT, a new message and FETCH 1:* FLAGS cost."""
    with Site(runtime="/dev/shm") as site:
        site.user("bob", PASSWORD, plain=True)
        for folder, count in (("few", 1000), ("many", MANY)):
            site.import_mail("bob", generate(count, os.path.join(site.work, folder)), folder=folder)
        site.serve("imap")
        pid = site.daemons["imap"].pid
        selecting = logged_in(site)
        select, notice = {}, {}
        for folder in ("few", "many"):
            selecting.imap(f"c SELECT {folder}")
            select[folder] = statistics.median(seconds_of(lambda f=folder: selecting.imap(f"c SELECT {f}"))
                                               for _ in range(101))
            watching, writing = logged_in(site, folder), logged_in(site)
            watching.imap("n NOOP")
            times = []
            for _ in range(51):
                writing.imap(f"w APPEND {folder} {{9+}}\r\nA: b\r\n\r\nc")
                begun = time.perf_counter()
                told = watching.imap("n NOOP")
                times.append(time.perf_counter() - begun)
                if not any(line.endswith(" EXISTS") for line in told):
                    raise SystemExit(f"{folder}: a new message was not told: {told}")
            notice[folder] = statistics.median(times)
        figure("warm SELECT of 200,000 messages, to that of 1,000", select["many"] / select["few"], " x", 2)
        figure("a new message noticed among 200,000, to among 1,000", notice["many"] / notice["few"], " x", 2)
        fetching = logged_in(site, "many")
        before = memory_kb(pid, "VmRSS")
        with open(f"/proc/{pid}/clear_refs", "w") as f:
            f.write("5")  # the peak begins anew
        fetching.send_line("f FETCH 1:* FLAGS")
        drain(fetching, b"f")
        figure("FETCH 1:* FLAGS of 200,000 messages, memory taken at its peak",
               (memory_kb(pid, "VmHWM") - before) / 1024, " MB", 2)


def parts(options):
    chosen = options.only.split(",") if options.only else [*BARS, "idle", "large"]
    unknown = [name for name in chosen if name not in (*BARS, "idle", "large")]
    if unknown:
        sys.exit(f"there is no {unknown[0]}; there are: {' '.join([*BARS, 'idle', 'large'])}")
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help="comma list of workloads; idle; large")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="per workload, round and server")
    parser.add_argument("--cpu", type=int, default=min(os.sched_getaffinity(0)))
    parser.add_argument("--mailload", default=os.path.join(build_dir(), "tests/bench/mailload"))
    options = parser.parse_args()
    chosen = parts(options)
    if not shutil.which("dovecot"):
        raise Skip("dovecot is not installed: apt-get install dovecot-imapd dovecot-pop3d")
    compared = [name for name in chosen if name in BARS]
    wrong = the_comparison(options, compared) if compared else []
    if "idle" in chosen:
        idle_connections(options)
    if "large" in chosen:
        large_folder()
    for sentence in wrong:
        print(f"FAILED: {sentence}")
    return 1 if wrong else 0


if __name__ == "__main__":
    run_main(main)
