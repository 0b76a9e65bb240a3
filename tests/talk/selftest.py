#!/usr/bin/env python3
"""The runner itself, against a tiny server that says what it is told to: what must pass passes, and,
more to the point, every kind of difference is found."""
import os
import socket
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from talk.script import ScriptError, parse
from talk.converse import talk


class Server:
    """Answers each line by what `answers` holds for it; a connection it does not know is greeted."""

    def __init__(self, greeting, answers):
        self.greeting, self.answers = greeting, answers
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def serve(self, peer):
        peer.sendall(self.greeting)
        for line in peer.makefile("rb"):
            answer = self.answers.get(line.rstrip(b"\r\n"), b"")
            if answer is None:
                break
            peer.sendall(answer)
        peer.shutdown(socket.SHUT_RDWR)
        peer.close()

    def close(self):
        self.listener.close()


IMAP = {
    b"a NOOP": b"* 3 EXISTS\r\n* 1 RECENT\r\na OK done\r\n",
    b"a LITERAL": b"* 1 FETCH (BODY[] {5}\r\nx\r\ny\r UID 7)\r\na OK done\r\n",
    b"a FETCH 7": b"a OK seven\r\n",
    b"a APPEND {3}": b"+ go\r\n",
    b"abc": b"a OK got it\r\n",
    b"a BYE": None,
    b"a BARE": b"a OK bare\n",
    b"a DOLLAR ~ $Junk": b"a OK ~ $Junk\r\n",
    b"a IDLE": b"+ idling\r\n* 4 EXISTS\r\n",
}
POP3 = {b"CAPA": b"+OK list\r\nTOP\r\nUIDL\r\nUSER\r\n.\r\n"}

HOLDS = {
    "untagged lines in any order": "1 C: a NOOP\n1 S: * 1 RECENT\n1 S: * 3 EXISTS\n1 S: a OK done",
    "any text, and unlisted untagged lines": "1 C: a NOOP\n1 S: a OK ~",
    "extra refuse, all listed": "extra refuse\n1 C: a NOOP\n1 S: * 3 EXISTS\n1 S: * 1 RECENT\n1 S: a OK ~",
    "literals": "1 C: a LITERAL\n1 S{ * 1 FETCH (BODY[] {5}\\r\\nx\\r\\ny\\x0d UID 7)\n1 S: a OK ~",
    "a name is bound and sent": "1 C: a LITERAL\n1 S: * 1 FETCH ~ UID $u)\n1 S: a OK ~\n"
                                "1 C: a FETCH $u\n1 S: a OK seven",
    "comments": "# first\n1 C: a NOOP    # a comment\n1 S: a OK done   # another",
    "a dollar and a tilde": "1 C: a DOLLAR ~ $$Junk\n1 S: a OK ~~ $$Junk",
    "raw bytes": "1 C{ a NO\n1 C{ OP\\x0d\\n\n1 S: a OK done",
    "continuation": "1 C: a APPEND {3}\n1 S: + ~\n1 C: abc\n1 S: a OK got it",
    "what has not come": "1 C: a NOOP\n1 S: a OK done\n1 !S: * BYE",
    "claimed lines do not count as come": "1 C: a NOOP\n1 S: * 3 EXISTS\n1 S: a OK ~\n1 !S: * 3 EXISTS",
    "the greeting": "1 S: * OK hello\n1 C: a NOOP\n1 S: a OK done",
    "two connections": "1 C: a NOOP\n2 C: a NOOP\n2 S: a OK done\n1 S: a OK done",
    "closed by the server": "1 C: a BYE\n1 closed",
    "untagged after the continuation": "1 C: a IDLE\n1 S: + idling\n1 S: * 4 EXISTS",
}
FAILS = {
    "another tagged answer": ("1 C: a NOOP\n1 S: a NO ~", "a OK done"),
    "an untagged line is missing": ("1 C: a NOOP\n1 S: * 9 EXISTS\n1 S: a OK ~", "* 9 EXISTS"),
    "one line does not count twice": ("1 C: a NOOP\n1 S: * 3 EXISTS\n1 S: * 3 EXISTS\n1 S: a OK ~", "before"),
    "extra refuse": ("extra refuse\n1 C: a NOOP\n1 S: * 3 EXISTS\n1 S: a OK ~", "* 1 RECENT"),
    "it came": ("1 C: a NOOP\n1 S: a OK ~\n1 !S: * 3", "should not have said"),
    "it came, tested in the group": ("1 C: a NOOP\n1 !S: * 3\n1 S: a OK ~", "should not have said"),
    "a line without CR": ("1 C: a BARE\n1 S: a OK ~", "without CR"),
    "silence": ("1 C: a NOTHING\n1 S: a OK ~", "nothing more came"),
    "not closed": ("1 C: a NOOP\n1 closed", "still open"),
    "closed": ("1 C: a BYE\n1 S: a OK ~", "closed the connection"),
    "another value than bound": ("1 C: a NOOP\n1 S: * $n EXISTS\n1 S: a OK ~\n1 C: a NOOP\n1 S: * $n RECENT\n"
                                 "1 S: a OK ~", "$n RECENT"),
    "an unbound name is sent": ("1 C: a FETCH $u\n1 S: a OK ~", "not bound"),
    "a whole line, not its beginning": ("1 C: a NOOP\n1 S: a OK", "a OK done"),
    "a dot is a dot": ("1 C: a NOOP\n1 S: a.OK done", "a OK done"),
    "a wrong byte in a literal": ("1 C: a LITERAL\n1 S{ * 1 FETCH (BODY[] {5}\\r\\nx\\r\\nz\\r UID 7)\n1 S: a OK ~",
                                  "before its tagged"),
}
UNPARSED = {
    "no such verb": "1 X: a",
    "no such word": "frobnicate alice",
    "too few words": "user\n1 C: a",
    "preparation too late": "1 C: a\nuser alice",
    "nothing said": "user alice",
    "text after close": "1 close now",
    "another extra": "extra allow\n1 C: a",
}


def run(text, door, greeting, answers):
    server = Server(greeting, answers)
    with tempfile.NamedTemporaryFile("w", suffix=".talk") as f:
        f.write(text)
        f.flush()
        try:
            return talk(parse(f.name, door), None, {door: server.port})
        finally:
            server.close()


def imap(text):
    return run(text, "imap", b"* OK hello\r\n", IMAP)


class TalkTest(unittest.TestCase):
    def test_what_holds_passes(self):
        for name, text in HOLDS.items():
            with self.subTest(name):
                self.assertIsNone(imap(text))

    def test_every_difference_is_found_and_named(self):
        for name, (text, said) in FAILS.items():
            with self.subTest(name):
                wrong = imap(text)
                self.assertIsNotNone(wrong)
                self.assertIn(said, wrong.split("\n\n")[-1])

    def test_pop3_is_compared_line_by_line(self):
        whole = "1 C: CAPA\n1 S: +OK ~\n1 S: TOP\n1 S: UIDL\n1 S: USER\n1 S: ."
        self.assertIsNone(run(whole, "pop3", b"+OK hi\r\n", POP3))
        self.assertIsNone(run("1 C: CAPA\n1 S: +OK ~\n1 S: ...\n1 S: USER\n1 S: .", "pop3", b"+OK hi\r\n", POP3))
        swapped = whole.replace("TOP", "X").replace("UIDL", "TOP")
        self.assertIn("TOP", run(swapped, "pop3", b"+OK hi\r\n", POP3))

    def test_a_bad_greeting_is_found(self):
        self.assertIn("not greeted", run("1 C: a NOOP", "imap", b"* BYE no\r\n", IMAP))

    def test_a_bad_transcript_does_not_parse(self):
        for name, text in UNPARSED.items():
            with self.subTest(name), self.assertRaises(ScriptError):
                imap(text)


if __name__ == "__main__":
    os.environ["POSTERN_PATIENCE"] = "0.05"  # silence is waited for in two cases; the server answers at once
    unittest.main()
