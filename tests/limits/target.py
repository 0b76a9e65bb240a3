"""The server whose limits are looked at, as its clients see it: addresses, accounts, and commands that tell or do
what the wire cannot.  Nothing here knows which server it is."""
import contextlib
import os
import re
import shlex
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.wire import Closed, Wire, WireError


class Command:
    """Something that is done beside the wire: what it is called, and how it is done."""

    def __init__(self, text, do=None):
        self.text, self.do = text, do or self.run

    def run(self):
        done = subprocess.run(shlex.split(self.text), capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise SystemExit(f"`{self.text}` exited with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout


class Target:
    def __init__(self, imap, pop3, user, password, neighbour, limit, refused=None, commands=None, near=None, far=None):
        """imap, pop3: HOST:PORT, or None where the server has no such door.  neighbour: another user with the same
        password.  refused: a pattern of a refusal's line; without it each NO and -ERR is one.  commands: a list of
        Command for each of `refusals`, `does-not-help`, `undo`, `kill`, `serve`, `cut` and `heal` that can be done.  near, far: what to be
        inside of to be on a machine that stays, and on one whose network `cut` takes away."""
        self.addresses = {door: (address.rpartition(":")[0], int(address.rpartition(":")[2]))
                          for door, address in (("imap", imap), ("pop3", pop3)) if address}
        self.user, self.password, self.neighbour, self.limit = user, password, neighbour, limit
        self.refused = re.compile((refused or r"^(\S+ NO|-ERR) ").encode())
        self.commands = commands or {}
        self.near = near or contextlib.nullcontext
        self.far = far

    @property
    def doors(self):
        return list(self.addresses)

    def run(self, name, nth=0):
        return self.commands[name][nth].do()

    def can(self, name):
        return bool(self.commands.get(name))


class Unexpected(Exception):
    """The server answered something that is neither a grant nor a refusal."""


class Client:
    """One connection.  `open` says whether the server granted a session."""

    def __init__(self, target, door, user=None, where=None):
        self.target, self.door, self.user = target, door, user or target.user
        host, port = target.addresses[door]
        with (where or target.near)():
            self.wire = Wire(port, host=host, seconds=60)
        self.said = b""     # the answer to the last open
        greeting = self.wire.read_line()
        if not greeting.startswith((b"* OK", b"+OK")):
            raise Unexpected(greeting.decode(errors="replace"))

    def answer(self):
        """The line that ends what the server says to one command."""
        line = self.wire.read_response()
        while self.door == "imap" and line.startswith(b"* "):
            line = self.wire.read_response()
        return line

    def open(self):
        if self.door == "imap":
            self.wire.send_line(f"a LOGIN {self.user} {self.target.password}")
        else:
            self.wire.send_line(f"USER {self.user}")
            self.answer()
            self.wire.send_line(f"PASS {self.target.password}")
        self.said = self.answer()
        if self.said.startswith((b"a OK", b"+OK")):
            return True
        if self.target.refused.search(self.said):
            return False
        raise Unexpected(self.said.decode(errors="replace"))

    def ask(self):
        """Something small; whether it was answered well."""
        self.wire.send_line("b NOOP" if self.door == "imap" else "NOOP")
        return self.answer().startswith((b"b OK", b"+OK"))

    def close(self):
        """With a goodbye, until the server has closed."""
        try:
            self.wire.send_line("z LOGOUT" if self.door == "imap" else "QUIT")
            while True:
                self.wire.read_line()
        except (Closed, WireError):
            pass
        self.wire.close()

    def vanish(self):
        self.wire.close()
