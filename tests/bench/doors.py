#!/usr/bin/env python3
"""doors.py [ROUNDS]: how soon a client that idles over IMAP4 hears of a change, by the door that made it.

Two times for each door, p50 and p99: from the change's beginning to the idling client's line (what it costs to make
the change is in it), and from its end: the OK of IMAP4 and POP3, the return of close() and unlink() in the mount, the
exit of `postern import`.  Negative: the client knew before who made the change had its answer.
"""
import os
import queue
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from clients.test_doors import MAIL, Client, other_imapd  # noqa: E402
from harness.programs import run_main  # noqa: E402
from harness.site import PASSWORD, Site  # noqa: E402
from harness.wire import Closed  # noqa: E402

BAR_MS = 10


class Idler:
    """A client in IDLE, whose lines are read by a thread as they come, with their time."""

    def __init__(self, port):
        client = Client(port)
        client.ok("s SELECT INBOX")
        client.idle()
        self.wire, self.heard = client.wire, queue.SimpleQueue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        try:
            while True:
                line = self.wire.read_line(seconds=3600)
                self.heard.put((time.perf_counter(), line))
        except Closed:
            pass  # the end

    def when(self, word):
        while True:
            at, line = self.heard.get(timeout=60)
            if line.endswith(word):
                return at


class Doors:
    def __init__(self, site):
        self.site, self.n = site, 0
        self.idler = Idler(site.ports["imap"])
        self.same, self.other = Client(site.ports["imap"]), Client(other_imapd(site))
        self.eml = os.path.join(site.work, "one.eml")
        with open(self.eml, "w", newline="") as f:
            f.write(MAIL.format("one"))
        site.mount()
        self.other.ok("s SELECT INBOX")

    def name(self):
        return os.path.join(self.site.folder("alice"), f"letter-{self.n}.eml")

    def write(self):
        self.n += 1
        with open(self.name(), "w", newline="") as f:
            f.write(MAIL.format(self.n))

    def pop3(self):
        """Logged in and marked; the change is QUIT."""
        wire = self.site.wire("pop3")
        wire.read_line()
        for command in ("USER alice", f"PASS {PASSWORD}", "DELE 1"):
            wire.ask(command)
        return lambda: (wire.ask("QUIT"), wire.close())

    def all(self):
        """Name of the door, what it does, the word that tells; some are prepared before each."""
        yield "the same imapd, APPEND", lambda: lambda: self.same.append("INBOX", "one"), b" EXISTS"
        yield "another imapd, APPEND", lambda: lambda: self.other.append("INBOX", "one"), b" EXISTS"
        yield "another imapd, STORE", lambda: lambda: self.other.ok("f STORE 1 FLAGS.SILENT (" + self.flag() + ")"), b")"
        yield "POP3, DELE and QUIT", self.pop3, b" EXPUNGE"
        yield "postern import", lambda: lambda: self.site.import_mail("alice", self.eml), b" EXISTS"
        yield "the mount, a file written", lambda: self.write, b" EXISTS"
        yield "the mount, a file removed", self.unlink, b" EXPUNGE"

    def flag(self):
        self.n += 1
        return "\\Flagged" if self.n % 2 else ""

    def unlink(self):
        self.write()
        self.idler.when(b" EXISTS")
        return lambda: os.unlink(self.name())

    def measure(self, prepare, word, rounds):
        whole, after = [], []
        for _ in range(rounds):
            act = prepare()
            time.sleep(0.005)
            begun = time.perf_counter()
            act()
            ended = time.perf_counter()
            at = self.idler.when(word)
            whole.append((at - begun) * 1e3)
            after.append((at - ended) * 1e3)
        return sorted(whole), sorted(after)


def percentile(ordered, p):
    return ordered[min(len(ordered) - 1, len(ordered) * p // 100)]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with Site(runtime="/dev/shm") as site:
        site.user("alice")
        site.serve("imap", "pop3")
        doors = Doors(site)
        with open(os.devnull, "w") as quiet:
            for name, prepare, word in doors.all():
                shown, sys.stdout = sys.stdout, quiet  # the clients of the tests tell a story
                try:
                    whole, after = doors.measure(prepare, word, rounds)
                finally:
                    sys.stdout = shown
                print(f"{name}: from its beginning p50 {percentile(whole, 50):.2f} ms, p99 {percentile(whole, 99):.2f} ms; "
                      f"from its end p50 {percentile(after, 50):.2f} ms, p99 {percentile(after, 99):.2f} ms", flush=True)
                print(f"figure: news of {name}, after its end, p99 | {percentile(after, 99):.2f} ms | {BAR_MS} ms", flush=True)


run_main(main)
