#!/usr/bin/env python3
"""Passwords that were changed: a daemon that remembers the old one takes it no longer from the next login on, though
the change was made by another process; and what verifiers of another server's let in."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim_that
from hostile.common import DOORS, attacked, greeted, try_login

SHA512 = ("{SHA512-CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35in"
          "z1", "Hello world!")


def gets_in(site, door, user, password):
    with greeted(site, door) as wire:
        return try_login(wire, door, user, password).startswith((b"a OK", b"+OK"))


def judged(site, user, right, wrong):
    for door in DOORS:
        for _ in range(2):  # the second time from what is remembered
            claim_that(f"{door}: {user} gets in with {right!r}", gets_in(site, door, user, right))
        for password in wrong:
            claim_that(f"{door}: and not with {password!r}", not gets_in(site, door, user, password))


def change(site, user, option, said):
    site.postern("user", "passwd", user, option, stdin=said + "\n")


def guesses_are_slow(site):
    """A wrong password against a plain verifier takes the time of a hash, like that of a user who isn't there."""
    def seconds(user, password):
        with greeted(site, "imap") as wire:
            began = time.monotonic()
            try_login(wire, "imap", user, password)
            return time.monotonic() - began

    right = min(seconds("alice", "plain") for _ in range(5))
    wrong = min(seconds("alice", "nonsense") for _ in range(5))
    nobody = min(seconds("nobody", "nonsense") for _ in range(5))
    claim_that(f"right {right * 1e3:.1f} ms, wrong {wrong * 1e3:.1f} ms, nobody {nobody * 1e3:.1f} ms",
               right < wrong / 2 and nobody / 3 < wrong < nobody * 3)


def main():
    with attacked() as site:
        site.serve(*DOORS)
        chapter("a password is changed while daemons remember it")
        judged(site, "alice", PASSWORD, [])
        change(site, "alice", "--password-stdin", "another")
        judged(site, "alice", "another", [PASSWORD, "anothe", "another1"])
        chapter("verifiers of another server")
        change(site, "alice", "--verifier-stdin", SHA512[0])
        judged(site, "alice", SHA512[1], ["another", "{SHA512-CRYPT}"])
        change(site, "alice", "--verifier-stdin", "{PLAIN}plain")
        judged(site, "alice", "plain", [SHA512[1], "{PLAIN}plain", "plai", "plainer"])
        chapter("a guess against a plain verifier")
        guesses_are_slow(site)
        change(site, "alice", "--password-stdin", "postern")
        judged(site, "alice", "postern", ["plain"])


if __name__ == "__main__":
    run_main(main)
