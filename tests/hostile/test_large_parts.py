#!/usr/bin/env python3
"""A message larger than any slice: through CATENATE out of the store and into it, and decoded by BINARY."""
import base64
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.story import chapter, claim, claim_that
from hostile.common import attacked, login

PART = os.urandom(1500000)
HEAD = (b"Subject: large\r\nMIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n")
MESSAGE = HEAD + base64.encodebytes(PART).replace(b"\n", b"\r\n")


def fetch(wire, item):
    """The octets of the one literal of a FETCH, and what stood before it."""
    wire.send_line(f"f FETCH 2 {item}")
    line = wire.read_line(60)
    octets = wire.read_exactly(int(re.search(rb"\{(\d+)\}\r?\n?$", line)[1]), 60)
    while not wire.read_line(60).startswith(b"f OK"):
        pass
    return octets, line


def main():
    with attacked() as site:
        site.serve("imap")
        with login(site, "imap") as wire:
            chapter("it comes in, and again from the store")
            wire.imap("l CREATE Large")
            wire.send(b"a APPEND Large {%d+}\r\n" % len(MESSAGE) + MESSAGE + b"\r\n")
            answer = wire.read_line(60)
            claim_that("stored", answer.startswith(b"a OK [APPENDUID"), answer)
            answer = wire.ask('b APPEND Large CATENATE (URL "/Large/;UID=1/;SECTION=HEADER" '
                              'URL "/Large/;UID=1/;SECTION=TEXT")')
            claim_that("put together of its parts", answer.startswith("b OK [APPENDUID"), answer)
            wire.imap("c SELECT Large")
            claim("the same, octet for octet", fetch(wire, "BODY.PEEK[]")[0] == MESSAGE, True)
            chapter("decoded")
            octets, line = fetch(wire, "BINARY.PEEK[1]")
            claim("it is what was encoded", octets == PART, True)
            claim_that("in a binary literal", b" ~{" in line, line)
            octets, _ = fetch(wire, "BINARY.PEEK[1]<400000.700000>")
            claim("and so is a range of it", octets == PART[400000:1100000], True)
            answer = wire.imap("d FETCH 2 BINARY.SIZE[1]")[0]
            claim("its size", answer, f"* 2 FETCH (BINARY.SIZE[1] {len(PART)})")


if __name__ == "__main__":
    run_main(main)
