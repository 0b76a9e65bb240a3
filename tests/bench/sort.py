#!/usr/bin/env python3
"""SORT and THREAD of 10,000 messages, the first time and again: milliseconds that the client waits, and that the
daemon computes.  POSTERN_MESSAGES: so many.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site

MESSAGES = int(os.environ.get("POSTERN_MESSAGES") or 10000)
COMMANDS = ("SORT (ARRIVAL)", "SORT (SUBJECT)", "SORT (SUBJECT)", "SORT (REVERSE DATE FROM)", "THREAD REFERENCES",
            "THREAD REFERENCES", "THREAD REFS", "THREAD ORDEREDSUBJECT")


def mail(n, random_):
    """Four of five answer one of the last 200, and refer to up to nine before it."""
    refs = ""
    if n and random_.random() < 0.8:
        parent = random_.randrange(max(0, n - 200), n)
        refs = "References: " + "\n ".join(f"<{k}@example.org>" for k in range(max(0, parent - 8), parent + 1)) + "\n"
    return (f"From a@example.org Mon Mar  3 10:01:00 2025\nFrom: \"User {n % 500}\" <user{n % 500}@example.org>\n"
            f"To: alice@example.org\nSubject: {'Re: ' if refs else ''}topic {random_.randrange(MESSAGES // 4 + 1)}\n"
            f"Date: Mon, {n % 28 + 1} Mar 2025 10:{n % 60:02}:{n % 59:02} +0000\nMessage-ID: <{n}@example.org>\n"
            f"{refs}\n" + "Some words of a message.\n" * 40 + "\n")


def cpu_ms(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def main():
    random_ = random.Random(5256)
    seen = set()
    with Site() as site:
        site.user("alice")
        path = os.path.join(site.work, "sort.mbox")
        with open(path, "w") as mbox:
            mbox.writelines(mail(n, random_) for n in range(MESSAGES))
        site.import_mail("alice", path, folder="INBOX")
        site.serve("imap")
        with site.wire("imap", seconds=120) as wire:
            wire.read_line()
            wire.imap(f"a LOGIN alice {PASSWORD}")
            wire.imap("b SELECT INBOX")
            for command in COMMANDS:
                before, began = cpu_ms(site.daemons["imap"].pid), time.monotonic()
                lines = wire.imap(f"c {command} UTF-8 ALL")
                waited = (time.monotonic() - began) * 1000
                if not lines[-1].startswith("c OK"):
                    raise AssertionError(lines[-1])
                again = "again" if command in seen else "first"
                seen.add(command)
                print(f"figure: {command} of {MESSAGES} messages, {again} | {waited:.0f} ms, "
                      f"{cpu_ms(site.daemons['imap'].pid) - before:.0f} ms of CPU | 1000 ms")


if __name__ == "__main__":
    run_main(main)
