#!/usr/bin/env python3
"""postern-lmtpd killed at random while a queue delivers: every message is there, once.

The queue does what a mail server's does: it gives a message up when it is answered 250, and else tries it again, the
same to the octet.  2,000 messages; 10,000 with POSTERN_LONG=1.  POSTERN_SEED=N repeats the choices.
"""
import collections
import os
import queue
import random
import re
import smtplib
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.story import claim, claim_that  # noqa: E402
from delivery.post import Post  # noqa: E402

USERS = ["alice", "bob", "carol"]
MESSAGES = 10000 if os.environ.get("POSTERN_LONG") else 2000
KILLS = MESSAGES // 100  # about
CLIENTS = 6


def message(rng, n):
    size = rng.choice((100, 2000, 2000, 10000, 200000 if n % 50 == 0 else 500))
    text = "".join(rng.choice((".dot\r\n", "word " * 12 + "\r\n", "..\r\n", "x\r\n")) for _ in range(max(1, size // 30)))
    return f"From: ann@example.net\r\nSubject: number {n}\r\nX-Number: {n}\r\n\r\n{text}".encode()


class Queue:
    """The messages still to be delivered, and to whom."""

    def __init__(self, rng):
        self.work = queue.Queue()
        self.left, self.lock = MESSAGES, threading.Lock()
        self.expected = collections.Counter()
        self.again = self.tries = 0
        self.wrong = []
        for n in range(MESSAGES):
            to = rng.sample(USERS, rng.choice((1, 1, 1, 2, 3)))
            self.expected.update((user, n) for user in to)
            self.work.put((message(rng, n), to, rng.random() < 0.5))

    def settle(self, octets, to, chunked, answers):
        """Whoever was answered is done with; the others are tried again."""
        failed = [user for user, (code, _) in zip(to, answers) if code != 250]
        with self.lock:
            self.tries += 1
            self.again += sum(text.startswith("2.1.5 delivered before") for code, text in answers if code == 250)
            self.wrong += [answer for answer in answers if answer[0] // 100 == 5]
            self.left -= not failed
        if failed:
            self.work.put((octets, failed, chunked))


def client(site, mail):
    post = None
    while mail.left and not mail.wrong:
        try:
            octets, to, chunked = mail.work.get(timeout=0.1)
        except queue.Empty:
            continue
        answers = []
        try:
            post = post or Post(site.ports["lmtp"])
            answers = post.deliver("ann@example.net", to, octets, chunked)
        except (OSError, smtplib.SMTPException):
            post = None
            time.sleep(0.01)
        mail.settle(octets, to, chunked, answers + [(0, "lost")] * (len(to) - len(answers)))


def killer(site, mail, rng):
    """Kills by how far the delivery is, not by time: as often where it is fast."""
    kills = 0
    while mail.left and not mail.wrong:
        until_left = mail.left - rng.randrange(1, 2 * MESSAGES // KILLS)
        while mail.left > max(until_left, 0) and not mail.wrong:
            time.sleep(rng.uniform(0, 0.01))
        site.kill("lmtp")
        kills += 1
        site.serve("lmtp")
    return kills


def stored(site):
    found = collections.Counter()
    for user in USERS:
        with site.wire("imap", seconds=60) as wire:
            wire.read_line()
            wire.imap(f"a LOGIN {user} secret")
            wire.imap("b EXAMINE INBOX")
            for line in wire.imap("c FETCH 1:* (BODY.PEEK[HEADER.FIELDS (X-Number)])"):
                found.update((user, int(n)) for n in re.findall(r"X-Number: (\d+)", line))
    return found


def main():
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    rng = random.Random(seed)
    with Site() as site:
        for user in USERS:
            site.user(user, "secret", plain=True)
        site.serve("imap", "lmtp")
        mail = Queue(rng)
        clients = [threading.Thread(target=client, args=(site, mail), daemon=True) for _ in range(CLIENTS)]
        for thread in clients:
            thread.start()
        kills = killer(site, mail, rng)
        for thread in clients:
            thread.join()
        claim("no message was refused for good", mail.wrong, [])
        print(f"   {MESSAGES} messages, {kills} kills, {mail.tries} tries, {mail.again} that had been delivered before")
        found = stored(site)
        lost, more = mail.expected - found, found - mail.expected
        claim("none is lost", sorted(lost.elements())[:20], [])
        claim("none is there twice", sorted(more.elements())[:20], [])
        claim_that("it was killed often enough to mean something", kills >= KILLS // 4, kills)


if __name__ == "__main__":
    run_main(main)
