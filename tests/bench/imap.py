#!/usr/bin/env python3
"""What IMAP4 costs over one connection: listings, bodies, flags, search, and the wake of IDLE.

Daemon and client share one CPU; medians of five.  Appends are imap_append.c's.
"""
import os
import re
import statistics
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from harness.site import Site  # noqa: E402

ROUNDS = 5
MESSAGES = 10000
MAIL = b"From: Ann <ann@example.org>\r\nTo: bob@example.org\r\nSubject: bench\r\n\r\n" + (b"x" * 78 + b"\r\n") * 50
MAIL = MAIL[:4094] + b"\r\n"


def talk(wire, command, tag=b"t"):
    """Seconds until the tagged answer, and the octets that came."""
    begun = time.perf_counter()
    wire.socket.sendall(tag + b" " + command + b"\r\n")
    octets, tail = 0, b"\r\n"
    while not re.search(rb"\r\n" + tag + rb" OK [^\r\n]*\r\n$", tail):
        came = wire.socket.recv(1 << 20)
        if not came:
            raise SystemExit("the server closed the connection")
        octets += len(came)
        tail = (tail + came)[-300:]
    return time.perf_counter() - begun, octets


def connect(site, user):
    wire = site.wire("imap")
    wire.socket.recv(4096)
    talk(wire, b"LOGIN %s postern" % user)
    return wire


def median(measure):
    return statistics.median(measure() for _ in range(ROUNDS))


def mailbox(folder):
    path = os.path.join(folder, "many.mbox")
    with open(path, "wb") as f:
        for i in range(MESSAGES):
            f.write(b"From a@b Mon Mar  3 10:01:00 2025\n" + MAIL.replace(b"bench", b"bench %d" % i, 1)
                    .replace(b"\r\n", b"\n") + b"\n")
    return path


def idle_wake(site):
    idler, other = connect(site, b"bob"), connect(site, b"bob")
    for wire in (idler, other):
        talk(wire, b"SELECT INBOX")
    idler.socket.sendall(b"i IDLE\r\n")
    idler.socket.recv(4096)
    waits = []
    for i in range(100):
        begun = time.perf_counter()
        other.socket.sendall(b"s STORE 7 %sFLAGS.SILENT (\\Flagged)\r\n" % (b"-" if i % 2 else b"+"))
        idler.socket.recv(4096)
        waits.append(time.perf_counter() - begun)
        other.socket.recv(4096)
    return statistics.median(waits)


def main():
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with Site() as site, tempfile.TemporaryDirectory() as work:
        site.user("bob")
        site.import_mail("bob", mailbox(work))
        site.serve("imap")
        wire = connect(site, b"bob")
        talk(wire, b"SELECT INBOX")
        for what, command in (
                ("fetch flags", b"FETCH 1:* (FLAGS)"),
                ("fetch headers", b"FETCH 1:* (BODY.PEEK[HEADER])"),
                ("fetch list", b"FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)"),
                ("fetch bodies", b"FETCH 1:* (BODY.PEEK[])"),
                ("search subject", b"UID SEARCH SUBJECT 999"),
                ("store all", b"STORE 1:* +FLAGS.SILENT (\\Answered)")):
            us = median(lambda: talk(wire, command)[0]) * 1e6 / MESSAGES
            print(f"figure: {what}, us a message of {MESSAGES} | {us:.2f} |")
        print(f"figure: idle, store to told, ms | {idle_wake(site) * 1e3:.2f} |")


if __name__ == "__main__":
    main()
