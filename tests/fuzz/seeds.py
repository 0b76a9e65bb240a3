#!/usr/bin/env python3
"""seeds.py TARGET DIR | TARGET --run PROGRAM: what the clients of the transcripts say, as inputs of a fuzz target.

A transcript stands for each command and each extension (tests/arch sees to it), so its lines are the best corpus a
parser can have, and they grow with it.  They are written into DIR, or a program is run over them.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from talk import script  # noqa: E402
from talk.pattern import unescape  # noqa: E402

LITERAL = re.compile(r"\{(\d+)\+?\}$")


def octets(step):
    """What a step sends, its variables left as they are."""
    return step.text + "\r\n" if step.verb == "send" else unescape(step.text)


def said(door):
    """For each transcript: its name, and by connection what is sent."""
    for path in sorted(glob.glob(os.path.join(TESTS, "talk", door, "*.talk"))):
        talks = {}
        for step in script.parse(path, door).steps:
            if step.verb in ("send", "send_raw"):
                talks.setdefault(step.connection, []).append(octets(step))
        yield os.path.basename(path)[:-len(".talk")], talks


def talks_of(door, login):
    for name, talks in said(door):
        for n, pieces in talks.items():
            yield f"{name}-{n}", "\0" + login + "".join(pieces)


def split(text):
    """IMAP commands without their tags, literals included."""
    while text:
        end = text.find("\r\n")
        while end >= 0 and (literal := LITERAL.search(text, 0, end)) and literal.end() == end:
            end = text.find("\r\n", end + 2 + int(literal[1]))
        if end < 0:
            return
        yield text[:end].partition(" ")[2]
        text = text[end + 2:]


def commands():
    """As they stand, and with every extension enabled."""
    for name, talks in said("imap"):
        whole = [command for pieces in talks.values() for command in split("".join(pieces))]
        for i, command in enumerate(dict.fromkeys(whole)):
            for enabled in ("\0", "\x1f"):
                yield f"{name}-{i}-{ord(enabled)}", enabled + command


TARGETS = {
    "imap": lambda: talks_of("imap", "a LOGIN alice postern\r\n"),
    "imap_args": commands,
    "lmtp": lambda: talks_of("lmtp", ""),
    "pop3": lambda: talks_of("pop3", "USER alice\r\nPASS postern\r\n"),
}


def write(target, folder):
    os.makedirs(folder, exist_ok=True)
    written = 0
    for name, text in TARGETS[target]():
        with open(os.path.join(folder, name), "wb") as f:
            f.write(text.encode("latin-1", "replace"))
        written += 1
    return written


def main(target, where, program=None):
    if where != "--run":
        print(f"{write(target, where)} inputs from the transcripts")
        return 0
    with tempfile.TemporaryDirectory(prefix="postern-test-") as folder:
        print(f"{write(target, folder)} inputs from the transcripts")
        return subprocess.run([program, folder]).returncode


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in TARGETS:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
