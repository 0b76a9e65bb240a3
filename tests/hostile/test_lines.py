#!/usr/bin/env python3
"""Lines that no client sends: far too long, with NULs, with 8-bit bytes, with nothing; before login and after."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.story import chapter, claim_that
from harness.wire import Closed
from hostile.common import DOORS, attacked, greeted, is_well, login

LONG = b"x" * 50000         # longer than any line may be
FLOOD = b"x" * 400000       # more than a stranger may send at all
REFUSALS = {"imap": (b"* BAD", b"a BAD", b"* BYE", b"a NO"), "pop3": (b"-ERR",)}
# What to send, as one line; {} is a command of the door that would be good without it.
LINES = {
    "a NUL in a command": b"a NO\0OP",
    "a NUL alone": b"\0",
    "a NUL in an argument": {"imap": b'a SELECT "IN\0BOX"', "pop3": b"RETR 1\0"},
    "8-bit in a command": b"a N\xd6\xd6P",
    "8-bit in an argument": {"imap": b"a SELECT \xff\xfe", "pop3": b"RETR \xb2"},
    "an invalid UTF-8 name": {"imap": b'a CREATE "\xc3\x28"', "pop3": b"UIDL \xc3\x28"},
    "blanks alone": b"     ",
    "a bare CR inside": b"a NO\rOP",
    "no such command": b"a FROBNICATE the server",
    "a number without end": {"imap": b"a FETCH " + b"9" * 400 + b" FLAGS", "pop3": b"RETR " + b"9" * 400},
    "a set without end": {"imap": b"a FETCH " + b"1," * 3000 + b"1 (", "pop3": b"LIST 1 1 1"},
    "brackets without end": {"imap": b"a SEARCH " + b"(" * 5000, "pop3": b"TOP 1"},
    "a quoted string that does not end": {"imap": b'a LOGIN "alice', "pop3": b"TOP 1 -1"},
}


def answered(wire, door, name):
    """The server says no in its own language; whether it then hangs up is its business."""
    try:
        line = wire.read_line()
        claim_that(f"{door}: {name}: {line[:70]!r}", line.startswith(REFUSALS[door]), line)
        return True
    except Closed:
        raise AssertionError(f"{door}: {name}: the connection was closed without a word")


def too_long(door, wire, when):
    with wire:
        wire.send(LONG + b"\r\n")
        answered(wire, door, f"a line of {len(LONG)} bytes {when} login")


def flood(wire):
    """A stranger's budget is hard: whoever sends more is cut off, listened to or not."""
    with wire:
        try:
            wire.send(FLOOD + b"\r\n")
            wire.read_until_closed()
        except Closed:
            pass


def main():
    with attacked() as site:
        site.serve(*DOORS)
        for door in DOORS:
            chapter(f"{door}: too long")
            too_long(door, greeted(site, door), "before")
            too_long(door, login(site, door), "after")
            flood(greeted(site, door))
            for name, line in LINES.items():
                chapter(f"{door}: {name}")
                line = line[door] if isinstance(line, dict) else line
                for start in (greeted, login):
                    with start(site, door) as wire:
                        if start is login and door == "imap":
                            wire.imap("s SELECT INBOX")
                        wire.send(line + b"\r\n")
                        answered(wire, door, name)
            chapter(f"{door}: no line at all, and gone")
            for start in (greeted, login):
                start(site, door).reset()
                with start(site, door) as wire:
                    wire.send(b"a NOO")
        is_well(site)


if __name__ == "__main__":
    run_main(main)
