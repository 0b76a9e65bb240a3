#!/usr/bin/env python3
"""What clients that idle cost: memory of the daemon for each (PSS, all in), plain, over TLS and compressed; then ten
thousand of 700 users at once, what another client's NOOP waits meanwhile, and an idling one for news.

    idle.py                 the figures
    idle.py KIND CONNS USERS    one of plain, tls, compress
"""
import concurrent.futures
import os
import re
import resource
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness.site import Site  # noqa: E402

SETTLE_S = 60  # the store closes what nobody uses after 10 s, workers rest after 15, the watch looks every 30
PLANS = (("plain", 2000, 200), ("tls", 2000, 200), ("compress", 2000, 200), ("plain", 10000, 700))
BARS = {"plain": 6 * 1024, "tls": 16 * 1024}
CROWD_BAR_MB, NOOP_BAR_MS = 120, 50


def raise_descriptors(conns):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if most < conns + 100:
        sys.exit(f"{most} descriptors are not enough for {conns} connections")


def pss(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return 1024 * int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M)[1])


def prepare(site, users):
    for name in ("Maximum Allowed Sessions Per User", "Maximum Allowed Service Sessions Per User",
                 "Maximum Allowed Exchange Sessions Per Service"):
        site.reg(name, 65536)
    for name in ("MaxConnections", "MaxConnectionFromSingleIP", "MaxConnectionsPerUser"):
        site.setting("imap", name, 25000)
    side_by_side(lambda i: site.postern("user", "add", f"u{i}", "--verifier-stdin", stdin="{PLAIN}p\n"), users, 4)


def side_by_side(make, n, at_once=16):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(make, range(n)))


def logged_in(site, kind, user):
    wire = site.wire("imaps" if kind == "tls" else "imap", seconds=60)
    wire.read_line()
    wire.imap(f"a LOGIN u{user} p")
    if kind == "compress":
        wire.imap("b COMPRESS DEFLATE")
        wire.start_deflate()
    wire.imap("c SELECT INBOX")
    return wire


def idler(site, kind, user):
    wire = logged_in(site, kind, user)
    wire.send(b"d IDLE\r\n")
    if not wire.read_line().startswith(b"+ "):
        sys.exit("IDLE was refused")
    return wire


def milliseconds(act, n):
    took = []
    for _ in range(n):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1e3)
    return took


def told(site, idlers, users):
    """Milliseconds from the APPEND's OK until the user's idlers know; negative: they knew before."""
    waits = []
    for user in range(20):
        with logged_in(site, "plain", user) as wire:
            wire.send(b"e APPEND INBOX {16+}\r\nSubject: x\r\n\r\nx\n\r\n")
            while not wire.read_line().startswith(b"e OK"):
                pass
            done = time.perf_counter()
            for other in idlers[user::users][:10]:
                while b"EXISTS" not in other.read_line():
                    pass
                waits.append((time.perf_counter() - done) * 1e3)
    return waits


def measure(kind, conns, users):
    raise_descriptors(conns)
    with Site(tls=kind == "tls") as site:
        site.check_at_end = False
        prepare(site, users)
        site.serve("imap")
        pid = site.daemons["imap"].pid
        before = pss(pid)
        idlers = side_by_side(lambda i: idler(site, kind, i % users), conns)
        opened = pss(pid)
        with logged_in(site, "plain", 0) as other:
            busy = milliseconds(lambda: other.imap("n NOOP"), 100)
        time.sleep(SETTLE_S)
        settled = pss(pid)
        with logged_in(site, "plain", 0) as other:
            calm = milliseconds(lambda: other.imap("n NOOP"), 100)
        waits = told(site, idlers, users)
        each, name = (settled - before) / conns, f"{conns} {kind} clients of {users} users idle"
        bar = f"{CROWD_BAR_MB} MB" if conns > 5000 else f"{BARS[kind]} bytes each" if kind in BARS else ""
        print(f"figure: {name}: PSS | {settled / 1e6:.1f} MB in all, {each:.0f} bytes each "
              f"({(opened - before) / conns:.0f} while they came) | {bar}")
        print(f"figure: {name}: another one's NOOP | {statistics.median(calm):.2f} ms, at most "
              f"{max(calm + busy):.1f} | {NOOP_BAR_MS} ms")
        print(f"figure: {name}: told of a message, after its OK | {statistics.median(waits):.2f} ms, at most "
              f"{max(waits):.1f} | 1 ms, 10 ms", flush=True)
        for wire in idlers:
            wire.close()


def main():
    plans = [(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))] if len(sys.argv) == 4 else PLANS
    for plan in plans:
        measure(*plan)


if __name__ == "__main__":
    main()
