#!/usr/bin/env python3
"""authd is killed again and again while mail servers ask it: whoever is answered is answered rightly, whoever is not
sees his connection end, and nobody waits for ever."""
import os
import random
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.site import PASSWORD, Site
from harness.story import claim, claim_that
from harness.wire import Timeout, WireError
from hostile.authd import Asker

ASKERS, KILLS = 8, 8


class Storm:
    def __init__(self, site):
        self.site, self.ends = site, False
        self.lock = threading.Lock()
        self.right = self.wrong = self.lost = 0
        self.faults = []

    def one(self, asker, n):
        is_right = n % 3 != 0
        words, _ = asker.ask("alice", PASSWORD if is_right else f"wrong{n}", f"10.1.{n % 250}.1")
        with self.lock:
            if is_right and words == ["OK", "user=alice"]:
                self.right += 1
            elif not is_right and words[0] == "FAIL":
                self.wrong += 1
            elif "temp" not in words:
                self.faults.append((is_right, words))

    def ask(self, seed):
        n = seed * 1000
        while not self.ends:
            try:
                with Asker(self.site) as asker:
                    while not self.ends:
                        self.one(asker, n)
                        n += 1
            except Timeout as e:
                self.faults.append(("hangs", str(e)))
            except (WireError, OSError):
                with self.lock:
                    self.lost += 1
                time.sleep(0.01)


def main():
    with Site() as site:
        site.user("alice", plain=True)
        site.setting("login", "FailureDelay", 0)
        site.serve("auth")
        storm = Storm(site)
        threads = [threading.Thread(target=storm.ask, args=(n,)) for n in range(ASKERS)]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            time.sleep(random.uniform(0.1, 0.5))
            site.kill("auth")
            site.serve("auth")
        before, end = storm.right, time.monotonic() + patience(20)
        while storm.right < before + 20 and time.monotonic() < end:
            time.sleep(0.05)
        storm.ends = True
        for thread in threads:
            thread.join(patience(30))
        claim("nobody was answered wrongly, and nobody hung", storm.faults, [])
        claim_that("all have ended", not any(thread.is_alive() for thread in threads))
        claim_that(f"{storm.right} got in, {storm.wrong} did not, {storm.lost} connections were lost",
                   storm.right >= before + 20 and storm.wrong > 0 and storm.lost > 0)


if __name__ == "__main__":
    run_main(main)
