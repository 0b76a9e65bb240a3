#!/usr/bin/env python3
"""Somebody removes the runtime folder, or a part of it, while the daemons run and a user's sessions come and go: nobody
gets more than his limit, whoever has a session keeps it, others are told, and after a restart all is as it was."""
import os
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, step, until
from harness.wire import WireError
from hostile.common import login, try_login

DOORS = ("imap", "pop3")
LIMIT, BEFORE, THREADS, EACH = 16, 10, 4, 4


class Storm:
    """Opens and closes of alice, over both doors; `most` is the most sessions she was ever seen to have."""

    def __init__(self, site, held):
        self.site, self.lock, self.ends = site, threading.Lock(), threading.Event()
        self.held = self.most = held
        self.granted, self.said, self.wrong = 0, {}, []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(THREADS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        for thread in self.threads:
            thread.join()

    def change(self, n):
        with self.lock:
            self.held += n
            self.granted += n > 0
            self.most = max(self.most, self.held)

    def run(self, nth):
        own = []
        try:
            while not self.ends.is_set():
                door = DOORS[nth % 2]
                wire = self.site.wire(door)
                wire.read_line()
                answer = try_login(wire, door, "alice")
                if answer.startswith((b"a OK", b"+OK")):
                    own.append(wire)
                    self.change(1)
                else:
                    self.said[door] = answer
                    wire.close()
                if len(own) == EACH or (own and len(own) % 2):
                    self.change(-1)    # before it is closed: what is seen is never more than there is
                    own.pop(0).close()
        except WireError as error:
            self.wrong.append(repr(error))
        finally:
            for wire in own:
                self.change(-1)
                wire.close()


def answers(wire):
    return wire.imap("n NOOP")[-1].startswith("n OK")


def refused(site):
    """What each door says to a login of alice; "" where it let her in."""
    said = {}
    for door in DOORS:
        with site.wire(door) as wire:
            wire.read_line()
            answer = try_login(wire, door, "alice")
            said[door] = "" if answer.startswith((b"a OK", b"+OK")) else answer.decode()
    return said


def told_to_come_again(said):
    return "[UNAVAILABLE]" in said["imap"] and "[SYS/TEMP]" in said["pop3"]


def exactly_the_limit(site):
    held = []
    while len(held) <= LIMIT:
        door = DOORS[len(held) % 2]
        wire = site.wire(door)
        wire.read_line()
        if not try_login(wire, door, "alice").startswith((b"a OK", b"+OK")):
            wire.close()
            break
        held.append(wire)
    for wire in held:
        wire.close()
    claim("after a restart her limit is what it was", len(held), LIMIT)


def restart(site):
    for door in (*DOORS, "auth"):
        site.stop(door)
    site.serve(*DOORS)


def vanish(site, what, remove):
    chapter(what)
    before = [login(site, "imap") for _ in range(BEFORE)]
    with Storm(site, BEFORE) as storm:
        until(lambda: storm.granted > 20 or storm.wrong)
        remove(os.path.join(site.runtime, "run"))
        until(lambda: told_to_come_again(refused(site)))
        granted = storm.granted
        time.sleep(0.3)
        step(f"granted {granted} before and {storm.granted - granted} after; said: {storm.said}")
    claim("nothing else went wrong", storm.wrong, [])
    claim_that(f"she never had more than {LIMIT}", storm.most <= LIMIT, storm.most)
    said = refused(site)
    claim_that("every door says that it can't count, and to come again", told_to_come_again(said), said)
    claim("who had a session keeps it", [answers(wire) for wire in before], [True] * BEFORE)
    for wire in before:
        wire.close()


def remove_all(run):
    until(lambda: subprocess.run(["rm", "-rf", run], capture_output=True).returncode == 0 and not os.path.exists(run))


def remove_users(run):
    """What is counted of users, and nothing else, as somebody does who wants to begin anew."""
    for name in os.listdir(os.path.join(run, "user")):
        os.unlink(os.path.join(run, "user", name))


def main():
    with Site() as site:
        site.user("alice", plain=True)
        site.serve(*DOORS)
        vanish(site, "the users' files are removed", remove_users)
        logs = "".join(site.daemons[door].log() for door in DOORS)
        claim_that("the log says which file, and what to do", "stop them all, then start them again" in logs and
                   os.path.join(site.runtime, "run", "user") in logs, logs[-2000:])
        restart(site)
        exactly_the_limit(site)
        vanish(site, "the whole folder is removed", remove_all)
        said = site.postern("sessions", "list", ok=False).stderr
        claim_that("`postern` says what to do", "stop them all, then start again" in said, said)
        restart(site)
        exactly_the_limit(site)


if __name__ == "__main__":
    run_main(main)
