#!/usr/bin/env python3
"""Literals over the limit: refused before they are read where that is possible, and never half-stored."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.story import chapter, claim, claim_that
from harness.wire import Closed
from hostile.common import attacked, greeted, is_well, login

LIMIT = 100000


def exists(site):
    with login(site, "imap") as wire:
        return [l for l in wire.imap("s EXAMINE INBOX") if l.endswith("EXISTS")]


def synchronising(site):
    chapter("synchronising: one byte too much is refused before it is sent")
    with login(site, "imap") as wire:
        answer = wire.ask(f"a APPEND INBOX {{{LIMIT + 1}}}")
        claim_that("NO [TOOBIG], and no continuation", answer.startswith("a NO [TOOBIG]"), answer)
        claim("the connection lives", wire.imap("b NOOP")[-1].startswith("b OK"), True)
        for size in ("4294967296", "99999999999999999999999", "-1", ""):
            answer = wire.ask(f"a APPEND INBOX {{{size}}}")
            claim_that(f"a literal of `{size}`: {answer!r}", answer.startswith(("a BAD", "a NO", "* BAD")), answer)


def without_asking(site):
    chapter("LITERAL+: the bytes come anyway; they are thrown away or the peer is")
    with login(site, "imap") as wire:
        try:
            wire.send(b"a APPEND INBOX {%d+}\r\n" % (LIMIT + 1) + b"x" * (LIMIT + 1) + b"\r\n")
        except Closed:
            pass
        answer = wire.read_line()
        claim_that("NO [TOOBIG] or BYE", answer.startswith((b"a NO [TOOBIG]", b"* BYE")), answer)
    with login(site, "imap") as wire:
        wire.send(b"a APPEND INBOX {4000000000+}\r\n")
        answer = wire.read_line()
        claim_that("four gigabytes are not waited for", answer.startswith((b"a NO [TOOBIG]", b"* BYE")), answer)


def before_login(site):
    chapter("before login")
    for line in (b"a LOGIN {2000000000}\r\n", b"a LOGIN {2000000000+}\r\n", b"a APPEND INBOX {10}\r\n"):
        with greeted(site, "imap") as wire:
            wire.send(line)
            answer = wire.read_line()
            claim_that(f"{line!r}: {answer!r}", answer.startswith((b"a BAD", b"a NO", b"* BYE", b"* BAD")), answer)


def cut_off(site):
    chapter("a literal that is cut off stores nothing")
    wire = login(site, "imap")
    answer = wire.ask("a APPEND INBOX {5000}")
    claim_that("it is asked for", answer.startswith("+ "), answer)
    wire.send(b"Subject: half\r\n\r\n" + b"x" * 1000)
    wire.reset()
    is_well(site)


def main():
    with attacked() as site:
        site.setting("store", "MessageSizeMax", LIMIT)
        site.serve("imap")
        before = exists(site)
        synchronising(site)
        without_asking(site)
        before_login(site)
        cut_off(site)
        claim("nothing was stored", exists(site), before)
        with login(site, "imap") as wire:
            wire.ask(f"a APPEND INBOX {{{LIMIT}}}")
            wire.send(b"x" * LIMIT + b"\r\n")
            claim_that("exactly the limit is taken", wire.read_response().startswith((b"a OK", b"* ")))
        claim("and there", exists(site), ["* 4 EXISTS"])
        is_well(site)


if __name__ == "__main__":
    run_main(main)
