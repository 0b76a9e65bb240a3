#!/usr/bin/env python3
"""Every daemon killed at random points of opens and closes at all doors: what the others hold is counted as before, what
the killed one held is not counted any more, and a user's limit is what it was.  POSTERN_LONG=1: 20 kills of each."""
import json
import os
import random
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import Daemon
from harness.programs import need_fuse, need_root, program, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, step, until
from harness.wire import WireError
from hostile.common import MAIL, login, try_login
from limits.both import deliver

KILLS = 20 if os.environ.get("POSTERN_LONG") else 3
DOORS = ("imap", "pop3")
SERVICES = {"imap": "IMAP4", "pop3": "POP3", "fs": "fs"}
HELD = {"imap": 5, "pop3": 3, "fs": 4}   # of alice, all the while; the storm adds some and takes them away
LIMIT = 16


class Storm:
    """Opens and closes over all doors, whatever happens to them; who is in the way when a daemon dies begins anew."""

    def __init__(self, site):
        self.site, self.ends, self.rounds = site, threading.Event(), 0
        works = (*(lambda door=door: self.log_in(door) for door in DOORS), self.read_file, self.deliver)
        self.threads = [threading.Thread(target=self.run, args=(work,)) for work in works]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join()

    def run(self, work):
        while not self.ends.is_set():
            try:
                work()
                self.rounds += 1
            except (WireError, OSError, SystemExit):
                time.sleep(0.01)

    def log_in(self, door):
        with self.site.wire(door) as wire:
            wire.read_line()
            try_login(wire, door, "alice")

    def read_file(self):
        folder = self.site.folder("alice")
        with open(os.path.join(folder, random.choice(os.listdir(folder))), "rb") as f:
            f.read()

    def deliver(self):
        deliver(self.site.ports["lmtp"], "alice")


def open_files(site):
    folder = site.folder("alice")
    name = sorted(name for name in os.listdir(folder) if name.endswith(".eml"))[0]
    return [open(os.path.join(folder, name), "rb") for _ in range(HELD["fs"])]


class Holders:
    """What alice holds, by door."""

    def __init__(self, site):
        self.site = site
        self.by_door = {**{door: [login(site, door) for _ in range(HELD[door])] for door in DOORS}, "fs": open_files(site)}

    def drop(self, door):
        for one in self.by_door.pop(door):
            try:
                one.close()
            except OSError:
                pass    # of a mount that is gone

    def expected(self):
        """By the ledger: all, those over the network, and each service's on the whole server.  And by the roster."""
        n = {door: len(self.by_door.get(door, ())) for door in HELD}
        return (sum(n.values()), n["imap"] + n["pop3"], {SERVICES[door]: n[door] for door in HELD}), sum(n.values())

    def counted(self):
        said = json.loads(self.site.postern("explain", "alice", "--json").stdout)
        held = {door["service"]: limit["held"] for door in said["doors"] for limit in door["limits"]
                if limit["limit"] == "Maximum Allowed Exchange Sessions Per Service" and door["service"] in SERVICES.values()}
        return (said["sessions"], said["service_sessions"], held), len(self.site.sessions("alice"))

    def close(self):
        for door in list(self.by_door):
            self.drop(door)


def a_kill(site, name, serve):
    """Kills the daemon of that name somewhere in a storm, and serves it again."""
    holders = Holders(site)
    with Storm(site) as storm:
        before = storm.rounds
        until(lambda: storm.rounds > before + 4)
        time.sleep(random.uniform(0, 0.1))
        site.kill(name)
        if name in holders.by_door:
            holders.drop(name)
        serve()
        before = storm.rounds
        until(lambda: storm.rounds > before + 4)
    until(lambda: holders.counted() == holders.expected())
    claim(f"{name}: counted is what the others hold", holders.counted(), holders.expected())
    holders.close()
    until(lambda: holders.counted()[0][0] == 0)
    claim("and nothing is left when they are gone", holders.counted(), holders.expected())


def exactly_the_limit(site):
    wires = []
    while len(wires) <= LIMIT:
        door = DOORS[len(wires) % 2]
        wire = site.wire(door)
        wire.read_line()
        if not try_login(wire, door, "alice").startswith((b"a OK", b"+OK")):
            wire.close()
            break
        wires.append(wire)
    for wire in wires:
        wire.close()
    claim("her limit is what it was", len(wires), LIMIT)


def of_serve(site):
    """`postern serve` takes its daemons with it, and they what they held."""
    chapter("postern serve")
    site.unmount()
    for name in ("fs", *DOORS, "lmtp", "auth"):
        site.stop(name)
    at = os.path.join(site.work, "served")
    os.mkdir(at)
    argv = [program("postern"), "--store", site.store, "serve", "--mount", at]
    site.daemons["serve"] = Daemon(argv, site.work, "serve")
    site.mountpoint = at
    holders = Holders(site)
    pids = {session["holder"] for session in site.sessions("alice")}
    claim("three of its daemons hold something", len(pids), len(HELD))
    site.daemons["serve"].process.send_signal(signal.SIGKILL)
    site.daemons.pop("serve").kill()
    claim("its daemons are gone", until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in pids)), True)
    site.unmount()
    for door in list(holders.by_door):
        holders.drop(door)
    until(lambda: holders.counted() == holders.expected())
    claim("nothing is counted", holders.counted(), holders.expected())


def main():
    need_root()
    need_fuse()
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    random.seed(seed)
    with Site() as site:
        site.user("alice", plain=True)
        site.import_mail("alice", MAIL)
        site.serve("imap", "pop3", "lmtp")
        site.mount()
        again = {"fs": site.mount, **{name: lambda name=name: site.serve(name) for name in (*DOORS, "lmtp", "auth")}}
        for name, serve in again.items():
            chapter(f"{name}, {KILLS} times")
            for _ in range(KILLS):
                a_kill(site, name, serve)
        exactly_the_limit(site)
        of_serve(site)
        site.serve("imap", "pop3")
        exactly_the_limit(site)


if __name__ == "__main__":
    run_main(main)
