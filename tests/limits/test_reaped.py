#!/usr/bin/env python3
"""A laptop that lost its network sixteen times gets in the seventeenth: how long that takes over each door, and that
nobody who lives pays for it.  The machines are network namespaces on a switch that one of them is unplugged from.

    test_reaped.py [--rounds N] [--only KIND]      N cuts of each kind (2)
"""
import argparse
import os
import re
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.netns import Lan
from harness.programs import patience, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that, step, until
from hostile.common import MAIL, attacked, greeted, try_login

LIMIT = 16
IDLE_S = 2          # ProbeIdle here; 120 by default
PROBES_S = 3        # ProbeCount times ProbeInterval, as they are
REFUSED = (b"a NO [LIMIT] Server Unavailable. 15", b"-ERR [SYS/TEMP] Server Unavailable. 15")
KINDS = {           # the door, and what a session does before its machine is cut off
    "IMAP": ("imap", None),
    "IMAP, IDLE": ("imap", "idle"),
    "IMAP, TLS": ("imaps", None),
    "IMAP, IDLE with news on the way": ("imap", "news"),
    "POP3": ("pop3", None),
    "POP3, TLS": ("pop3s", None),
}


class Scene:
    def __init__(self, site):
        self.site = site
        self.lan = Lan("server", "laptop", "phone")
        for door in ("imap", "pop3"):
            site.configure(door, "listen", f"0.0.0.0:{site.ports[door]}")
            site.configure(door, "listen_tls", f"0.0.0.0:{site.ports[door + 's']}")
        site.configure("auth", "plaintext", "always")
        for name, value in (("ProbeIdle", IDLE_S), ("ProbeKept", 1)):
            site.setting("store", name, value)
        with self.lan.inside("server"):
            site.serve("imap", "pop3")

    def greeted(self, machine, door):
        with self.lan.inside(machine):
            return greeted(self.site, door, host=self.lan.addresses["server"])

    def attempt(self, machine, door, user="alice"):
        """A wire and what its login was answered."""
        wire = self.greeted(machine, door)
        return wire, try_login(wire, door.rstrip("s"), user)

    def login(self, machine, door, user="alice"):
        wire, answer = self.attempt(machine, door, user)
        claim_that(f"{user} gets in over {door} from the {machine}", answer.startswith((b"a OK", b"+OK")), answer)
        return wire

    def held(self, user="alice"):
        return len(self.site.sessions(user))

    def refusals(self):
        return sum(int(n) for n in re.findall(r'"count":\s*(\d+)', self.site.postern("events", "--json").stdout))


def engage(wire, what):
    if what:
        wire.imap("b SELECT INBOX")
        wire.send_line("c IDLE")
        wire.read_line()


def wait_idle():
    time.sleep(IDLE_S + 0.2)


def readmission(scene, kind):
    """Seconds from the cut until the next login is let in, and how often it had to be tried."""
    door, what = KINDS[kind]
    wires = [scene.login("laptop", door) for _ in range(LIMIT)]
    for wire in wires:
        engage(wire, what)
    wait_idle()
    scene.lan.unplug("laptop")
    cut_at, tries = time.monotonic(), 0
    if what == "news":
        scene.site.import_mail("alice", MAIL)
    while True:
        wire, answer = scene.attempt("phone", door)
        tries += 1
        if answer.startswith((b"a OK", b"+OK")):
            break
        claim_that("it is refused in the words of the store", answer.startswith(REFUSED), answer)
        wire.close()
        time.sleep(0.2)
    took = time.monotonic() - cut_at
    wire.close()
    claim("all that were cut off are gone soon", until(lambda: scene.held() == 0), True)
    scene.lan.plug_in("laptop")
    for wire in wires:
        wire.close()
    return took, tries


def measure(scene, rounds, only):
    for kind in KINDS:
        if only and kind != only:
            continue
        chapter(f"{kind}: {LIMIT} sessions of a laptop that is cut off")
        got = [readmission(scene, kind) for _ in range(rounds)]
        took = [seconds for seconds, _ in got]
        step(f"FIGURE {kind}: let in {statistics.median(took):.2f} s after the cut, worst {max(took):.2f} s; "
             f"logins tried, at most: {max(tries for _, tries in got)}")
        claim_that("the first login of those who waited long enough waits, and is let in",
                   max(tries for _, tries in got) <= (1 if KINDS[kind][1] != "news" else 10), got)
        claim_that("within seconds", max(took) < patience(PROBES_S + 7), took)


def reaped_is_told(scene):
    chapter("It is told")
    reaped = scene.site.daemons["imap"].log().count(" session-reaped ")
    claim_that("the log names each", reaped >= LIMIT, reaped)
    shown = scene.site.postern("sessions", "list").stdout
    claim_that("the list of sessions counts them", "peers were found dead" in shown, shown)


def living_stay(scene):
    chapter("Who lives is not cut: idle, in IDLE, slow, and in the middle of a command")
    living = [scene.login("phone", "imap") for _ in range(LIMIT - 2)]
    engage(living[0], "idle")
    slow = living[1]
    slow.imap("b SELECT INBOX")
    for _ in range(40):     # what it does not read fills its socket
        slow.send_line("c FETCH 1:* (BODY.PEEK[] ENVELOPE BODYSTRUCTURE)")
    half = living[2]
    half.send(b"c APPEND INBOX {100}\r\n")
    half.read_line()
    half.send(b"Subject: half")
    dead = [scene.login("laptop", "imap"), scene.login("laptop", "pop3")]
    wait_idle()
    scene.lan.unplug("laptop")
    with scene.login("phone", "pop3"):
        time.sleep(PROBES_S + 1)
        claim("all who live are still there, and the dead are not", until(lambda: scene.held() == LIMIT - 1), True)
    for wire in living[3:]:
        claim_that("who was idle goes on", wire.imap("d NOOP")[-1].startswith("d OK"))
    half.send(b"x" * (100 - len("Subject: half")) + b"\r\n")
    while not (line := half.read_response()).startswith(b"c "):
        pass
    claim_that("who was half-way through a message ends it", line.startswith(b"c OK"), line)
    living[0].send_line("DONE")
    while not (line := living[0].read_response()).startswith(b"c "):
        pass
    claim_that("who was in IDLE goes on", line.startswith(b"c OK"), line)
    slow.send_line("z NOOP")
    while not (line := slow.read_response()).startswith(b"z "):
        pass
    claim_that("who was slow to read gets all of it", line.startswith(b"z OK"), line)
    scene.lan.plug_in("laptop")
    for wire in living + dead:
        wire.close()
    until(lambda: scene.held() == 0)


def refused_soon(scene):
    chapter("Where all live, a refusal is not long in coming, and each is one event")
    living = [scene.login("phone", "imap") for _ in range(LIMIT)]
    wait_idle()
    before, slowest = scene.refusals(), 0
    for _ in range(5):
        began = time.monotonic()
        wire, answer = scene.attempt("laptop", "pop3")
        slowest = max(slowest, time.monotonic() - began)
        claim_that("the seventeenth is refused", answer.startswith(REFUSED), answer)
        wire.close()
    step(f"FIGURE refused, all alive and idle: {slowest * 1000:.0f} ms at most")
    claim_that("as soon as all have answered", slowest < patience(1), slowest)
    claim("five refusals are five in the event log", scene.refusals() - before, 5)
    claim("nobody was ended", scene.held(), LIMIT)
    for wire in living:
        wire.close()
    until(lambda: scene.held() == 0)


def others_are_not_slowed(scene):
    chapter("While one user's login waits, others come and go")
    wires = [scene.login("laptop", "imap") for _ in range(LIMIT)]
    wait_idle()
    scene.lan.unplug("laptop")
    first = scene.greeted("phone", "imap")
    first.send_line(f'a LOGIN "alice" "{PASSWORD}"')
    time.sleep(0.3)
    wire, answer = scene.attempt("phone", "imap")
    claim_that("a second login of the user who waits is refused at once", answer.startswith(REFUSED), answer)
    wire.close()
    worst, n = 0, 0
    end = time.monotonic() + PROBES_S - 1
    while time.monotonic() < end:
        began = time.monotonic()
        scene.login("phone", "imap", "bob").close()
        worst, n = max(worst, time.monotonic() - began), n + 1
    step(f"FIGURE another user, {n} logins meanwhile: {worst * 1000:.0f} ms at most")
    claim_that("bob gets in at once each time", worst < patience(1), worst)
    while (line := first.read_response()).startswith(b"* "):
        pass
    claim_that("the one that waited is let in", line.startswith(b"a OK"), line)
    first.close()
    scene.lan.plug_in("laptop")
    for wire in wires:
        wire.close()
    until(lambda: scene.held() == 0)


def nobody_is_asked_with_zero(scene):
    chapter("ProbeWait 0: nobody is asked, and the dead stay until keepalive finds them")
    scene.site.setting("store", "ProbeWait", 0)
    wires = [scene.login("laptop", "imap") for _ in range(LIMIT)]
    wait_idle()
    scene.lan.unplug("laptop")
    for _ in range(2):
        wire, answer = scene.attempt("phone", "imap")
        claim_that("refused at once", answer.startswith(REFUSED), answer)
        wire.close()
        time.sleep(PROBES_S)
    claim("none is gone", scene.held(), LIMIT)
    scene.site.setting("store", "ProbeWait", 10)
    scene.lan.plug_in("laptop")
    for wire in wires:
        claim_that("and who comes back in time goes on", wire.imap("d NOOP")[-1].startswith("d OK"))
        wire.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=2)
    options.add_argument("--only", choices=KINDS)
    options = options.parse_args()
    with attacked(tls=True) as site:
        scene = Scene(site)
        measure(scene, options.rounds, options.only)
        if options.only:
            return
        reaped_is_told(scene)
        living_stay(scene)
        refused_soon(scene)
        others_are_not_slowed(scene)
        nobody_is_asked_with_zero(scene)


if __name__ == "__main__":
    run_main(main)
