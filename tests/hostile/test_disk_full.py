#!/usr/bin/env python3
"""A full disk: APPEND is refused with NO, nothing is half-stored, what is there can be read, and once there is
room again mail is taken again."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.story import chapter, claim, claim_that
from hostile.common import DOORS, attacked, greeted, is_well, login, try_login

STORE_BYTES = 12 << 20
BALLAST_BYTES = 3 << 20
MESSAGE = b"Subject: one of many\r\n\r\n" + (b"y" * 70 + b"\r\n") * 3000


def append(wire):
    """True if it was taken; a refusal must be a clear NO."""
    wire.send(b"a APPEND INBOX {%d+}\r\n" % len(MESSAGE) + MESSAGE + b"\r\n")
    while (answer := wire.read_response()).startswith(b"* "):
        claim_that("the connection is not given up", not answer.startswith(b"* BYE"), answer)
    if answer.startswith(b"a OK"):
        return True
    claim_that(f"a clear no: {answer!r}", answer.startswith(b"a NO "), answer)
    claim_that("that tells no secrets", b"/" not in answer and b"SQL" not in answer.upper(), answer)
    return False


def count(wire):
    return [l for l in wire.imap("c SELECT INBOX") if l.endswith(" EXISTS")]


def fill(site, wire):
    chapter("append until the disk is full")
    taken = 0
    while append(wire):
        taken += 1
        if taken * len(MESSAGE) > STORE_BYTES:
            raise AssertionError("more was taken than the disk holds")
    claim_that(f"{taken} were taken", taken > 0)
    claim("again, and no again", append(wire), False)
    return taken


def nothing_is_half_stored(site, wire, taken):
    chapter("what was answered OK is there, whole, and nothing else")
    claim("messages", count(wire), [f"* {3 + taken} EXISTS"])
    for line in wire.imap("f FETCH 4:* (RFC822.SIZE BODY.PEEK[])")[:-1]:
        if f"RFC822.SIZE {len(MESSAGE)} " not in line or MESSAGE.decode() not in line:
            raise AssertionError(f"not what was sent: {line[:200]}")
    chapter("who opens a mailbox now may need a little room for it: served, or told so")
    for door in DOORS:
        with greeted(site, door) as other:
            answer = try_login(other, door, "bob")
            claim_that(f"{door}: {answer!r}", answer.startswith((b"a OK", b"+OK", b"a NO [UNAVAILABLE]", b"-ERR [SYS/TEMP]")),
                       answer)


def main():
    with attacked(tmpfs_bytes=STORE_BYTES) as site:
        ballast = os.path.join(site.store, "ballast")
        with open(ballast, "wb") as f:
            f.write(b"\0" * BALLAST_BYTES)
        site.serve(*DOORS)
        with login(site, "imap") as wire:
            taken = fill(site, wire)
            nothing_is_half_stored(site, wire, taken)
            chapter("there is room again")
            os.unlink(ballast)
            claim("the same connection appends", append(wire), True)
            claim("and it is there", count(wire), [f"* {4 + taken} EXISTS"])
        is_well(site)


if __name__ == "__main__":
    run_main(main)
