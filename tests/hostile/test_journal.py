#!/usr/bin/env python3
"""The log as fields of systemd's journal, by daemons that are confined; a journal that stands still, and one that comes back."""
import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that
from hostile.common import greeted, login, try_login

LIMIT = "Maximum Allowed Service Sessions Per User"
MANY = 3000  # more than a datagram socket holds


class Journal:
    """A journal's socket, which nobody reads until it is asked."""

    def __init__(self, path):
        self.path = path
        self.open()

    def open(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.settimeout(patience(20))

    def close(self):
        self.socket.close()
        os.unlink(self.path)

    def next(self):
        lines = self.socket.recv(65536).decode().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def until(self, event, **fields):
        """The first with that event and these fields."""
        while True:
            entry = self.next()
            if entry["POSTERN_EVENT"] == event and all(entry.get("POSTERN_" + k.upper()) == v for k, v in fields.items()):
                return entry

    def drain(self):
        self.socket.setblocking(False)
        n = 0
        try:
            while self.next():
                n += 1
        except BlockingIOError:
            self.socket.settimeout(patience(20))
            return n


def refusals_have_fields(site, journal):
    chapter("A refusal's fields")
    site.reg(LIMIT, 1)
    first = greeted(site, "imap")
    claim_that("the first gets in", b"OK" in try_login(first, "imap", "alice"))
    for door, program in (("imap", "postern-imapd"), ("pop3", "postern-pop3d")):
        with greeted(site, door) as wire:
            claim_that(f"the second is refused over {door}", b"Server Unavailable. 15" in try_login(wire, door, "alice"))
        entry = journal.until("login-refused", user="alice")
        claim("its program", entry["SYSLOG_IDENTIFIER"], program)
        claim("its priority", entry["PRIORITY"], "6")
        claim("the layer", entry["POSTERN_LAYER"], "store")
        claim("the limit", entry["POSTERN_LIMIT"], LIMIT)
        claim("its value, and what is held", (entry["POSTERN_VALUE"], entry["POSTERN_HELD"]), ("1", "1"))
        claim_that("what lifts it", "postern reg add -v" in entry["POSTERN_WHY"], entry)
        claim_that("the line as it was", entry["MESSAGE"].startswith("login-refused user=alice peer=127.0.0.1:"), entry)
    claim("and nothing on standard error once the journal is open",
          [line for line in site.daemons["imap"].log().splitlines() if "login" in line], [])
    first.close()
    site.reg(LIMIT, 16)


def nobody_waits_for_it(site, journal):
    chapter("A journal that stands still")
    with login(site, "imap") as wire:
        wire.send(b"".join(b"%d ID (\"name\" \"many\")\r\n" % n for n in range(MANY)))
        answers = 0
        while answers < MANY:
            answers += b" OK " in wire.read_line()
        claim("all are answered", answers, MANY)
        kept = journal.drain()
        claim_that("it took some", 0 < kept < MANY, kept)
        wire.send(b"last ID (\"name\" \"last\")\r\n")
        journal.until("client-id", name="last")
        lost = journal.until("log-lost")
        claim_that("and hears how many it did not", 0 < int(lost["POSTERN_LINES"]) <= MANY, lost)
        claim("as a warning", lost["PRIORITY"], "4")


def it_comes_back(site, journal):
    chapter("A journal that ends, and one in its place")
    with login(site, "imap") as wire:
        journal.close()
        wire.send(b"gone ID (\"name\" \"gone\")\r\n")
        while b"gone OK" not in wire.read_line():
            pass
        claim_that("meanwhile lines go to standard error", "name=gone" in site.daemons["imap"].log(), site.daemons["imap"].log())
        journal.open()
        # It is looked for once a second.
        entry = None
        for n in range(100):
            wire.send(b"%d ID (\"name\" \"back\")\r\n" % n)
            while b"%d OK" % n not in wire.read_line():
                pass
            journal.socket.settimeout(0.2)
            try:
                entry = journal.next()
                break
            except TimeoutError:
                continue
        claim("it is found again", entry and entry.get("POSTERN_NAME"), "back")


def main():
    with Site() as site:
        site.user("alice")
        site.configure("server", "journal", os.path.join(site.work, "journal"))
        journal = Journal(os.path.join(site.work, "journal"))
        site.serve("imap", "pop3")
        journal.until("listening")
        refusals_have_fields(site, journal)
        nobody_waits_for_it(site, journal)
        it_comes_back(site, journal)
        journal.close()


run_main(main)
