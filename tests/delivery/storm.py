"""A mail server's queue delivers while postern-lmtpd is killed again and again: every message is there, once, octet
for octet under the trace fields.

The envelope's sender numbers a message, so that Return-Path tells which one lies in a mailbox, whatever it says.
"""
import collections
import os
import random
import re
import threading
import time

from clients.common import crlf
from clients.mailbag import bag, messages
from delivery.mta import DOMAIN
from delivery.post import bodies
from harness.story import chapter, claim, claim_that

LONG = bool(os.environ.get("POSTERN_LONG"))
MESSAGES = int(os.environ.get("POSTERN_MESSAGES", 10000 if LONG else 300))
USERS = ["alice", "bob", "carol"]
#: an account to which the mail server delivers by itself: what it made of a message
WITNESS = "erin"
TO_WITNESS = f"{WITNESS}@local.{DOMAIN}"
#: what postern-lmtpd, and what the server itself, put above what the server has in its queue
TRACE = re.compile(rb"Return-Path: <[^\r]*>\r\nDelivered-To: [^\r]*\r\nReceived: [^\r]*\r\n(?:[ \t][^\r]*\r\n)*")
TRACE_OF_WITNESS = re.compile(rb"Return-[Pp]ath: <[^\n]*>\n(?:X-Original-To: [^\n]*\nDelivered-To: [^\n]*\n)?")
#: a header in which a server finds nothing to mend: RFC 5322 2.2 without the obsolete forms of 4.2 and 4.5
HEADER = re.compile(rb"(?:[!-9;-~]+:[^\r\n]*\r\n(?:[ \t]+[^ \t\r\n][^\r\n]*\r\n)*)+\r\n")
CLIENTS = 4
#: sizes of bodies, as real mail has them
SIZES = (0, 100, 700, 2000, 2000, 5000, 20000, 60000)
LINES = (b".dot\r\n", b"..\r\n", b".\r\n", b"\r\n", b"  \t\r\n", b"From here on\r\n", b"words and words, " * 5 + b"\r\n",
         b"K\xc3\xb6ln, M\xc3\xa4rz\r\n", bytes(range(128, 256)) + b"\r\n", b"x" * 990 + b"\r\n", b"-- \r\n")

Letter = collections.namedtuple("Letter", "sender recipients octets parameters chunk")


def seeded():
    """Choices that POSTERN_SEED repeats."""
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    return random.Random(seed)


def sender(n):
    return f"n{n}@example.net"


def generated(rng, count, first=0, longest=0):
    """Messages of every kind; longest: octets of a line that is longer than RFC 5321 allows, where that is passed on."""
    lines = LINES + ((b"y" * longest + b"\r\n",) if longest else ())
    for n in range(first, first + count):
        size = 1 << 20 if n % 100 == 50 else rng.choice(SIZES)
        body = bytearray()
        while len(body) < size:
            body += rng.choice(lines) * rng.choice((1, 1, 1, 10))
        head = (b"From: Ann <ann@example.net>\r\nTo: undisclosed-recipients:;\r\nMessage-ID: <%d.%x@example.net>\r\n"
                b"Date: Fri, 27 Nov 2026 03:00:00 +0000\r\nSubject: number %d\r\n\t folded %s\r\n\r\n"
                % (n, rng.getrandbits(64), n, rng.choice((b"once", b"K=?utf-8?q?=C3=B6?=ln", b"and again"))))
        to = rng.sample(USERS, rng.choice((1, 1, 1, 2, 3)))
        yield Letter(sender(n), [f"{user}@{DOMAIN}" for user in to], head + bytes(body), " BODY=8BITMIME",
                     rng.choice((None, None, 700, 1 << 17)))


def real(work, first=0):
    """The corpus, or what stands for it."""
    path, found = bag(work)
    for n, names in enumerate(sorted(found.values()), first):
        with open(os.path.join(path, names[0]), "rb") as f:
            yield Letter(sender(n), [f"alice@{DOMAIN}", TO_WITNESS], crlf(f.read()), " BODY=8BITMIME", None)


class Killer(threading.Thread):
    """Kills lmtpd each time that it has delivered a few more, and serves it again."""

    def __init__(self, site, rng, deliveries, wanted):
        super().__init__(daemon=True)
        self.site, self.rng, self.kills = site, rng, 0
        self.step = max(2, 2 * deliveries // wanted)
        self.over = threading.Event()

    def run(self):
        due, seen = self.next_due(0), 0
        with open(self.site.daemons["lmtp"].log_path, "rb") as log:
            while not self.over.wait(0.002):
                seen += log.read().count(b" delivered ")
                if seen < due:
                    continue
                time.sleep(self.rng.uniform(0, 0.03))
                self.site.kill("lmtp")
                self.kills += 1
                self.site.serve("lmtp")
                due = self.next_due(seen)

    def next_due(self, seen):
        return seen + self.rng.randrange(1, self.step)

    def end(self):
        self.over.set()
        self.join()
        return self.kills


def hand_in(server, letters):
    """Over a few connections at once."""
    waiting, lock, wrong = iter(letters), threading.Lock(), []

    def client():
        try:
            with server.smtp() as smtp:
                while True:
                    with lock:
                        letter = next(waiting, None)
                    if letter is None:
                        return
                    smtp.hand_over(letter.sender, letter.recipients, letter.octets, letter.parameters, letter.chunk)
        except (AssertionError, OSError) as e:
            wrong.append(repr(e))
    clients = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    claim(f"{server.package} takes all of them", wrong, [])


def numbered(body):
    found = re.match(rb"Return-[Pp]ath: <n(\d+)@example\.net>\r?\n", body)
    return int(found[1]) if found else None


def below(trace, body):
    found = trace.match(body)
    return body[found.end():] if found else body


def witnessed(server):
    """number -> the message as the server itself delivered it: under its own Received, its own repairs to the header."""
    return {numbered(body): below(TRACE_OF_WITNESS, body).replace(b"\n", b"\r\n") for body in server.kept(WITNESS)}


def delivered(site, by_number):
    """(user, number, message) of all that lie in mailboxes."""
    for user in USERS:
        for body in bodies(site, user):
            if (n := numbered(body)) in by_number:
                yield user, n, body


def compare(site, server, letters, left):
    """left: what the mail server leaves of a message's octets, where there is nothing in its header to repair."""
    by_number = {int(letter.sender[1:].split("@")[0]): letter for letter in letters}
    sound = {n for n, letter in by_number.items() if HEADER.match(letter.octets)}
    shown = {n for n, letter in by_number.items() if TO_WITNESS in letter.recipients}
    witness = witnessed(server)
    expected = collections.Counter((to.split("@")[0], n) for n, letter in by_number.items()
                                   for to in letter.recipients if to != TO_WITNESS)
    found, altered, unlike = collections.Counter(), [], []
    for user, n, body in delivered(site, by_number):
        found[user, n] += 1
        if n in sound and not body.endswith(b"\r\n" + left(by_number[n].octets)):
            altered.append((user, n))
        if n in shown and below(TRACE, body) != witness.get(n):
            unlike.append((user, n))
    claim("none is lost", sorted((expected - found).elements())[:20], [])
    claim("none is there twice", sorted((found - expected).elements())[:20], [])
    claim("none is altered that has nothing to repair", altered[:20], [])
    claim_that("which most have", len(sound) >= 0.9 * len(letters), f"{len(sound)} of {len(letters)}")
    if shown:
        claim(f"the {len(shown)} that the server also delivered by itself are alike", unlike[:20], [])


def storm(site, server, letters, rng, left):
    """letters through the server, into a lmtpd that is killed."""
    letters = list(letters)
    deliveries = sum(to != TO_WITNESS for letter in letters for to in letter.recipients)
    wanted = max(12, len(letters) // 50)  # kills, about
    chapter(f"{len(letters)} messages, {deliveries} deliveries, and kills")
    killer = Killer(site, rng, deliveries, wanted)
    begun = time.monotonic()
    killer.start()
    hand_in(server, letters)
    handed = time.monotonic() - begun
    drained = server.drained(60 + len(letters) / 5)
    took = time.monotonic() - begun
    kills = killer.end()
    again = site.daemons["lmtp"].log().count(" again=1")
    print(f"   {kills} kills; handed in after {handed:.1f} s, delivered after {took:.1f} s; {again} had been delivered before",
          flush=True)
    claim_that("the queue is empty in the end", drained, server.queued())
    claim_that("it was killed often enough to mean something", kills > wanted / 3, kills)
    compare(site, server, letters, left)
