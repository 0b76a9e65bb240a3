"""postern top on a pseudo-terminal: keys, sizes, signals, and the terminal as it was before.  alice and bob hold a session each."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

PROGRAM, STORE = sys.argv[1:3]
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
PATIENCE_S = 20 * float(os.environ.get("POSTERN_PATIENCE", "1"))


class Terminal:
    """A program on a terminal of its own; `seen` is what it wrote since the last key."""

    def __init__(self, *arguments, term="xterm", size=(24, 100)):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.seen, self.all = b"", b""
        self.resize(*size)
        self.child = subprocess.Popen([PROGRAM, "--store", STORE, "top", *arguments], stdin=self.slave, stdout=self.slave,
                                      stderr=self.slave, start_new_session=True, env={**os.environ, "TERM": term},
                                      preexec_fn=self.own)

    @staticmethod
    def own():
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def resize(self, lines, columns):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def read(self, timeout_s=0.1):
        while select.select([self.master], [], [], timeout_s)[0]:
            got = os.read(self.master, 65536)
            self.seen += got
            self.all += got
            timeout_s = 0

    def expect(self, *words):
        end = time.monotonic() + PATIENCE_S
        while not all(word in self.seen for word in words):
            assert time.monotonic() < end, f"{words} in {self.seen!r}"
            assert self.child.poll() is None, f"it ended: {self.all!r}"
            self.read()

    def press(self, keys):
        self.read(0)
        self.seen = b""
        os.write(self.master, keys)

    def ends(self, status):
        end = time.monotonic() + PATIENCE_S
        while self.child.poll() is None:
            assert time.monotonic() < end, "it does not end"
            self.read()
        self.read()
        assert self.child.returncode == status, (self.child.returncode, self.all)
        assert termios.tcgetattr(self.slave) == self.before, "the terminal's mode is another"
        os.close(self.master)
        os.close(self.slave)
        return self.all

    def ends_clean(self):
        wrote = self.ends(0)
        assert wrote.count(ENTER) == wrote.count(LEAVE) > 0 and wrote.rindex(LEAVE) > wrote.rindex(ENTER), wrote
        assert wrote.rindex(b"\x1b[?25h") > wrote.rindex(b"\x1b[?25l"), "the cursor stays hidden"
        assert wrote.rindex(b"\x1b[?7h") > wrote.rindex(b"\x1b[?7l"), "long lines stay cut"


def keys_and_sizes():
    terminal = Terminal("--interval", "3600")
    terminal.expect(b"users     2 hold any", b"\x1b[7malice", b"1 of 2  q quit")
    terminal.press(b"\x1b[B")
    terminal.expect(b"\x1b[7mbob", b"2 of 2  q quit")
    terminal.press(b"\x1b[5~")
    terminal.expect(b"\x1b[7malice")
    terminal.press(b"r")
    terminal.expect(b"\x1b[7mbob", b"alice")
    terminal.press(b"e")
    terminal.expect(b"press s first")
    # Eleven lines have room for two rows, ten for one; what is wider than the screen is cut.
    terminal.press(b"u")
    terminal.expect(b"\x1b[7malice", b"bob")
    terminal.seen = b""
    terminal.resize(10, 40)
    terminal.expect(b"\x1b[10H")
    assert b"bob" not in terminal.seen and b"alice" in terminal.seen, terminal.seen
    assert b"services  of 10000 each:  fs 0  IMAP4 0 \x1b[0m" in terminal.seen, terminal.seen
    terminal.press(b"\x1bOB")
    terminal.expect(b"\x1b[7mbob", b"\x1b[10H")
    assert b"alice" not in terminal.seen, terminal.seen
    terminal.seen = b""
    terminal.resize(24, 200)
    terminal.expect(b"alice", b"\x1b[7mbob")
    # Names; then the only one's session is ended, after a question that another key than y takes back.
    terminal.press(b"/q")
    terminal.expect(b"begin with: q_", b"USER")
    terminal.press(b"\x7fBO\r")
    terminal.expect(b"1 of 1  q quit", b"bob")
    terminal.press(b"s")
    terminal.expect(b"FROM, FOLDER, CLIENT", b"127.0.0.1:", b"INBOX")
    assert b"alice" not in terminal.seen, terminal.seen
    terminal.press(b"e")
    terminal.expect(b"end session ", b"(y/n)")
    terminal.press(b"n")
    terminal.expect(b"1 of 1  q quit")
    terminal.press(b"e")
    terminal.expect(b"(y/n)")
    terminal.press(b"y")
    terminal.expect(b" is ended", b"sessions  1:", b"/s)")
    terminal.press(b"/\x1b")
    terminal.expect(b"alice")
    terminal.press(b"q")
    terminal.ends_clean()


def signals():
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        terminal = Terminal()
        terminal.expect(b"1 of 1  q quit")
        terminal.child.send_signal(number)
        terminal.ends_clean()
    terminal = Terminal("sessions")
    terminal.expect(b"1 of 1  q quit")
    terminal.press(b"\x03")
    terminal.ends_clean()
    # It looks again by itself, and comes back after a stop with the terminal given back meanwhile.
    terminal = Terminal("--interval", "1")
    terminal.expect(b"since the host is up", b"granted   0 (0.0/s)")
    terminal.child.send_signal(signal.SIGTSTP)
    terminal.expect(LEAVE)
    os.waitid(os.P_PID, terminal.child.pid, os.WSTOPPED | os.WNOWAIT)
    assert termios.tcgetattr(terminal.slave) == terminal.before
    terminal.seen = b""
    terminal.child.send_signal(signal.SIGCONT)
    terminal.expect(ENTER, b"1 of 1  q quit")
    terminal.press(b"q")
    terminal.ends_clean()


def terminals_that_will_not_do():
    for term in ("dumb", ""):
        wrote = Terminal(term=term).ends(1)
        assert b"--once" in wrote and ENTER not in wrote, wrote
    wrote = Terminal("--once", term="dumb").ends(0)
    assert b"users     1 hold any" in wrote and b"\x1b" not in wrote, wrote


keys_and_sizes()
signals()
terminals_that_will_not_do()
