#!/usr/bin/env python3
"""A client that sends a byte a second, and one that stops reading: each is cut off by its setting, and nobody
else waits for them meanwhile."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.story import chapter, claim_that, step, until
from harness.wire import Closed
from hostile.common import DOORS, attacked, greeted, is_well, login

PREAUTH_SECONDS = 5  # the least the setting allows
SEND_SECONDS = 1
CROWD = 20


def byte_by_byte(site, door):
    """Returns how long the server bore it."""
    wire = greeted(site, door)
    began = time.monotonic()
    try:
        for byte in b"a NOOP that goes on, and on, and on, and on, and on":
            wire.send(bytes([byte]))
            wire.fill(1)
            if time.monotonic() - began > patience(30):
                break
    except Closed:
        said = wire.take(len(wire.buffer))
        # RFC 1939 3 wants POP3 to close without a word.
        claim_that(f"{door} says: {said!r}", said.startswith(b"* BYE") if door == "imap" else said == b"", said)
        return time.monotonic() - began
    raise AssertionError(f"{door} still listens to a byte a second after {time.monotonic() - began:.0f} s")


def slow_writer(site):
    chapter("a byte a second, before login")
    for door in DOORS:
        crowd = [greeted(site, door) for _ in range(CROWD)]
        bore = byte_by_byte(site, door)
        claim_that(f"{door} bore it for {bore:.1f} s", PREAUTH_SECONDS - 1 <= bore <= patience(PREAUTH_SECONDS + 10), bore)
        for wire in crowd:
            # They said nothing at all, and are cut off as well.
            wire.read_until_closed(patience(10))
            wire.close()
        is_well(site)


def stops_reading(site, door, request):
    wire = login(site, door, receive_buffer=4096)
    if door == "imap":
        wire.imap("s SELECT INBOX")
    wire.send(request * 40)  # far more than sockets buffer on both sides
    step("others are served while it does not read")
    is_well(site)
    here = "%s:%d" % wire.socket.getsockname()
    claim_that("it is cut off, and its session given back",
               until(lambda: here not in [s["peer"] for s in site.sessions("alice")], SEND_SECONDS + 20))
    wire.close()


def slow_reader(site):
    for door, request in (("imap", b"f FETCH 1:* BODY.PEEK[]\r\n"), ("pop3", b"RETR 4\r\n")):
        chapter(f"{door}: a client that stops reading")
        stops_reading(site, door, request)
        is_well(site)


def main():
    with attacked() as site:
        site.setting("store", "PreAuthenticatedConnectionTimeout", PREAUTH_SECONDS)
        site.setting("store", "SendTimeout", SEND_SECONDS)
        big = os.path.join(site.work, "big.eml")
        with open(big, "w") as f:
            f.write("Subject: big\n\n" + ("x" * 70 + "\n") * 60000)
        site.import_mail("alice", big)
        site.serve(*DOORS)
        slow_writer(site)
        slow_reader(site)


if __name__ == "__main__":
    run_main(main)
