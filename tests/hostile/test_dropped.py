#!/usr/bin/env python3
"""A session that is dropped after each of its bytes: by the client, over TLS within its records and handshake, and by
a daemon that is killed.  Whatever was acknowledged is done, whatever was not whole is not done at all, and no session
is left; a reference run says what each command comes to.

POSTERN_LONG=1: TLS at every byte too, and many kills.  POSTERN_SEED: the same kills again.
"""
import os
import random
import re
import ssl
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that, step, until
from harness.wire import Wire, WireError, tls_context
from hostile.common import attacked, in_memory, is_well, login

LONG = bool(os.environ.get("POSTERN_LONG"))
KILLS = 200 if LONG else 12
TLS_STRIDE = 1 if LONG else 23
SESSIONS = 8                # a leak is soon noticed: nobody gets in any more
SEEDS = ("one", "two", "three", "four")
FOLDERS = ("INBOX", "Work", "New", "New/sub")


def mail(name):
    return f"Subject: {name}\r\nFrom: a@example.org\r\n\r\nText of {name}.\r\n"


def literal(text, sign="+"):
    return f"{{{len(text)}{sign}}}\r\n{text}"


def script(words):
    """What is sent, and how the answer begins that says it is done."""
    pieces = [
        (f"a LOGIN alice {PASSWORD}\r\n", "a OK"),
        ("b SELECT INBOX\r\n", "b OK"),
        (f"c APPEND Work (\\Flagged) {literal(mail('five'))}\r\n", "c OK"),
        (f"d APPEND Work {{{len(mail('six'))}}}\r\n", "+ "),
        (mail("six") + "\r\n", "d OK"),
        ("e STORE 1:2 +FLAGS (\\Seen $Work)\r\n", "e OK"),
        ("f UID STORE * FLAGS (\\Answered)\r\n", "f OK"),
        ("g COPY 1:2 Work\r\n", "g OK"),
        ("h FETCH 2:3 (FLAGS BODY[TEXT])\r\n", "h OK"),
        ("i IDLE\r\n", "+ "),
        ("DONE\r\n", "i OK"),
        ("j MOVE 1 Work\r\n", "j OK"),
        ("k CREATE New/sub\r\n", "k OK"),
        ("l SUBSCRIBE {3+}\r\nNew\r\n", "l OK"),
        ("m COPY 1:* New/sub\r\n", "m OK"),
        ("n STORE 2 +FLAGS.SILENT (\\Deleted)\r\n", "n OK"),
        ("o EXPUNGE\r\n", "o OK"),
        ("p UID SEARCH SUBJECT {1+}\r\no UNDELETED\r\n", "p OK"),
        ("q SELECT Work\r\n", "q OK"),
        ("r STORE 1:* +FLAGS (\\Deleted)\r\n", "r OK"),
        ("s CLOSE\r\n", "s OK"),
        ("t DELETE New/sub\r\n", "t OK"),
    ]
    if "MULTIAPPEND" in words:
        pieces.insert(5, (f"u APPEND Work (\\Draft) {literal(mail('seven'))} {literal(mail('eight'))}\r\n", "u OK"))
    return pieces + [("z LOGOUT\r\n", "z OK")]


class Witness:
    """A connection of alice's that looks at all she has, and makes it again as it was."""

    def __init__(self, site):
        self.wire = login(site, "imap")

    def ask(self, command):
        """The untagged answers of a command that must succeed."""
        *lines, last = self.wire.imap(f"w {command}")
        claim_ok(last.startswith("w OK"), f"{command}: {last}")
        return lines

    def folders(self):
        return [line.rsplit(" ", 1)[-1] for line in self.ask('LIST "" *')]

    def contents(self, folder):
        """Flags and octets of its messages, in order."""
        if not self.messages(folder):
            return []
        self.ask(f"EXAMINE {folder}")
        told = [line for line in self.ask("FETCH 1:* (FLAGS BODY.PEEK[])") if " FETCH (FLAGS" in line]
        self.ask("UNSELECT")
        return [line.split(" ", 2)[2].replace("\\Recent", "").replace(" )", ")") for line in told]

    def look(self):
        """All there is: folders, what is subscribed, messages."""
        there = self.folders()
        return {"folders": sorted(there), "subscribed": sorted(self.ask('LSUB "" *')),
                **{folder: self.contents(folder) for folder in FOLDERS if folder in there}}

    def messages(self, folder):
        return " 0)" not in self.ask(f"STATUS {folder} (MESSAGES)")[0]

    def reset(self):
        there = self.folders()
        for folder in ("New/sub", "New"):
            if folder in there:
                self.ask(f"DELETE {folder}")
        self.ask("UNSUBSCRIBE New")
        for folder in ("INBOX", "Work"):
            if self.messages(folder):
                self.ask(f"SELECT {folder}")
                self.ask("STORE 1:* +FLAGS.SILENT (\\Deleted)")
                self.ask("CLOSE")
        for name in SEEDS:
            self.ask(f"APPEND INBOX {literal(mail(name))}")


def claim_ok(holds, sentence):
    if not holds:
        raise AssertionError(sentence)


def read_until_said(read_line, answers):
    """Reads until each of these beginnings came, in order."""
    for answer in answers:
        while not (line := read_line()).startswith(answer.encode()):
            claim_ok(line.startswith((b"* ", b"+ ")), f"{answer} was waited for, and came: {line!r}")


class Dropper:
    """Runs the script's beginning, drops it, and compares with the reference."""

    def __init__(self, site):
        self.site, self.witness = site, Witness(site)
        words = " ".join(self.witness.ask("CAPABILITY")).split()
        self.pieces = script(words)
        self.text = "".join(text for text, _ in self.pieces).encode("latin-1")
        self.reference = self.run_reference()
        self.cuts = 0

    def run_reference(self):
        """What the mailbox is before the first piece and after each."""
        self.witness.reset()
        states = [self.witness.look()]
        with self.site.wire("imap") as wire:
            wire.read_line()
            for text, answer in self.pieces:
                wire.send(text.encode("latin-1"))
                read_until_said(wire.read_response, [answer])
                states.append(self.witness.look())
        self.witness.reset()
        return states

    def whole_before(self, cut):
        """How many pieces are whole in the first `cut` bytes."""
        at = 0
        for n, (text, _) in enumerate(self.pieces):
            at += len(text)
            if at > cut:
                return n
        return len(self.pieces)

    def judge(self, where, *allowed):
        """The mailbox is as the reference was after one of these numbers of pieces."""
        seen = self.witness.look()
        claim_ok(seen in [self.reference[n] for n in allowed if n < len(self.reference)],
                 f"{where}, after piece {allowed}:\n{seen}\nexpected:\n{self.reference[allowed[0]]}")
        if seen != self.reference[0]:
            self.witness.reset()
        self.cuts += 1

    def drop_plain(self, cut):
        whole = self.whole_before(cut)
        wire = self.site.wire("imap")
        wire.send(self.text[:cut])
        read_until_said(wire.read_response, ["* OK"] + [answer for _, answer in self.pieces[:whole]])
        wire.reset() if cut % 2 else wire.close()
        self.judge(f"dropped after {cut} bytes", whole)

    def drop_tls(self, cut):
        """Drops after so many bytes on the wire: within the handshake, or within a record."""
        tls = TlsOverBytes(self.site.ports["imaps"], cut)
        whole = 0
        try:
            tls.handshake()
            read_until_said(tls.read_response, ["* OK"])
            for text, answer in self.pieces:
                tls.write(text.encode("latin-1"))
                whole += 1
                read_until_said(tls.read_response, [answer])
        except Enough:
            pass
        tls.wire.reset() if cut % 2 else tls.wire.close()
        self.judge(f"TLS dropped after {cut} bytes", whole)
        return tls.sent < cut  # the session was shorter


class Enough(Exception):
    """So many bytes were sent as were to be."""


class TlsOverBytes:
    """A TLS client over a plain wire, that stops in the middle of what it has to send."""

    def __init__(self, port, stop_after):
        self.wire, self.stop_after, self.sent, self.buffer = Wire(port), stop_after, 0, b""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls_context().wrap_bio(self.incoming, self.outgoing)

    def flush(self):
        octets = self.outgoing.read()
        left = self.stop_after - self.sent
        self.wire.send(octets[:left])
        self.sent += min(left, len(octets))
        if left < len(octets):
            raise Enough()

    def work(self, what, *args):
        while True:
            try:
                result = what(*args)
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                self.wire.fill_until(lambda: self.wire.buffer)
                self.incoming.write(self.wire.take(len(self.wire.buffer)))

    def handshake(self):
        self.work(self.tls.do_handshake)

    def write(self, octets):
        self.work(self.tls.write, octets)

    def read_line(self):
        while b"\r\n" not in self.buffer:
            self.buffer += self.work(self.tls.read, 65536)
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def read_response(self):
        """A line; what a literal holds of them is passed over."""
        line = self.read_line()
        while line.startswith(b"* ") and (head := re.search(rb"\{(\d+)\}$", line)):
            while len(self.buffer) < int(head[1]):
                self.buffer += self.work(self.tls.read, 65536)
            self.buffer = self.buffer[int(head[1]):]
            line = b"* " + self.read_line()
        return line


def at_every_byte(dropper):
    chapter(f"dropped at each of {len(dropper.text)} bytes")
    for cut in range(len(dropper.text) + 1):
        dropper.drop_plain(cut)
    step(f"{dropper.cuts} sessions were dropped, and none did anything by halves")


def over_tls(dropper):
    chapter("dropped within TLS")
    cut, first = 1, dropper.cuts
    while not dropper.drop_tls(cut):
        cut += TLS_STRIDE
    step(f"{dropper.cuts - first} sessions were dropped, {cut} bytes long the longest")


def play(site, pieces, acknowledged):
    """The script, piece by piece; acknowledged grows as it is answered."""
    try:
        with site.wire("imap") as wire:
            read_until_said(wire.read_response, ["* OK"])
            for text, answer in pieces:
                wire.send(text.encode("latin-1"))
                read_until_said(wire.read_response, [answer])
                acknowledged.append(answer)
    except (WireError, OSError):
        pass


def killed(site, dropper):
    """SIGKILL in the midst of it: what was acknowledged is done, and the next piece wholly or not at all."""
    chapter(f"{KILLS} times the daemon is killed")
    began = time.monotonic()
    play(site, dropper.pieces, whole := [])
    length = time.monotonic() - began
    dropper.judge("undisturbed", len(whole))
    for _ in range(KILLS):
        acknowledged = []
        player = threading.Thread(target=play, args=(site, dropper.pieces, acknowledged))
        player.start()
        time.sleep(random.uniform(0, length))
        site.kill("imap")
        player.join()
        claim_ok(until(lambda: site.sessions() == []), f"sessions of a dead daemon: {site.sessions()}")
        site.serve("imap")
        dropper.witness = Witness(site)
        n = len(acknowledged)
        dropper.judge(f"killed after {acknowledged[-1:]}", n, n + 1)


def main():
    seed = int(os.environ.get("POSTERN_SEED", random.randrange(1 << 32)))
    print(f"POSTERN_SEED={seed}")
    random.seed(seed)
    in_memory()
    with attacked(tls=True) as site:
        site.postern("folder", "create", "alice", "Work")
        site.reg("Maximum Allowed Service Sessions Per User", SESSIONS)
        site.serve("imap")
        dropper = Dropper(site)
        at_every_byte(dropper)
        over_tls(dropper)
        killed(site, dropper)
        chapter("afterwards")
        dropper.witness.wire.close()
        claim("no session is left", until(lambda: site.sessions() == []) or len(site.sessions()), True)
        site.postern("check")
        is_well(site)
        claim_that("every drop was judged", dropper.cuts > len(dropper.text))


if __name__ == "__main__":
    run_main(main)
