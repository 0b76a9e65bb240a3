#!/usr/bin/env python3
"""What a user at his limit costs another: logins and NOOPs of a neighbour, in turn with nobody about, with tries at the cap
from several connections at once, and while the round that asks silent peers is under way for a machine that was unplugged.

    test_fair.py [--tries N]      N logins of the neighbour in each state (40)

Ratios are printed.  What is claimed holds however slow the machine is: nobody else is refused, none waits for the round, and
the median is not ten times what it is else, as it would be if the neighbour stood in the line of the one who tries.
"""
import argparse
import multiprocessing
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from hostile.common import attacked, try_login
from harness.programs import run_main
from harness.story import chapter, claim, claim_that, step, until
from harness.wire import WireError
from limits.test_reaped import IDLE_S, LIMIT, Scene

HAMMERS, TURNS, WORST = 2, 8, 10
GRANTED = (b"a OK", b"+OK")


def connect(scene):
    with scene.lan.inside("phone"):
        wire = scene.site.wire("imap", host=scene.lan.addresses["server"])
    wire.read_line()
    return wire


def hammer(scene, begun, answered):
    """Tries of alice, one after the other, until it is killed."""
    while True:
        try:
            wire = connect(scene)
            with begun.get_lock():
                begun.value += 1
            answer = try_login(wire, "imap", "alice")
            with answered.get_lock():
                answered.value += 1
            wire.close()
            if answer.startswith(GRANTED):
                time.sleep(0.01)
        except WireError:
            pass


class Hammers:
    """Processes of their own, whose work is not ours.  How many tries were `begun`, and how many `answered`."""

    def __init__(self, scene, n):
        forked = multiprocessing.get_context("fork")
        self.begun, self.answered = forked.Value("i", 0), forked.Value("i", 0)
        self.processes = [forked.Process(target=hammer, args=(scene, self.begun, self.answered)) for _ in range(n)]

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.join()


class Neighbour:
    """Times of bob's logins and NOOPs, in ms."""

    def __init__(self, scene):
        self.scene, self.logins, self.noops, self.refused = scene, [], [], 0

    def once(self):
        begun = time.monotonic()
        wire = connect(self.scene)
        answer = try_login(wire, "imap", "bob")
        self.logins.append((time.monotonic() - begun) * 1000)
        self.refused += not answer.startswith(GRANTED)
        begun = time.monotonic()
        wire.imap("n NOOP")
        self.noops.append((time.monotonic() - begun) * 1000)
        wire.close()

    def medians(self):
        return statistics.median(self.logins), statistics.median(self.noops)


def told(text, neighbour, quiet):
    (login, noop), (login_quiet, noop_quiet) = neighbour.medians(), quiet.medians()
    step(f"{text}: login {login:.2f} ms, {login / login_quiet:.2f} times {login_quiet:.2f}; "
         f"NOOP {noop:.2f} ms, {noop / noop_quiet:.2f} times {noop_quiet:.2f}")
    print(f"figure: a neighbour's login, {text} | {login / login_quiet:.2f} times | {WORST}")
    return max(login / login_quiet, noop / noop_quiet)


def at_the_cap(scene, tries):
    """In turns, so that what else the machine does is in both."""
    chapter("tries at the cap")
    held = [scene.login("phone", "imap") for _ in range(LIMIT)]
    quiet, busy, answered = Neighbour(scene), Neighbour(scene), 0
    for _ in range(TURNS):
        for _ in range(tries // TURNS):
            quiet.once()
        with Hammers(scene, HAMMERS) as hammers:
            claim_that("tries are refused meanwhile", until(lambda: hammers.answered.value >= HAMMERS), hammers.answered.value)
            for _ in range(tries // TURNS):
                busy.once()
            answered += hammers.answered.value
    step(f"{answered} tries of alice were refused")
    worst = told(f"{HAMMERS} connections of another trying at the cap", busy, quiet)
    claim("nobody else was refused", (quiet.refused, busy.refused), (0, 0))
    claim_that(f"nobody else takes {WORST} times as long", worst < WORST, worst)
    for wire in held:
        wire.close()


def a_round(scene, quiet, neighbour):
    """From the cut on a try is held until it is known that nobody answers; how often bob came and went meanwhile."""
    wires = [scene.login("laptop", "imap") for _ in range(LIMIT)]
    idle_from = time.monotonic()
    while time.monotonic() - idle_from < IDLE_S + 0.2:
        quiet.once()
        time.sleep(0.02)
    scene.lan.unplug("laptop")
    with Hammers(scene, 1) as hammers:
        until(lambda: hammers.begun.value)
        in_round = 0
        while hammers.answered.value == 0:
            neighbour.once()
            time.sleep(0.02)
            in_round += hammers.answered.value == 0
    claim("all that were cut off are gone soon", until(lambda: scene.held() == 0), True)
    scene.lan.plug_in("laptop")
    for wire in wires:
        wire.close()
    return in_round


def in_the_round(scene):
    chapter("the round under way")
    quiet, neighbour = Neighbour(scene), Neighbour(scene)
    # Once, unless all stood still just then.
    came = until(lambda: a_round(scene, quiet, neighbour) > 2, 30)
    claim("bob came and went while alice's login was held", came, True)
    claim("and was never refused", neighbour.refused, 0)
    told("one of the other user held by the round", neighbour, quiet)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=40)
    options = parser.parse_args()
    with attacked(tls=True) as site:
        scene = Scene(site)
        at_the_cap(scene, options.tries)
        in_the_round(scene)


if __name__ == "__main__":
    run_main(main)
