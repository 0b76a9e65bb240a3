#!/usr/bin/env python3
"""Random steps of several POP3 sessions and one of IMAP on one mailbox, with connections that drop and daemons that are
killed, against a model: each session is its own snapshot, whatever the others do; what DELE marked goes at QUIT, all of
it, and only then; a UIDL names the same octets for ever.

POSTERN_LONG=1: five minutes.  POSTERN_MODEL_S: so many seconds.  POSTERN_SEED: the same steps again.
"""
import collections
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, step
from harness.wire import WireError

SECONDS = float(os.environ.get("POSTERN_MODEL_S") or (300 if os.environ.get("POSTERN_LONG") else 30))
SESSIONS = 5
INBOX_MAX = 60


class Entry:
    """A message in INBOX: moved away and back it is another entry, with the same octets and UIDL."""

    def __init__(self, octets, name):
        self.octets, self.name = octets, name


def same(what, got, expected):
    if got != expected:
        raise AssertionError(f"{what}: expected {expected!r}, got {got!r}")


def write_message(name):
    lines = [b"From: Ann <ann@example.org>", b"Subject: message %d" % name, b""]
    lines += [random.choice((b".", b"..", b".dot", b"", b"text " * random.randrange(1, 9), b"x" * random.randrange(900)))
              for _ in range(random.choice((0, 1, 3, 10, 300)))]
    return b"".join(line + b"\r\n" for line in lines)


class Maildrop:
    """One POP3 session and what it must show."""

    def __init__(self, model):
        self.model, self.snapshot, self.deleted = model, list(model.inbox), set()
        self.wire = model.site.wire("pop3")
        self.wire.read_line()
        self.wire.ask("USER alice")
        same("login", self.wire.ask(f"PASS {PASSWORD}"),
             f"+OK {len(self.snapshot)} messages, {sum(len(entry.octets) for entry in self.snapshot)} octets")
        self.uidl_all()

    def left(self):
        return [n for n in range(1, len(self.snapshot) + 1) if n not in self.deleted]

    def many(self, command):
        answer = self.wire.ask(command)
        same(f"{command} is good", answer[:3], "+OK")
        return self.wire.read_multiline()

    def uidl_all(self):
        told = [line.decode().split() for line in self.many("UIDL")]
        same("UIDL numbers", [int(n) for n, _ in told], self.left())
        for n, uidl in told:
            self.model.know(self.snapshot[int(n) - 1].name, uidl)

    def list_all(self):
        same("LIST", self.many("LIST"), [b"%d %d" % (n, len(self.snapshot[n - 1].octets)) for n in self.left()])

    def stat(self):
        left = self.left()
        same("STAT", self.wire.ask("STAT"), f"+OK {len(left)} {sum(len(self.snapshot[n - 1].octets) for n in left)}")

    def some(self):
        """A number, mostly a good one; None where it was answered as it should be."""
        n = random.randint(0, len(self.snapshot) + 1)
        if n in self.left():
            return n
        words = f"message {n} is deleted" if n in self.deleted else f"no such message, there are {len(self.snapshot)}"
        for command in (f"RETR {n}", f"TOP {n} 1", f"LIST {n}", f"UIDL {n}", f"DELE {n}"):
            same(command, self.wire.ask(command), f"-ERR {words}")
        return None

    def retr(self):
        if (n := self.some()):
            same(f"RETR {n}", b"".join(line + b"\r\n" for line in self.many(f"RETR {n}")), self.snapshot[n - 1].octets)

    def top(self):
        if (n := self.some()):
            count = random.randrange(5)
            head, body = self.snapshot[n - 1].octets.split(b"\r\n\r\n", 1)
            wanted = head + b"\r\n\r\n" + b"".join(body.splitlines(keepends=True)[:count])
            same(f"TOP {n} {count}", b"".join(line + b"\r\n" for line in self.many(f"TOP {n} {count}")), wanted)

    def one(self):
        if (n := self.some()):
            same("LIST n", self.wire.ask(f"LIST {n}"), f"+OK {n} {len(self.snapshot[n - 1].octets)}")
            self.model.know(self.snapshot[n - 1].name, self.wire.ask(f"UIDL {n}").split()[2])

    def dele(self):
        if (n := self.some()):
            same("DELE", self.wire.ask(f"DELE {n}")[:3], "+OK")
            self.deleted.add(n)

    def rset(self):
        same("RSET", self.wire.ask("RSET")[:3], "+OK")
        self.deleted.clear()

    def going(self):
        return [self.snapshot[n - 1] for n in self.deleted]

    def quit(self):
        same("QUIT", self.wire.ask("QUIT"), f"+OK goodbye, {len(self.left())} messages left")
        self.wire.close()
        self.model.remove(self.going())

    def drop(self):
        random.choice((self.wire.close, self.wire.reset))()


class Model:
    def __init__(self, site):
        self.site, self.inbox, self.archive, self.drops = site, [], [], []
        self.uidls, self.names, self.n = {}, {}, 0
        self.counted = collections.Counter()
        self.connect_imap()

    def know(self, name, uidl):
        """A UIDL and a message's octets belong together, for ever."""
        same(f"the UIDL of message {name}", self.uidls.setdefault(name, uidl), uidl)
        same(f"what {uidl} names", self.names.setdefault(uidl, name), name)

    def remove(self, entries):
        self.inbox = [entry for entry in self.inbox if entry not in entries]

    # --- IMAP ---

    def connect_imap(self):
        self.imap = self.site.wire("imap")
        self.imap.read_line()
        self.command(f"LOGIN alice {PASSWORD}")

    def command(self, text):
        lines = self.imap.imap(f"a {text}")
        same(text[:40], lines[-1][:4], "a OK")
        return lines

    def append(self):
        if len(self.inbox) >= INBOX_MAX:
            return
        self.n += 1
        octets = write_message(self.n)
        self.imap.send(b"a APPEND INBOX {%d+}\r\n%b\r\n" % (len(octets), octets))
        while not (line := self.imap.read_response()).startswith(b"a "):
            pass
        same("APPEND", line[:4], b"a OK")
        self.inbox.append(Entry(octets, self.n))

    def expunge(self):
        self.on_some("STORE {} +FLAGS.SILENT (\\Deleted)", "EXPUNGE")

    def move(self):
        self.archive += self.on_some("MOVE {} Archive")

    def copy(self):
        entries = self.on_some("COPY {} INBOX", stays=True)
        self.inbox += [Entry(entry.octets, entry.name) for entry in entries]

    def move_back(self):
        if self.archive:
            self.command("SELECT Archive")
            self.command("MOVE 1:* INBOX")
            self.inbox += [Entry(entry.octets, entry.name) for entry in self.archive]
            self.archive = []

    def on_some(self, *commands, stays=False):
        if not self.inbox:
            return []
        first = random.randint(1, len(self.inbox))
        last = min(len(self.inbox), first + random.choice((0, 0, 0, 1, 3)))
        self.command("SELECT INBOX")
        for command in commands:
            self.command(command.format(f"{first}:{last}"))
        entries = self.inbox[first - 1:last]
        if not stays:
            self.remove(entries)
        return entries

    def numbers(self):
        """Which messages INBOX has, in order, as IMAP sees it."""
        self.command("SELECT INBOX")
        lines = self.command("FETCH 1:* BODY.PEEK[HEADER.FIELDS (SUBJECT)]") if self.inbox else []
        return [int(found[1]) for line in lines if (found := re.search(r"Subject: message (\d+)", line))]

    def look(self):
        same("INBOX over IMAP", self.numbers(), [entry.name for entry in self.inbox])

    # --- sessions and their ends ---

    def open(self):
        if len(self.drops) < SESSIONS:
            self.drops.append(Maildrop(self))

    def end(self):
        if self.drops:
            drop = self.drops.pop(random.randrange(len(self.drops)))
            drop.quit() if random.random() < 0.6 else drop.drop()

    def in_session(self):
        if not self.drops:
            return self.open()
        drop = random.choice(self.drops)
        name = random.choice(("retr", "retr", "top", "one", "dele", "dele", "stat", "list_all", "uidl_all", "rset"))
        self.counted[name] += 1
        return getattr(drop, name)()

    def kill(self):
        """Nothing that was only marked is gone, and of a QUIT under way all or nothing."""
        quitting = self.drops[0] if self.drops and random.random() < 0.7 else None
        if quitting:
            quitting.wire.send_line("QUIT")
            time.sleep(random.choice((0, 0, 0.001, 0.005)))
        self.site.kill("pop3")
        answered = False
        if quitting:
            try:
                answered = quitting.wire.read_line().startswith(b"+OK")
            except WireError:
                pass
        for drop in self.drops:
            drop.wire.close()
        self.drops = []
        self.site.serve("pop3")
        if quitting:
            before = [entry.name for entry in self.inbox]
            now = self.numbers()
            if answered or now != before:
                self.remove(quitting.going())
        self.look()

    def kill_imap(self):
        self.site.kill("imap")
        self.imap.close()
        self.site.serve("imap")
        self.connect_imap()

    def run(self, seconds):
        kinds = (("in_session", 60), ("append", 8), ("expunge", 4), ("move", 3), ("move_back", 3), ("copy", 2), ("open", 6),
                 ("end", 6), ("look", 3), ("kill", 1), ("kill_imap", 0.3))
        names, weights = zip(*kinds)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            name = random.choices(names, weights)[0]
            self.counted[name] += 1
            getattr(self, name)()
        while self.drops:
            self.end()
        self.look()


def main():
    seed = int(os.environ.get("POSTERN_SEED") or random.randrange(1 << 32))
    random.seed(seed)
    chapter(f"{SECONDS:.0f} seconds, POSTERN_SEED={seed}")
    with Site() as site:
        site.user("alice", plain=True)
        site.serve("pop3", "imap")
        model = Model(site)
        for _ in range(10):
            model.append()
        model.run(SECONDS)
        step(", ".join(f"{n} {name}" for name, n in sorted(model.counted.items())))
        claim("the mailbox is sound", site.postern("check").returncode, 0)


if __name__ == "__main__":
    run_main(main)
