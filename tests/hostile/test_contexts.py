#!/usr/bin/env python3
"""Live contexts (RFC 5267) are exact: what ADDTO and REMOVEFROM make of the first result is what a fresh search
or sort gives, whatever another session does.  POSTERN_SEED: the same choices again.  POSTERN_LONG=1: more of them.
"""
import os
import random
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import Site
from harness.story import chapter, claim_that
from hostile.common import login
from hostile.imap_model import hold, numbers

ROUNDS = 600 if os.environ.get("POSTERN_LONG") else 60
SUBJECTS = ("apples", "Re: apples", "bananas", "[list] Bananas", "", "cherries")
FLAGS = ("\\Flagged", "\\Seen", "\\Deleted", "work")
SEARCHES = ("FLAGGED", "OR SEEN SUBJECT apples", "NOT KEYWORD work UNDELETED", "ALL", "SUBJECT bananas", "UID 5:*")
SORTS = ("SUBJECT", "REVERSE SUBJECT ARRIVAL", "FROM REVERSE DATE", "SIZE REVERSE ARRIVAL")
UPDATE = re.compile(r'\* ESEARCH \(TAG "([^"]+)"\)( UID)? (ADDTO|REMOVEFROM) \((.*)\)$')
RESULT = re.compile(r'\* ESEARCH \(TAG "([^"]+)"\)( UID)?(?: ALL ([\d:,]+))?$')


class Context:
    """What a client makes of it: a list, in order where it is a SORT."""

    def __init__(self, tag, command, uid, members):
        self.tag, self.command, self.uid, self.members = tag, command, uid, members
        self.is_sort = command.startswith("SORT")

    def update(self, what, pairs):
        words = pairs.split()
        for position, group in zip(map(int, words[::2]), words[1::2]):
            hold((position > 0) == self.is_sort, f"{self.tag}: a position where there is no order: {pairs}")
            for n in numbers(group):
                if what == "REMOVEFROM":
                    hold(n in self.members and (not position or self.members[position - 1] == n),
                         f"{self.tag}: {n} is not at {position} of {self.members}")
                    self.members.remove(n)
                else:
                    hold(n not in self.members, f"{self.tag}: {n} is in {self.members}")
                    self.members.insert(position - 1 if position else len(self.members), n)
                    position += bool(position)

    def renumber(self, gone):
        if not self.uid:
            hold(gone not in self.members, f"{self.tag}: {gone} was expunged, and is in {self.members}")
            self.members = [n - (n > gone) for n in self.members]


class Watcher:
    def __init__(self, wire):
        self.wire, self.contexts, self.n = wire, {}, 0

    def ask(self, command):
        self.n += 1
        tag = f"q{self.n}"
        lines = self.wire.imap(f"{tag} {command}")
        hold(lines[-1].startswith(f"{tag} OK"), f"{command}: {lines[-1]}")
        for line in lines:
            if found := UPDATE.match(line):
                self.contexts[found[1]].update(found[3], found[4])
            elif found := re.match(r"\* (\d+) EXPUNGE", line):
                for context in self.contexts.values():
                    context.renumber(int(found[1]))
            hold("NOUPDATE" not in line, line)
        return tag, lines

    def result(self, command):
        tag, lines = self.ask(command)
        for line in lines:
            if (found := RESULT.match(line)) and found[1] == tag:
                return tag, list(numbers(found[3])) if found[3] else []
        raise AssertionError(f"{command} has no result: {lines}")

    def watch(self, form, uid):
        command = ("UID " if uid else "") + form.format("UPDATE ALL")
        tag, members = self.result(command)
        self.contexts[tag] = Context(tag, form, uid, members)

    def compare(self):
        """Between the last update and the fresh search nobody does anything."""
        for context in list(self.contexts.values()):
            _, now = self.result(("UID " if context.uid else "") + context.command.format("ALL"))
            told = context.members if context.is_sort else sorted(context.members)
            hold(told == now, f"{context.command}: was told {told}, is {now}")


def append(wire, n, random_):
    text = (f"Subject: {random_.choice(SUBJECTS)}\r\nFrom: {random_.choice('xyz')}@example.org\r\n"
            f"Date: Mon, {random_.randint(1, 28)} Mar 2025 10:00:00 +0000\r\n\r\n" + "x" * random_.randint(0, 3))
    wire.send_line(f"a{n} APPEND INBOX ({random_.choice(FLAGS)}) {{{len(text)}+}}\r\n{text}")
    while not wire.read_response().startswith(f"a{n} ".encode()):
        pass


def change(random_):
    """One thing that a session does, as a command without its tag; None: an APPEND."""
    kind = random_.choice(("append", "append", "flag", "flag", "flag", "flag", "copy", "expunge"))
    uids = ",".join(str(random_.randint(1, 60)) for _ in range(random_.randint(1, 6)))
    return {"append": None,
            "flag": f"UID STORE {uids} {random_.choice('+-')}FLAGS.SILENT ({random_.choice(FLAGS)})",
            "copy": f"UID COPY {uids} INBOX",
            "expunge": f"UID EXPUNGE {uids}"}[kind]


def act(watcher, other, n, random_):
    command = change(random_)
    if command is None:
        append(other, n, random_)
    elif random_.random() < 0.2:
        watcher.ask(command)
    else:
        other.imap(f"c{n} {command}")


def main():
    seed = int(os.environ.get("POSTERN_SEED") or random.randrange(10**9))
    random_ = random.Random(seed)
    chapter(f"Contexts against fresh results (seed {seed})")
    with Site() as site:
        site.user("alice")
        site.setting("imap", "ContextsMax", 100)
        site.serve("imap")
        with login(site, "imap") as watching, login(site, "imap") as other:
            watcher = Watcher(watching)
            other.imap("s SELECT INBOX")
            for n in range(20):
                append(other, n, random_)
            watcher.ask("SELECT INBOX")
            for form in [f"SEARCH RETURN ({{}}) {key}" for key in SEARCHES] + \
                    [f"SORT RETURN ({{}}) ({by}) UTF-8 UNDELETED" for by in SORTS]:
                watcher.watch(form, True)
                watcher.watch(form, False)
            for n in range(ROUNDS):
                for k in range(random_.randint(1, 5)):
                    act(watcher, other, n * 10 + k + 100, random_)
                watcher.ask("NOOP")
                watcher.compare()
            claim_that(f"{len(watcher.contexts)} contexts were exact in {ROUNDS} rounds", True, "")


if __name__ == "__main__":
    run_main(main)
