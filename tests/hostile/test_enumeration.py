#!/usr/bin/env python3
"""Nobody learns at a door who has a mailbox: a wrong password of somebody's, of who is disabled, of who has no password,
and any of nobody's are answered with the same octets, and in the same time within noise.

Samples of all kinds are interleaved and taken on one connection each, so that what else the machine does falls on all alike;
two kinds are compared by how often a sample of the one takes longer than one of the other (Mann and Whitney's U over n*m),
one half where they are the same.  A difference as large as the noise gives 0.76.  It is believed when it is found three times.
"""
import base64
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import Site
from harness.story import chapter, claim

SAMPLES, TRIES, TOLERANCE = 40, 3, 0.25
KINDS = ("alice", "dolly", "nopas", "ghost")  # somebody, disabled, without a password, nobody: names of one length
PASSWORD = "wrong-{}"


def encode(text):
    return base64.b64encode(text.encode()).decode()


def imap_login(wire, user, n):
    wire.send_line(f"a LOGIN {user} {PASSWORD.format(n)}")
    return [wire.read_response()]


def imap_plain(wire, user, n):
    wire.send_line("a AUTHENTICATE PLAIN " + encode(f"\0{user}\0{PASSWORD.format(n)}"))
    return [wire.read_response()]


def pop3_pass(wire, user, n):
    return [wire.ask(f"USER {user}").encode(), wire.ask(f"PASS {PASSWORD.format(n)}").encode()]


def shape(first):
    """What may differ from name to name, and by chance, is as long; the iterations are the same."""
    nonce, salt, iterations = first.split(",")
    return f"{len(nonce)} {len(salt)} {iterations}".encode()


def scram(wire, user, _, begin, challenge):
    bare = f"n={user},r={base64.b64encode(os.urandom(15)).decode()}"
    wire.send_line(begin + encode("n,," + bare))
    first = base64.b64decode(challenge(wire)).decode()
    proof = base64.b64encode(os.urandom(32)).decode()
    wire.send_line(encode(f"c=biws,{first.split(',')[0]},p={proof}"))
    return [shape(first), wire.read_line()]


def imap_scram(wire, user, n):
    return scram(wire, user, n, "a AUTHENTICATE SCRAM-SHA-256 ", lambda w: w.read_line().removeprefix(b"+ "))


def pop3_scram(wire, user, n):
    return scram(wire, user, n, "AUTH SCRAM-SHA-256 ", lambda w: w.read_line().removeprefix(b"+ "))


WAYS = (("imap", imap_login), ("imap", imap_plain), ("imap", imap_scram), ("pop3", pop3_pass), ("pop3", pop3_scram))


def sample(site, door, way, answers, times):
    """Each kind once, in an order of chance; every connection is a new one, since a door counts its failures."""
    for user in random.sample(KINDS, len(KINDS)):
        with greeted_quietly(site, door) as wire:
            began = time.perf_counter()
            answer = way(wire, user, random.randrange(10 ** 9))
            times[user].append(time.perf_counter() - began)
            answers[user].add(tuple(answer))


def greeted_quietly(site, door):
    wire = site.wire(door)
    wire.read_line()
    return wire


def longer(one, other):
    """How often one takes longer than the other: U / (n * m)."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / (len(one) * len(other))


def odd_ones(times):
    return {user: f"{longer(times[user], times['alice']):.2f}" for user in KINDS
            if abs(longer(times[user], times["alice"]) - 0.5) > TOLERANCE}


def sounds_the_same(site, door, way):
    answers = {user: set() for user in KINDS}
    for _ in range(TRIES):
        times = {user: [] for user in KINDS}
        for _ in range(SAMPLES):
            sample(site, door, way, answers, times)
        odd = odd_ones(times)
        if not odd:
            break
        print(f"   once more: {odd}")
    name = way.__name__
    claim(f"{name}: one answer for all", {user: said for user, said in answers.items() if said != answers["alice"]}, {})
    claim(f"{name}: and that is one alone", len(answers["alice"]), 1)
    print(f"   {name}: " + " ".join(f"{user}={sorted(times[user])[SAMPLES // 2] * 1e3:.2f}ms" for user in KINDS))
    claim(f"{name}: as fast as a wrong password of alice's", odd, {})


def main():
    with Site() as site:
        for user in ("alice", "dolly"):
            site.user(user)
        site.postern("user", "add", "nopas", "--no-password")
        site.postern("user", "disable", "dolly")
        site.setting("login", "FailureDelay", 0)    # which is the same for all, and would hide the rest
        site.setting("store", "YescryptCost", 3)    # a small hash hides less
        site.postern("user", "passwd", "alice", "--password-stdin", stdin="right\n")
        site.serve("auth", "imap", "pop3")
        for door, way in WAYS:
            chapter(f"{door}: {way.__name__}")
            sounds_the_same(site, door, way)


if __name__ == "__main__":
    run_main(main)
