"""The two protocols of authd, as a mail server speaks them."""
import base64
import time

from harness.wire import Closed, WireError


def plain(user, password):
    return base64.b64encode(f"\0{user}\0{password}".encode()).decode()


class Asker:
    """A connection of the authentication protocol."""

    def __init__(self, site, **how):
        self.wire = site.wire("auth", **how)
        self.number = 0
        self.wire.send(b"VERSION\t1\t1\nCPID\t1\n")
        while self.wire.read_lf_line() != b"DONE":
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()

    def begin(self, user, password, address="198.51.100.1"):
        """Asks, and does not wait; the request's number."""
        self.number += 1
        self.wire.send(f"AUTH\t{self.number}\tPLAIN\tservice=smtp\tsecured\trip={address}\t"
                       f"resp={plain(user, password)}\n".encode())
        return self.number

    def answer(self):
        """The next answer's words."""
        return self.wire.read_lf_line().decode().split("\t")

    def ask(self, user, password, address="198.51.100.1"):
        """The answer's words but for the number, and the seconds that it took."""
        began = time.monotonic()
        number = self.begin(user, password, address)
        verb, answered, *words = self.answer()
        if answered != str(number):
            raise WireError(f"{verb} of {answered}, and {number} was asked")
        return [verb, *words], time.monotonic() - began


def ask_map(wire, question, raw=False):
    """Asks the socketmap; the answer without the netstring around it."""
    octets = question if raw else question.encode()
    wire.send(b"%d:%s," % (len(octets), octets))
    wire.fill_until(lambda: b":" in wire.buffer)
    n = int(wire.take(wire.buffer.index(b":") + 1)[:-1])
    wire.fill_until(lambda: len(wire.buffer) > n)
    text = wire.take(n + 1)
    if not text.endswith(b","):
        raise WireError(f"no netstring: {text!r}")
    return text[:-1].decode()


def is_closed(wire):
    try:
        while wire.fill(wire.seconds):
            pass
    except Closed:
        return True
    return False
