#!/usr/bin/env python3
"""QRESYNC of a client that was away longer than history is kept (RFC 7162 3.2.5.2, 3.2.6): everything that
is not there has vanished, but for what the client's sample shows it to know."""
import glob
import os
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim

MAIL = "Subject: one of ten\r\n\r\nHello.\r\n"


def logged_in(site):
    wire = site.wire("imap")
    wire.read_line()
    wire.imap(f"l LOGIN alice {PASSWORD}")
    return wire


def fill(wire):
    """Ten messages of which 2, 5 and 10 went; the folder's UIDVALIDITY and the modseq before they did."""
    for _ in range(10):
        wire.imap(f"a APPEND INBOX {{{len(MAIL)}+}}\r\n{MAIL}")
    codes = dict(line.split("[")[1].split("]")[0].split(" ", 1) for line in wire.imap("s SELECT INBOX")
                 if line.startswith(("* OK [UIDVALIDITY", "* OK [HIGHESTMODSEQ")))
    wire.imap("f UID STORE 2,5,10 +FLAGS.SILENT (\\Deleted)")
    wire.imap("e EXPUNGE")
    return codes["UIDVALIDITY"], codes["HIGHESTMODSEQ"]


def prune(site):
    """What the sweep does to tombstones after 90 days."""
    path, = glob.glob(os.path.join(site.store, "mail", "*", "*", "mail.db"))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE counter SET floormodseq = (SELECT max(modseq) FROM expunged) WHERE folder IN "
                   "(SELECT folder FROM expunged)")
        db.execute("DELETE FROM expunged")
    db.close()


def vanished(lines):
    return [line.rsplit(" ", 1)[1] for line in lines if line.startswith("* VANISHED (EARLIER) ")]


def main():
    with Site() as site:
        site.user("alice")
        site.serve("imap")
        with logged_in(site) as wire:
            validity, modseq = fill(wire)
        site.stop("imap")
        prune(site)
        site.serve("imap")
        with logged_in(site) as wire:
            wire.imap("q ENABLE QRESYNC")

            def select(arguments):
                return vanished(wire.imap(f"s SELECT INBOX (QRESYNC ({validity} {modseq}{arguments}))"))

            chapter("SELECT")
            claim("all that is not there", select(""), ["2,5,10"])
            claim("of the UIDs that the client knows", select(" 1:9"), ["2,5"])
            claim("not what its sample shows it to know", select(" 1:10 (1:2 1,3)"), ["5,10"])
            claim("nor where all of it agrees", select(" 1:9 (1,7 1,9)"), [])
            claim("a sample that does not agree helps nobody", select(" 1:10 (2 2)"), ["2,5,10"])
            chapter("UID FETCH")
            claim("the same", vanished(wire.imap(f"u UID FETCH 1:* (FLAGS) (CHANGEDSINCE {modseq} VANISHED)")),
                  ["2,5,10"])


if __name__ == "__main__":
    run_main(main)
