#!/usr/bin/env python3
"""Fifty users, each with as many threads as he may have sessions, read and write in one mount at once: nobody is
refused, since a thread holds one file at a time, and in the end everybody has exactly what his threads left.
POSTERN_LONG=1: ten times as much."""
import concurrent.futures
import multiprocessing
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, step, until
from hostile.common import in_memory

USERS, THREADS = 50, 32     # "Maximum Allowed Sessions Per User" is 32
ROUNDS = 20 if os.environ.get("POSTERN_LONG") else 2
SECONDS = 60 * ROUNDS


def text_of(user, thread, n):
    return (f"Subject: {thread}-{n}\n\n" + f"{user} wrote this in thread {thread}.\n" * (1 + (7 * thread + n) % 90)).encode()


class Worker(threading.Thread):
    def __init__(self, home, user, number):
        super().__init__()
        self.home, self.user, self.number, self.left, self.wrong = home, user, number, {}, None

    def run(self):
        try:
            for n in range(ROUNDS):
                self.one_round(n)
        except Exception as e:
            self.wrong = f"{self.user}, thread {self.number}: {e!r}"

    def write(self, folder, n, octets):
        name = f"{self.number}-{n}.eml"
        fd = os.open(os.path.join(self.home, folder, name), os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            os.write(fd, octets)
        finally:
            os.close(fd)
        return name

    def read(self, folder, name):
        with open(os.path.join(self.home, folder, name), "rb", buffering=0) as f:
            return f.readall()

    def one_round(self, n):
        """Writes three; reads one, moves one, and puts one into Trash."""
        kept, moved, gone = (self.write("INBOX", 3 * n + i, text_of(self.user, self.number, 3 * n + i)) for i in range(3))
        if self.read("INBOX", kept) != text_of(self.user, self.number, 3 * n):
            raise AssertionError(f"{kept} is not what was written")
        os.rename(os.path.join(self.home, "INBOX", moved), os.path.join(self.home, "Archive", moved))
        os.setxattr(os.path.join(self.home, "Archive", moved), "user.flags", b"seen")
        os.unlink(os.path.join(self.home, "INBOX", gone))
        names = os.listdir(os.path.join(self.home, "INBOX"))
        if kept not in names or moved in names or gone in names:
            raise AssertionError(f"INBOX lists {names}")
        for i, folder in enumerate(("INBOX", "Archive", "Trash")):
            self.left[f"{folder}/{self.number}-{3 * n + i}.eml"] = text_of(self.user, self.number, 3 * n + i)


def be_user(home, user):
    """All threads of one user; what is wrong, and what there must be."""
    workers = [Worker(home, user, number) for number in range(THREADS)]
    for worker in workers:
        worker.start()
    left = {}
    for worker in workers:
        worker.join()
        left |= worker.left
    return [w.wrong for w in workers if w.wrong], left


def what_is_there(home):
    found = {}
    for folder in os.listdir(home):
        for name in os.listdir(os.path.join(home, folder)):
            with open(os.path.join(home, folder, name), "rb") as f:
                found[f"{folder}/{name}"] = f.read()
    return found


def main():
    in_memory()
    with Site() as site:
        users = [f"user{i}" for i in range(USERS)]
        for user in users:
            site.user(user, plain=True)
        mail = os.path.join(site.mount(), "mail")
        chapter(f"{USERS} users, {THREADS} threads each")
        begun = time.monotonic()
        with concurrent.futures.ProcessPoolExecutor(USERS, multiprocessing.get_context("fork")) as pool:
            done = list(pool.map(be_user, (os.path.join(mail, user) for user in users), users))
        seconds = time.monotonic() - begun
        step(f"{USERS * THREADS * ROUNDS * 3} messages written, read, moved, flagged and removed in {seconds:.1f} s")
        claim("nothing went wrong", [wrong for all_wrong, _ in done for wrong in all_wrong][:5], [])
        claim_that("in time", seconds < patience(SECONDS), seconds)
        claim("no session is left", until(lambda: site.sessions() == []) or len(site.sessions()), True)
        chapter("what there is")
        for user, (_, left) in zip(users, done, strict=True):
            found = what_is_there(os.path.join(mail, user))
            if found != left:
                odd = {n for n in found.keys() | left.keys() if found.get(n) != left.get(n)}
                raise AssertionError(f"{user}: {sorted(odd)[:10]} of {len(left)} are not what was left")
        step("everybody has exactly what his threads left")


if __name__ == "__main__":
    run_main(main)
