#!/usr/bin/env python3
"""telnet, typed by hand: a whole session of each protocol, read off the screen."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, site_with_mail
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim_that
from harness.telnet import telnet

SESSIONS = {
    "imap": (["a1 LOGIN alice " + PASSWORD, "a2 SELECT INBOX", "a3 FETCH 1 BODY[HEADER.FIELDS (SUBJECT)]", "a4 LOGOUT"],
             ["a1 OK", "* 2 EXISTS", "a2 OK [READ-WRITE]", "Subject: Minutes of Monday", "a3 OK", "* BYE", "a4 OK"]),
    "pop3": (["USER alice", "PASS " + PASSWORD, "STAT", "TOP 1 0", "QUIT"],
             ["+OK 2 ", "Subject: Minutes of Monday", "+OK"]),
}


def main():
    need("telnet")
    with site_with_mail(tuple(SESSIONS)) as site:
        for door, (typed, shown) in SESSIONS.items():
            chapter(f"telnet to {door}")
            lines = telnet(site.ports[door], typed).splitlines()
            for beginning in shown:
                claim_that(f"the screen shows `{beginning}`", any(line.startswith(beginning) for line in lines), lines)


if __name__ == "__main__":
    run_main(main)
