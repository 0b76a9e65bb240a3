#!/usr/bin/env python3
"""postern deliver: what it stores, and the exit status that says what to do with the mail."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, program, run_main  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.story import chapter, claim, claim_that  # noqa: E402
from delivery.post import bodies  # noqa: E402

MESSAGE = "Subject: %s\n\nhello\n"


def deliver(site, *args, text="x", store=None, **env):
    """The exit status."""
    environment = {name: value for name, value in os.environ.items() if name not in ("USER", "SENDER")} | env
    done = subprocess.run([program("postern"), "--store", store or site.store, "deliver", *args], input=text.encode(),
                          capture_output=True, env=environment, timeout=patience(30))
    if done.returncode:
        print("   " + done.stderr.decode().strip())
    return done.returncode


def mail(site, folder="INBOX"):
    return [body.decode().replace("\r\n", "\n") for body in bodies(site, "alice", folder)]


def main():
    with Site() as site:
        site.user("alice", "secret", plain=True)
        site.serve("imap")
        chapter("Where it goes, and what stands on top")
        claim("delivered", deliver(site, "-d", "alice", "-f", "ann@example.net", text="From ann Mon Mar  3\n" + MESSAGE % "one"), 0)
        stored = mail(site)
        claim("one message", len(stored), 1)
        claim_that("trace fields, and no From_ line", re.fullmatch(
            r"Return-Path: <ann@example\.net>\nDelivered-To: alice\nReceived: by \S+ \(postern\) with local id \S+\n"
            r"\tfor <alice>; .*\nSubject: one\n\nhello\n", stored[0]), stored[0])
        claim("again", deliver(site, "-d", "alice", "-f", "ann@example.net", text=MESSAGE % "one"), 0)
        claim("nothing was added", len(mail(site)), 1)
        claim("by address", deliver(site, "-a", "alice+Junk@localhost", text=MESSAGE % "two"), 0)
        claim("by user and address", deliver(site, "-d", "alice", "-a", "alice+junk@localhost", text=MESSAGE % "three"), 0)
        claim("by user and subaddress", deliver(site, "-d", "alice", "-a", "Junk", text=MESSAGE % "four"), 0)
        claim("they are in Junk", len(mail(site, "Junk")), 3)
        claim("by the environment", deliver(site, text=MESSAGE % "five", USER="alice", SENDER="bob@example.net"), 0)
        claim_that("its sender, too", any("Return-Path: <bob@example.net>" in text for text in mail(site)))
        chapter("What is wrong")
        claim("no such user", deliver(site, "-d", "nobody"), 67)
        claim("no user at all", deliver(site), 67)
        claim("no such sender", deliver(site, "-d", "alice", "-f", "a b"), 64)
        claim("an operand", deliver(site, "alice"), 64)
        claim("no store", deliver(site, "-d", "alice", store=os.path.join(site.work, "none")), 75)
        claim("a NUL", deliver(site, "-d", "alice", text="a\0b"), 65)
        site.setting("store", "MessageSizeMax", 1024)
        claim("too large", deliver(site, "-d", "alice", text="x" * 1025), 73)
        site.postern("quota", "set", "alice", "--messages", "1")
        claim("over quota", deliver(site, "-d", "alice", text="six"), 73)
        site.setting("delivery", "OverQuota", "defer")
        claim("over quota, to be tried again", deliver(site, "-d", "alice", text="six"), 75)


if __name__ == "__main__":
    run_main(main)
