#!/usr/bin/env python3
"""Unknown users and wrong passwords: one and the same answer for both, at both doors, and the connection may try
again until it has tried too often."""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that
from harness.wire import Closed
from hostile.common import DOORS, attacked, greeted, is_well, try_login

STRANGERS = {
    "a wrong password": ("alice", "wrong"),
    "an unknown user": ("mallory", PASSWORD),
    "a password that begins right": ("alice", PASSWORD + "x"),
    "a password cut short": ("alice", PASSWORD[:-1]),
    "another's name in front": ("bob alice", PASSWORD),
    "a path for a name": ("../bob", PASSWORD),
    "a pattern for a name": ("al%", PASSWORD),
    "a quote in the name": ("al'ice", PASSWORD),
    "8-bit in the name": ("al\u00efce", PASSWORD),
    "a name of 400 letters": ("a" * 400, PASSWORD),
}


def refused_alike(site, door):
    chapter(f"{door}: strangers")
    answers = {}
    for name, (user, password) in STRANGERS.items():
        with greeted(site, door) as wire:
            answers[name] = try_login(wire, door, user, password)
            claim_that(f"{name}: {answers[name]!r}", answers[name].startswith((b"a NO", b"a BAD", b"-ERR")), answers[name])
    claim("a stranger can't tell a wrong password from an unknown user",
          answers["an unknown user"], answers["a wrong password"])
    code = {"imap": b"a NO [AUTHENTICATIONFAILED]", "pop3": b"-ERR [AUTH]"}[door]
    claim_that("and both carry the code for it", answers["a wrong password"].startswith(code), answers)


def sasl(site, door):
    chapter(f"{door}: AUTHENTICATE PLAIN that is none")
    start, cancel = {"imap": ("a AUTHENTICATE PLAIN", b"a BAD"), "pop3": ("AUTH PLAIN", b"-ERR")}[door]
    refusals = (b"a NO", b"a BAD", b"-ERR")
    for response in ("!!!!", "", "AAAA", base64.b64encode(b"\0alice").decode(),
                     base64.b64encode(b"bob\0alice\0" + PASSWORD.encode()).decode(),
                     base64.b64encode(b"\0" * 500).decode()):
        with greeted(site, door) as wire:
            claim_that("it is asked for", wire.ask(start).startswith("+"))
            wire.send_line(response)
            answer = wire.read_line()
            claim_that(f"`{response[:20]}`: {answer!r}", answer.startswith(refusals), answer)
    with greeted(site, door) as wire:
        wire.ask(start)
        wire.send_line("*")
        answer = wire.read_line()
        claim_that("cancelled", answer.startswith(cancel), answer)
        claim_that("and the next try gets in", try_login(wire, door, "alice").startswith((b"a OK", b"+OK")))


def too_often(site, door):
    chapter(f"{door}: too often")
    with greeted(site, door) as wire:
        tries = 0
        try:
            while tries < 50:
                answer = try_login(wire, door, "alice", f"Kolibri{tries}")
                tries += 1
                if answer.startswith(b"* BYE"):
                    break
            wire.read_line(1)
        except Closed:
            pass
        claim_that(f"hung up after {tries} guesses", 2 <= tries <= 10, tries)


def main():
    with attacked() as site:
        site.serve(*DOORS)
        for door in DOORS:
            refused_alike(site, door)
            sasl(site, door)
            too_often(site, door)
        claim("strangers hold no session", site.sessions(), [])
        claim_that("no password that was tried is in a log", not any("Kolibri" in d.log() for d in site.daemons.values()))
        is_well(site)


if __name__ == "__main__":
    run_main(main)
