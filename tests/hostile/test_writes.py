#!/usr/bin/env python3
"""Readers that take a kilobyte a second of a hundred megabytes: what the daemon holds for them stays small, and others are
served meanwhile.  And how many writes an answer takes: one, however many lines it has, and few for many answers."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.story import chapter, claim_that, step, until
from hostile.common import attacked, is_well, login, memory_is_measured

READERS = 8
READ_SECONDS = 8
PROMPT_S = 2  # another client is served within


def resident_kb(site):
    with open(f"/proc/{site.daemons['imap'].pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def served_promptly(site):
    began = time.monotonic()
    is_well(site)
    took = time.monotonic() - began
    claim_that(f"another client is served in {took:.2f} s", took < patience(PROMPT_S), took)


def grew_little(site, before, kb):
    grew = resident_kb(site) - before
    claim_that(f"the daemon grew by {grew} KB", grew < kb, grew)


def drips(site):
    before = resident_kb(site)
    wires = [login(site, "imap", receive_buffer=4096) for _ in range(READERS)]
    for wire in wires:
        wire.imap("s SELECT INBOX")
        wire.send(b"f FETCH 1:* BODY.PEEK[]\r\n" * 20)
    for _ in range(READ_SECONDS):
        for wire in wires:
            wire.socket.recv(1024)
        time.sleep(1)
    served_promptly(site)
    grew_little(site, before, READERS * 2000)
    for wire in wires:
        wire.reset()
    claim_that("all are gone", until(lambda: not site.sessions("alice"), 20))


class Traced:
    """The daemon's sends while the block runs; None where nobody may trace."""

    def __init__(self, site):
        self.path = os.path.join(site.work, "sends")
        self.pid = site.daemons["imap"].pid

    def __enter__(self):
        self.strace = subprocess.Popen(["strace", "-f", "-qq", "-e", "trace=sendto,sendmsg,write,writev", "-e", "signal=none",
                                        "-s", "20", "-o", self.path, "-p", str(self.pid)], stderr=subprocess.PIPE)
        until(lambda: self.tracer() or self.strace.poll() is not None, 10)
        if not self.tracer():
            step(f"SKIPPED: strace may not attach: {self.strace.communicate()[1].decode().strip()}")
            return None
        return self

    def tracer(self):
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/status") as f:
                if "TracerPid:\t0\n" in f.read():
                    return False
        return True

    def __exit__(self, *_):
        if self.strace.poll() is None:
            # The peer has the answer before strace has written that the call returned.
            until(lambda: self.sends() > 0, 5)
            self.strace.send_signal(signal.SIGINT)
            self.strace.wait()

    def sends(self):
        with open(self.path) as f:
            return len(re.findall(r"(?:sendto|sendmsg|writev|write)\(\d+, .*?= \d+$", re.sub(
                r"write\(\d+, \"(?:\\1|\\0|[^\"]*postern-imapd).*", "", f.read()), re.M))


def writes(site):
    with login(site, "imap") as wire:
        wire.imap("s SELECT INBOX")
        for what, sent, tag, most in (
                ("a FETCH of 5 messages' headers", b"a UID FETCH 1:5 (FLAGS BODY.PEEK[HEADER])\r\n", b"a", 1),
                ("a NOOP", b"b NOOP\r\n", b"b", 1),
                ("200 NOOPs in one write", b"".join(b"c%d NOOP\r\n" % i for i in range(200)), b"c199", 8)):
            with Traced(site) as traced:
                if not traced:
                    return
                wire.send(sent)
                while not wire.read_response().startswith(tag + b" OK"):
                    pass
            claim_that(f"{what}: {traced.sends()} writes", 1 <= traced.sends() <= most)


def main():
    memory_is_measured()
    with attacked() as site:
        big = os.path.join(site.work, "big.eml")
        with open(big, "w") as f:
            f.write("Subject: big\n\n" + ("x" * 70 + "\n") * 60000)
        site.serve("imap")
        chapter("how many writes an answer takes")
        if shutil.which("strace"):
            writes(site)
        else:
            step("SKIPPED: there is no strace")
        chapter("readers of a kilobyte a second")
        site.import_mail("alice", big)
        drips(site)


if __name__ == "__main__":
    run_main(main)
