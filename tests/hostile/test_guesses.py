#!/usr/bin/env python3
"""Who guesses passwords, asked of authd as a mail server asks: nothing tells who has an account; guesses wait, and
nobody else does; what is under way is bounded; and nothing secret is left in a log."""
import os
import statistics
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that, until
from hostile.authd import Asker, is_closed

ROUNDS = 40
STRANGER, HOME = "203.0.113.5", "192.0.2.7"
SECRET = "correct-horse-battery"


def nobody_stands_out(site):
    """Medians of interleaved attempts; what differs has to be small against how much each kind differs in itself."""
    site.setting("login", "FailureDelay", 0)
    kinds = {"wrong password": ("alice", "wrong"), "no such user": ("nobody", "wrong"),
             "no such domain": ("alice@elsewhere.example", "wrong"), "no password": ("mute", "wrong"),
             "disabled": ("gone", "wrong"), "disabled, and right": ("gone", PASSWORD)}
    seconds = {kind: [] for kind in kinds}
    with Asker(site) as asker:
        for _ in range(ROUNDS):
            for kind, (user, password) in kinds.items():
                words, took = asker.ask(user, password)
                seconds[kind].append(took)
                if words != ["FAIL", f"user={user}"]:
                    claim(f"{kind} is told no more than that it failed", words, ["FAIL", f"user={user}"])
    medians = {kind: statistics.median(took) for kind, took in seconds.items()}
    shown = ", ".join(f"{kind} {median * 1e3:.2f} ms" for kind, median in medians.items())
    claim_that(f"one sounds and takes as long as the other: {shown}",
               max(medians.values()) < 1.5 * min(medians.values()), seconds)


def guesses_wait(site):
    site.setting("login", "FailureDelay", 200)
    with Asker(site) as asker:
        claim("alice gets in from home", asker.ask("alice", SECRET, HOME)[0], ["OK", "user=alice"])
        took = [asker.ask("alice", f"guess{n}", STRANGER)[1] for n in range(4)]
        claim_that("each guess waits longer than the one before",
                   all(t >= 0.2 * 2 ** n for n, t in enumerate(took)), took)
        took = [asker.ask("alice", SECRET, HOME)[1] for _ in range(5)]
        claim_that("and she at home for none of it", min(took) < 0.2, took)
        words, waited = asker.ask("bob", PASSWORD, "192.0.2.8")
        claim("nor anybody else", words, ["OK", "user=bob"])
        words, waited = asker.ask("alice", SECRET, STRANGER)
        claim("a stranger with the right password gets in", words, ["OK", "user=alice"])
        claim_that("after his delay", waited >= 0.2, waited)
        claim("and is no stranger any more", asker.ask("alice", SECRET, STRANGER)[0], ["OK", "user=alice"])


def flood(site):
    """A thousand connections would buy no more guesses than one."""
    site.setting("login", "FailureDelay", 3000)
    site.setting("login", "MaxAttemptsFromAddress", 8)
    with Asker(site) as asker:
        for n in range(30):
            asker.begin("bob", f"flood{n}", "203.0.113.77")
        answers = [asker.answer() for _ in range(22)]
        claim_that("beyond eight under way an address is told to try later",
                   all(words[0] == "FAIL" and "temp" in words and "code=temp_fail" in words for words in answers), answers)
    with Asker(site) as asker:
        words = asker.ask("alice", "again", "203.0.113.77")[0]
        claim_that("who hung up has not got rid of them", "temp" in words, words)
    with Asker(site) as asker:
        words, waited = asker.ask("bob", PASSWORD, "192.0.2.9")
        claim("from elsewhere bob gets in", words, ["OK", "user=bob"])
        claim_that("no later than after the longest delay", waited < patience(16), waited)
    site.setting("login", "FailureDelay", 0)


def bounds(site):
    with Asker(site) as asker:
        asker.wire.send(b"AUTH\t1\tPLAIN\tservice=smtp\tx=" + b"x" * 20000 + b"\n")
        claim_that("a line over MaxLineSize ends the connection", is_closed(asker.wire))
    site.setting("login", "MaxRequests", 16)
    with Asker(site) as asker:
        for number in range(1, 18):
            asker.wire.send(f"AUTH\t{number}\tLOGIN\tservice=smtp\tsecured\n".encode())
        verbs = [asker.answer() for _ in range(17)]
        claim("sixteen logins are begun", sum(words[0] == "CONT" for words in verbs), 16)
        claim("and one more is told to try later", [words[2] for words in verbs if words[0] == "FAIL"], ["temp"])

    def lets_in():
        with Asker(site) as asker:
            return asker.ask("bob", PASSWORD, "192.0.2.9")[0] == ["OK", "user=bob"]

    claim_that("they end with their connection", until(lets_in))
    site.setting("login", "MaxRequests", 4096)


def crowd(site):
    """Hashing is bounded, and everybody is served."""
    answers, lock = [], threading.Lock()

    def work(n):
        with Asker(site, seconds=120) as asker:
            words = asker.ask("alice", SECRET, f"10.0.{n}.1")[0]
            with lock:
                answers.append(words)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claim("forty at once get in", answers, [["OK", "user=alice"]] * 40)


def nothing_is_left(site):
    log = site.daemons["auth"].log()
    for secret in (SECRET, "guess1", "flood3"):
        claim_that(f"the log has no {secret!r}", secret not in log)
    with open(f"/proc/{site.daemons['auth'].pid}/cmdline", "rb") as f:
        claim_that("nor has the process's title", SECRET.encode() not in f.read())
    with open(f"/proc/{site.daemons['auth'].pid}/limits") as f:
        claim_that("and it leaves no core", any(line.startswith("Max core file size") and line.split()[4:6] == ["0", "0"]
                                                for line in f))


def main():
    with Site() as site:
        site.user("alice", SECRET)
        site.user("bob")
        site.user("gone")
        site.postern("user", "disable", "gone")
        site.postern("user", "add", "mute", "--no-password")
        site.serve("auth")
        chapter("who has an account")
        nobody_stands_out(site)
        chapter("guesses")
        guesses_wait(site)
        chapter("many at once")
        bounds(site)
        flood(site)
        crowd(site)
        chapter("what is left of them")
        nothing_is_left(site)


if __name__ == "__main__":
    run_main(main)
