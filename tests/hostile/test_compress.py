#!/usr/bin/env python3
"""COMPRESS=DEFLATE from a peer that cuts its stream anywhere, over TLS and without; that sends what is none; that sends
a mountain in a thimble; and that rests, so that the server lets go of what it holds and begins anew."""
import os
import random
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.story import chapter, claim_that, step
from harness.wire import Closed
from hostile.common import attacked, is_well, login

RESTS_S = 2
CUTS = 60
BOMB_OCTETS = 300 << 20


def compressed(site, tls=False):
    wire = login(site, "imaps" if tls else "imap")
    claim_that("COMPRESS is taken", wire.imap("z COMPRESS DEFLATE")[-1].startswith("z OK"))
    wire.start_deflate()
    return wire


def resident_kb(site):
    with open(f"/proc/{site.daemons['imap'].pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def commands(n):
    return b"".join(b"t%d UID FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])\r\n" % i for i in range(n))


def answers(wire, n):
    tagged = []
    while len(tagged) < n:
        line = wire.read_response()
        if not line.startswith(b"* "):
            tagged.append(line)
    return tagged


def cut(site, tls, how):
    """The same commands, the compressed octets of which come in pieces of any size."""
    with compressed(site, tls) as wire:
        wire.imap("s SELECT INBOX")
        packed = wire.socket.pack(commands(CUTS))
        at = 0
        while at < len(packed):
            n = how()
            wire.socket.below.sendall(packed[at:at + n])
            at += n
        wanted = [b"t%d OK Done" % i for i in range(CUTS)]
        got = answers(wire, CUTS)
        claim_that(f"{CUTS} answers in their order", [line.split()[:2] for line in got] ==
                   [line.split()[:2] for line in wanted], got)


def bomb(site):
    """300 MB that are 300 KB on the wire: a line without end."""
    before = resident_kb(site)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    with compressed(site) as wire:
        began = time.monotonic()
        try:
            for _ in range(BOMB_OCTETS >> 20):
                wire.socket.below.sendall(packer.compress(b"A" * (1 << 20)))
            wire.socket.below.sendall(packer.compress(b"\r\n") + packer.flush(zlib.Z_SYNC_FLUSH))
            is_well(site)
            answer = wire.read_response(patience(60))
            claim_that(f"after {time.monotonic() - began:.1f} s: {answer!r}", b" BAD " in answer)
        except Closed:
            step("it was cut off")
        grew = resident_kb(site) - before
        claim_that(f"the daemon grew by {grew} KB", grew < 20000, grew)


def nonsense(site):
    for octets in (b"\xff" * 100, b"\x07", bytes(random.Random(1).randrange(256) for _ in range(5000))):
        with compressed(site) as wire:
            wire.socket.below.sendall(octets)
            wire.socket.below.shutdown(1)
            try:
                wire.read_until_closed(patience(10))
            except zlib.error as e:
                raise AssertionError(f"the server's own stream is broken: {e}")
    is_well(site)


def last_block(site):
    """A stream that ends is a peer that closes: what it said before is done."""
    with compressed(site) as wire:
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        wire.socket.below.sendall(packer.compress(b"a NOOP\r\n") + packer.flush(zlib.Z_FINISH))
        claim_that("the last command is answered", wire.read_response().startswith(b"a OK"))
        claim_that("then it is over", wire.read_until_closed(patience(10)) == b"")


def rests(site):
    """The peer goes on to refer to what it sent before the server let go of its window."""
    with compressed(site) as wire:
        wire.imap("s SELECT INBOX")
        first = wire.imap("a UID FETCH 1 BODY.PEEK[]")
        for i in range(3):
            time.sleep(RESTS_S + 1)
            again = wire.imap("a UID FETCH 1 BODY.PEEK[]")
            claim_that(f"rest {i}: the same answer", again == first, again)


def main():
    with attacked(tls=True) as site:
        site.serve("imap")
        for tls in (False, True):
            chapter("cut anywhere" + (", over TLS" if tls else ""))
            cut(site, tls, lambda: 1)
            cut(site, tls, lambda: random.Random(7).randrange(1, 9))
            for seed in range(4):
                dice = random.Random(seed)
                cut(site, tls, lambda: dice.randrange(1, 400))
        chapter("what is no DEFLATE")
        nonsense(site)
        last_block(site)
        chapter("a mountain in a thimble")
        bomb(site)
        is_well(site)
        chapter("rest")
        rests(site)


if __name__ == "__main__":
    run_main(main)
