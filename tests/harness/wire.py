"""A raw TCP connection of a test: exact bytes out, exact lines in, and never a wait without end."""
import re
import socket
import ssl
import time
import zlib

from harness.programs import patience


class WireError(Exception):
    pass


class Closed(WireError):
    """The server closed the connection."""


class Timeout(WireError):
    """Nothing came in time."""


def tls_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # the test's own certificate
    return context


class Deflated:
    """A socket both ways of which are raw DEFLATE (RFC 4978), each send flushed."""

    def __init__(self, below):
        self.below = below
        self.packs = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        self.unpacks = zlib.decompressobj(-zlib.MAX_WBITS)

    def pack(self, data):
        return self.packs.compress(data) + self.packs.flush(zlib.Z_SYNC_FLUSH)

    def sendall(self, data):
        self.below.sendall(self.pack(data))

    def recv(self, n):
        while (packed := self.below.recv(n)):
            if (data := self.unpacks.decompress(packed)):
                return data
        return b""

    def __getattr__(self, name):
        return getattr(self.below, name)


class Wire:
    def __init__(self, port, host="127.0.0.1", tls=False, seconds=15, receive_buffer=None):
        self.seconds = patience(seconds)
        self.buffer = b""
        if isinstance(port, str):   # a path
            self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.socket.settimeout(self.seconds)
            self.socket.connect(port)
            return
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(self.seconds)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.start_tls()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start_tls(self):
        self.socket = tls_context().wrap_socket(self.socket)

    def start_deflate(self):
        self.socket = Deflated(self.socket)

    def close(self):
        self.socket.close()

    def reset(self):
        """Closes with RST: the peer that is gone without a word."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def send(self, data):
        try:
            self.socket.sendall(data)
        except TimeoutError:
            raise Timeout("the server stopped reading")
        except OSError as e:
            raise Closed(f"the server closed the connection ({e})")

    def send_line(self, text):
        self.send(text.encode() + b"\r\n")

    def fill(self, seconds):
        """Waits for more bytes; False if none came in time."""
        self.socket.settimeout(max(seconds, 0.0001))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError as e:
            raise Closed(f"the server closed the connection ({e})")
        finally:
            self.socket.settimeout(self.seconds)
        if not data:
            raise Closed("the server closed the connection")
        self.buffer += data
        return True

    def fill_until(self, complete, seconds=None):
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        while not complete():
            if not self.fill(end - time.monotonic()) and time.monotonic() >= end:
                raise Timeout("nothing more came" + (f"; so far: {self.buffer!r}" if self.buffer else ""))

    def take(self, n):
        taken, self.buffer = self.buffer[:n], self.buffer[n:]
        return taken

    def read_exactly(self, n, seconds=None):
        self.fill_until(lambda: len(self.buffer) >= n, seconds)
        return self.take(n)

    def read_line(self, seconds=None):
        """One line without its CRLF; a line that ends in a bare LF is an error."""
        self.fill_until(lambda: b"\n" in self.buffer, seconds)
        line = self.take(self.buffer.index(b"\n") + 1)
        if not line.endswith(b"\r\n"):
            raise WireError(f"a line without CR before its LF: {line!r}")
        return line[:-2]

    def read_lf_line(self, seconds=None):
        """One line of a protocol whose lines end with LF, without it."""
        self.fill_until(lambda: b"\n" in self.buffer, seconds)
        line = self.take(self.buffer.index(b"\n") + 1)
        if line.endswith(b"\r\n"):
            raise WireError(f"a line with CR before its LF: {line!r}")
        return line[:-1]

    def read_response(self, seconds=None):
        """An IMAP line with its literals: `* 1 FETCH (BODY[] {3}\\r\\nabc)`."""
        line = self.read_line(seconds)
        while line.startswith(b"* ") and (literal := re.search(rb"\{(\d+)\}$", line)):
            line += b"\r\n" + self.read_exactly(int(literal[1]), seconds)
            line += self.read_line(seconds)
        return line

    def read_multiline(self, seconds=None):
        """A POP3 multi-line answer after its +OK: the lines up to the lone dot, dots unstuffed."""
        lines = []
        while (line := self.read_line(seconds)) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        return lines

    def read_until_closed(self, seconds=None):
        """Everything the server still says before it closes."""
        try:
            self.fill_until(lambda: False, seconds)
        except Closed:
            pass
        return self.take(len(self.buffer))

    def pending(self):
        """True if something is there to be read now."""
        try:
            return bool(self.buffer) or self.fill(0)
        except Closed:
            return False

    # Short forms for stories.
    def ask(self, text):
        """Sends a line, returns the next one as text."""
        self.send_line(text)
        return self.read_line().decode("latin-1")

    def imap(self, text):
        """Sends `TAG COMMAND ...`; returns every line up to the tagged one, as text."""
        tag = text.split(" ", 1)[0].encode() + b" "
        self.send_line(text)
        lines = []
        while not lines or not lines[-1].startswith(tag):
            lines.append(self.read_response())
        return [line.decode("latin-1") for line in lines]
