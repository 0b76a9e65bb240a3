#!/usr/bin/env python3
"""The doors ask authd: while it is killed again and again each login is answered, rightly or with "later", and none
hangs; while it is slow nobody else waits; and who half-closes or pipelines is answered as ever."""
import os
import random
import signal
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import Daemon
from harness.programs import patience, program, run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that, until
from harness.wire import Timeout, WireError

ASKERS, KILLS, WAITERS = 8, 6, 40
RIGHT = {"imap": b"a OK", "pop3": b"+OK"}
WRONG = {"imap": b"a NO [AUTHENTICATIONFAILED]", "pop3": b"-ERR [AUTH]"}
LATER = {"imap": b"a NO [UNAVAILABLE] Logins can't be checked now; please try again later",
         "pop3": b"-ERR [SYS/TEMP] logins can't be checked now; try again later"}


def ask(wire, door, password):
    if door == "imap":
        wire.send_line(f"a LOGIN alice {password}")
        return wire.read_response()
    wire.ask("USER alice")
    return wire.ask(f"PASS {password}").encode()


def log_in(site, door, password=PASSWORD):
    with site.wire(door) as wire:
        wire.read_line()
        return ask(wire, door, password)


class Storm:
    def __init__(self, site):
        self.site, self.ends, self.lock = site, False, threading.Lock()
        self.counts = {"right": 0, "wrong": 0, "later": 0}
        self.faults = []

    def judge(self, door, is_right, said):
        if said.startswith(LATER[door]):
            return "later"
        if said.startswith(RIGHT[door] if is_right else WRONG[door]):
            return "right" if is_right else "wrong"
        return None

    def run(self, n):
        door = ("imap", "pop3")[n % 2]
        while not self.ends:
            n += 1
            is_right = n % 3 != 0
            try:
                said = log_in(self.site, door, PASSWORD if is_right else "wrong")
            except Timeout as e:
                said = f"hangs: {e}".encode()
            except (WireError, OSError) as e:
                said = f"lost: {e}".encode()
            outcome = self.judge(door, is_right, said)
            with self.lock:
                if outcome:
                    self.counts[outcome] += 1
                else:
                    self.faults.append((door, is_right, said))


def killed_at_random(site):
    storm = Storm(site)
    threads = [threading.Thread(target=storm.run, args=(n,)) for n in range(ASKERS)]
    for thread in threads:
        thread.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.1, 0.5))
        site.kill("auth")
        time.sleep(random.uniform(0, 0.1))
        site.serve("auth")
    before = storm.counts["right"]
    claim_that("later logins work", until(lambda: storm.counts["right"] > before + 20, patience(20)))
    storm.ends = True
    for thread in threads:
        thread.join(patience(30))
    claim_that("all have ended", not any(thread.is_alive() for thread in threads))
    claim("nobody was answered wrongly, nor hung, nor was cut off", storm.faults, [])
    claim_that(f"all of it happened: {storm.counts}", all(storm.counts.values()))


def is_stopped(pid):
    states = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat") as f:
            states.append(f.read().rpartition(")")[2].split()[0])
    return set(states) == {"T"}


def stop(site):
    """Every thread of it: a signal takes its time where others want the CPU."""
    pid = site.daemons["auth"].pid
    os.kill(pid, signal.SIGSTOP)
    claim_that("authd stands still", until(lambda: is_stopped(pid), patience(20)))


def go_on(site):
    os.kill(site.daemons["auth"].pid, signal.SIGCONT)


def waiting(site):
    """Those who wait for an authd that was stopped, each in a way of its own."""
    wires = []
    for n in range(WAITERS):
        wire = site.wire("imap")
        wire.read_line()
        end = "b NOOP\r\nc LOGOUT\r\n" if n % 2 else ""
        wire.send(f"a LOGIN alice {PASSWORD}\r\n{end}".encode())
        if n % 4 == 0:
            wire.socket.shutdown(socket.SHUT_WR)
        wires.append(wire)
    return wires


def slow(site):
    with site.wire("imap") as other:
        other.read_line()
        claim_that("somebody is in", other.imap(f"a LOGIN bob {PASSWORD}")[-1].startswith("a OK"))
        stop(site)
        wires = waiting(site)
        slowest = 0
        for n in range(50):
            began = time.monotonic()
            other.imap(f"n{n} NOOP")
            slowest = max(slowest, time.monotonic() - began)
        claim_that("others' NOOP is fast meanwhile", slowest < patience(0.5), f"{slowest:.3f} s")
        claim("nobody is answered yet", [w for w in wires if w.pending()], [])
        go_on(site)
    for n, wire in enumerate(wires):
        claim(f"waiter {n} gets in", wire.read_line()[:4], b"a OK")
        if n % 2:
            claim("and what was pipelined is answered", wire.read_line()[:4], b"b OK")
        if n % 2 or n % 4 == 0:
            wire.read_until_closed()
        wire.close()


def too_slow(site):
    site.setting("login", "AnswerTimeout", 1)
    stop(site)
    for door in ("imap", "pop3"):
        claim(f"{door} says later", log_in(site, door)[:len(LATER[door])], LATER[door])
    go_on(site)
    site.setting("login", "AnswerTimeout", 30)
    for door in ("imap", "pop3"):
        claim_that(f"{door} lets in then", log_in(site, door).startswith(RIGHT[door]))


def none(site):
    site.stop("auth")
    for door in ("imap", "pop3"):
        claim(f"{door} says later", log_in(site, door)[:len(LATER[door])], LATER[door])


def two_at_once(site):
    """Either may end, since the other listens; but whoever asks is answered."""
    argv = [program("postern-authd"), "--store", site.store]
    both = [Daemon(argv, site.work, f"postern-authd-{n}", needs_ready=False) for n in range(2)]
    claim_that("one of them answers", until(lambda: log_in(site, "imap").startswith(RIGHT["imap"]), patience(20)))
    for daemon in both:
        daemon.kill()
    site.serve("auth")
    claim_that("and another after them", log_in(site, "pop3").startswith(RIGHT["pop3"]))


def remembered(site):
    """A right password is known again while authd says nothing: from this place, until anything of an account changes."""
    for door in ("imap", "pop3"):
        claim_that(f"{door} lets in", log_in(site, door).startswith(RIGHT[door]))
    stop(site)
    for door in ("imap", "pop3"):
        claim_that(f"{door} knows it again", log_in(site, door).startswith(RIGHT[door]))
    site.setting("login", "AnswerTimeout", 1)
    site.postern("user", "disable", "bob")
    for door in ("imap", "pop3"):
        claim(f"{door} has to ask after a change", log_in(site, door)[:len(LATER[door])], LATER[door])
    site.setting("login", "AnswerTimeout", 30)
    site.postern("user", "enable", "bob")
    go_on(site)


def main():
    with Site() as site:
        for user in ("alice", "bob"):
            site.user(user, plain=True)
        site.setting("login", "FailureDelay", 0)
        for name in ("Maximum Allowed Sessions Per User", "Maximum Allowed Service Sessions Per User"):
            site.reg(name, 1000)
        for door in ("imap", "pop"):
            site.setting(door, "MaxConnectionsPerUser", 1000)
            site.setting(door, "MaxConnectionFromSingleIP", 1000)
        site.postern("policy", "set", "default", "POPMaxConcurrency", "null")
        site.serve("auth", "imap", "pop3")
        chapter("what it said is remembered")
        remembered(site)
        site.setting("store", "VerifierCacheTime", 0)
        for title, story in (("authd is killed", killed_at_random), ("it is slow", slow), ("it is too slow", too_slow),
                             ("there is none", none), ("two begin at once", two_at_once)):
            chapter(title)
            story(site)


if __name__ == "__main__":
    run_main(main)
