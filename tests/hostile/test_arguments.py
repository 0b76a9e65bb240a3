#!/usr/bin/env python3
"""Every command of the table, and its UID form, in every state, with arguments that are none.

The commands come from `postern-imapd --commands`, arguments that are good from the transcripts (what was answered
OK there); so a new command is tried here from the day it has both.  Good arguments are cut short, unbalanced, made
huge; what no grammar takes must be refused with a tagged BAD or NO, change neither state nor mailbox, and the next
command must work.  What may happen to be good has to be answered, and that is all.
"""
import glob
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import program, run_main
from harness.story import chapter, claim, claim_that, step
from harness.wire import Closed
from hostile.common import attacked, in_memory, is_well, login
from talk import script

TALKS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "talk", "imap", "*.talk")
STATES = ("before login", "logged in", "folder open")
# What an OK to them does to the connection is no business of this test.
CHANGE_THE_WIRE = ("AUTHENTICATE", "COMPRESS", "IDLE", "LOGOUT", "STARTTLS")
EXAMPLES = 12               # of a command, at most: the longest, as they have the most parts
BAD_IN_A_ROW = 20           # MaxBadCommands
# No command takes these, whatever its arguments are.
NEVER = [
    b"(", b")", b'"', b'"x', b"x (", b"(x", b"x)", b"x ", b" x", b"()x(", b'"a\\b"', b'"a"b"', b"(((x", b"x )",
    b"\0", b"x\0y", b'"x\0y"', b"\xff\xfe", b"x \xc3\x28", b"\r", b"x\ry", b"{", b"{5", b"{x}", b"{-1}", b"{5-}",
    b"{99999999999999999999}", b"(" * 5000 + b")" * 5000, b"(" * 40 + b"x" + b")" * 39,
    b"x " * 20000 + b"(", b'"' + b"y" * 70000 + b'"', b"z" * 70000, b"1:" * 5000 + b")", b"1," * 5000 + b"(",
]


def commands():
    table = subprocess.run([program("postern-imapd"), "--commands"], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in table.splitlines()]


def good_examples():
    """{command: arguments that a transcript shows to be good, without a literal at their end}; UID forms under
    their own name."""
    found = {}
    for path in sorted(glob.glob(TALKS)):
        sent = {}
        for step_ in script.parse(path, "imap").steps:
            words = step_.text.split(" ", 2)
            if step_.verb == "send" and len(words) > 1:
                sent[step_.connection, words[0]] = step_.text
            elif step_.verb == "expect" and words[1:2] == ["OK"] and (step_.connection, words[0]) in sent:
                name, args = name_of(sent[step_.connection, words[0]].partition(" ")[2])
                args = re.sub(r"\$[a-z]\w*", "1", re.sub(r" ?~?\{\d+\+?\}$", "", args))
                if "{" not in args:
                    found.setdefault(name, set()).add(args)
    return {name: sorted(args, key=lambda a: (-len(a), a))[:EXAMPLES] for name, args in found.items()}


def name_of(command):
    form, _, rest = command.partition(" ")
    if form.upper() == "UID":
        form, _, rest = rest.partition(" ")
        return f"UID {form.upper()}", rest
    return form.upper(), rest


def is_unbalanced(args):
    """No grammar has room for it: an open quote, a parenthesis too many, a blank at an end."""
    depth, quoted, escaped = 0, False, False
    for c in args:
        if quoted:
            quoted, escaped = (escaped or c != '"'), (c == "\\" and not escaped)
        elif c == '"':
            quoted = True
        elif c in "()":
            depth += 1 if c == "(" else -1
            if depth < 0:
                return True
    return quoted or depth != 0 or args != args.strip(" ") or "  " in re.sub(r'"[^"]*"', '""', args)


def variants(args):
    """A good example, spoilt."""
    tokens = re.split(r"( )", args)
    yield from ("".join(tokens[:n]) for n in range(len(tokens)))      # cut short between words
    yield from (args[:n] for n in range(1, len(args), 3))             # and within them
    yield from (args + more for more in (" )", " (", ' "', " x", " x y z", "x", " NIL", ")", "("))
    for at in (found.start() for found in re.finditer(r'[()"\[\]<>]', args)):
        yield args[:at] + args[at + 1:]                               # one of a pair is missing
    for digits in {found[0] for found in re.finditer(r"\d+", args)}:
        for number in ("0", "-1", "4294967296", "9" * 30, "x", "*:*", "1:*:2", ""):
            yield args.replace(digits, number)
    yield args.replace("(", "((").replace(")", "))")
    yield args.replace(" ", "  ")
    yield " ".join([args] * 2)


class Tried:
    """One connection in one state; made anew where it is lost, or a command was good after all."""

    def __init__(self, site, state):
        self.site, self.state, self.wire, self.n = site, state, None, 0
        self.refused = self.answered = 0

    def connect(self):
        if self.wire:
            self.wire.close()
        if self.state == STATES[0]:
            self.wire = self.site.wire("imap")
            self.wire.read_line()
        else:
            self.wire = login_quietly(self.site)
        if self.state == STATES[2]:
            self.wire.imap("s SELECT INBOX")

    def probes(self):
        """What shows that the state is what it was, with the answers."""
        logged_in, selected = self.state != STATES[0], self.state == STATES[2]
        return [("LIST \"\" \"\"", "OK" if logged_in else "BAD"), ("CHECK", "OK" if selected else "BAD"), ("NOOP", "OK")]

    def answer(self, tag):
        while not (line := self.wire.read_response()).startswith(tag + b" "):
            if line.startswith(b"+ "):
                self.wire.send(b"*\r\n")  # what a command asks for is not given
            elif not line.startswith(b"* "):
                raise AssertionError(f"a line that is nobody's: {line[:200]!r}")
        return line.split(b" ")[1].decode()

    def ask(self, command):
        self.n += 1
        tag = b"t%d" % self.n
        self.wire.send(tag + b" " + command + b"\r\n")
        return self.answer(tag)

    def still_there(self, command):
        for probe, expected in self.probes():
            got = self.ask(probe.encode())
            if got != expected:
                raise AssertionError(f"{self.state}: after {command[:200]!r}, {probe} is answered {got}, not {expected}")

    def attempt(self, command, must_fail):
        if not self.wire:
            self.connect()
        try:
            status = self.ask(command)
            if status == "OK" and must_fail:
                raise AssertionError(f"{self.state}: {command[:200]!r} is answered OK")
            # RFC 3501 6.3.1: SELECT that fails leaves no folder open.
            if status == "OK" or (status == "NO" and command.startswith((b"SELECT", b"EXAMINE"))):
                self.connect()
            else:
                self.still_there(command)
                self.refused += 1
            self.answered += 1
        except Closed:
            raise AssertionError(f"{self.state}: {command[:200]!r} ends the connection; it said {self.wire.buffer!r}")


def login_quietly(site):
    wire = site.wire("imap")
    wire.read_line()
    wire.imap("l LOGIN alice postern")
    return wire


def mailbox(site):
    """All that alice has, for comparison."""
    with login_quietly(site) as wire:
        wire.imap("m SELECT INBOX")  # nothing is \\Recent any more
        seen = [wire.imap('m LIST "" *'), wire.imap('m LSUB "" *'), wire.imap("m EXAMINE INBOX")]
        return seen + [wire.imap("m FETCH 1:* (UID FLAGS RFC822.SIZE)")]


def never_good(site, names):
    before = mailbox(site)
    for state in STATES:
        chapter(f"{state}: what no command takes")
        tried = Tried(site, state)
        for name in names:
            tried.connect()  # the budget of octets before login is a connection's
            for form in (name, f"UID {name}"):
                for args in NEVER:
                    tried.attempt(form.encode() + b" " + args, must_fail=True)
        step(f"{tried.refused} refused")
    claim("nothing was changed", mailbox(site), before)


def spoilt_examples(site, names):
    examples = good_examples()
    claim("every command with arguments has an example", [name for name in names if name not in examples
                                                          and name not in CHANGE_THE_WIRE], [])
    for state in STATES:
        chapter(f"{state}: good arguments, spoilt")
        tried = Tried(site, state)
        for name, args in sorted(examples.items()):
            for spoilt in dict.fromkeys(variant for example in args for variant in variants(example)):
                must_fail = is_unbalanced(spoilt)
                if must_fail or name not in CHANGE_THE_WIRE:
                    tried.attempt(f"{name} {spoilt}".encode("latin-1") if spoilt else name.encode(), must_fail and bool(spoilt))
        step(f"{tried.answered} answered, {tried.refused} of them refused")


def patience_ends(site):
    chapter(f"{BAD_IN_A_ROW} that make no sense, one after the other")
    with login(site, "imap") as wire:
        wire.send(b"".join(b"x%d FROB\r\n" % n for n in range(BAD_IN_A_ROW - 1)) + b"y NOOP\r\n")
        wire.send(b"".join(b"z%d FROB\r\n" % n for n in range(BAD_IN_A_ROW)))
        said = wire.read_until_closed().split(b"\r\n")
        claim("a good one begins the count anew", sum(line.startswith(b"z") for line in said), BAD_IN_A_ROW)
        claim_that("then BYE", [line for line in said if line][-2:][0].startswith(b"* BYE") or
                   [line for line in said if line][-1].startswith(b"* BYE"), said[-3:])


def main():
    in_memory()
    with attacked() as site:
        site.setting("store", "PreAuthenticatedOctets", 16777216)
        site.setting("store", "PreAuthenticatedConnectionTimeout", 3600)
        site.setting("store", "LogonFailuresMax", 1000)
        site.setting("imap", "MaxBadCommands", BAD_IN_A_ROW)
        site.serve("imap")
        names = commands()
        never_good(site, names)
        spoilt_examples(site, names)
        patience_ends(site)
        is_well(site)


if __name__ == "__main__":
    run_main(main)
