"""One connection of a transcript: what it has heard, and what of that an `S:` line has claimed."""
from harness.wire import Closed, Timeout, Wire, WireError


GREETINGS = {"imap": "* OK", "pop3": "+OK", "lmtp": "220 ", "auth": "VERSION\t"}


class Unlike(Exception):
    """The conversation was not as written."""


def show(text):
    """Bytes (held as latin-1) as a person reads them: UTF-8 where it is, escapes where it is not."""
    text = text.encode("latin-1").decode("utf-8", "backslashreplace").replace("\r\n", "\\r\\n")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def is_untagged(text):
    return text.startswith("* ")


class Heard:
    def __init__(self, text):
        self.text, self.claimed = text, False


class Party:
    def __init__(self, number, port, door, journal, tls=False):
        self.number, self.door, self.journal = number, door, journal
        self.wire = Wire(port, tls=tls)
        self.heard = []         # everything since the beginning
        self.since_sent = 0     # where in `heard` the answers to the last `C:` begin
        self.greeted = False

    def note(self, line, direction, text):
        self.journal.append(f"{line:4} | {self.number} {direction}: {show(text)}")

    def greet(self, line):
        """The greeting, where the transcript has not asked for it itself."""
        if not self.greeted:
            greeting = self.read(line)
            good = GREETINGS[self.door]
            if not greeting.text.startswith(good):
                raise Unlike(f"connection {self.number} was not greeted: {show(greeting.text)}")
            greeting.claimed = True

    def send(self, line, text):
        self.greet(line)
        self.since_sent = len(self.heard)
        self.note(line, "C", text if len(text) <= 2000 else f"{text[:200]}... ({len(text)} bytes)")
        self.wire.send(text.encode("latin-1"))

    def read(self, line, seconds=None):
        read = {"imap": self.wire.read_response, "auth": self.wire.read_lf_line}.get(self.door, self.wire.read_line)
        heard = Heard(read(seconds).decode("latin-1"))
        self.greeted = True
        self.note(line, "S", heard.text)
        self.heard.append(heard)
        return heard

    def drain(self, line):
        """Takes in what is there already, without waiting."""
        try:
            while self.wire.pending():
                self.read(line, 1)
        except (Closed, Timeout):
            pass

    # --- expectations: (line, pattern, text) in the order written ---

    def expect(self, expected, names, extra_refused):
        if self.door == "imap":
            self.expect_imap(expected, names, extra_refused)
        else:
            self.expect_in_order(expected, names)

    def expect_in_order(self, expected, names):
        """POP3: line by line; `...` stands for any lines, as few as possible."""
        skipping = False
        for line, text in expected:
            if text[0] == "...":
                skipping = True
                continue
            while True:
                heard = self.next_heard(line, text)
                heard.claimed = True
                match = names.expect(*text).fullmatch(heard.text)
                if match:
                    names.bind(match)
                    break
                if not skipping:
                    raise Unlike(f"line {line}: connection {self.number} said\n      {show(heard.text)}\n"
                                 f"   where this was expected:\n      {show(text[0])}")
            skipping = False

    def expect_imap(self, expected, names, extra_refused):
        """IMAP: a tagged or `+` line in its place; the untagged ones before it in any order."""
        untagged = []
        for line, text in expected:
            if is_untagged(text[0]):
                untagged.append((line, text))
                continue
            heard = self.next_heard(line, text)
            while is_untagged(heard.text):
                heard = self.next_heard(line, text)
            self.claim_untagged(untagged, names, wait=False)
            untagged = []
            match = names.expect(*text).fullmatch(heard.text)
            if not match:
                raise Unlike(f"line {line}: connection {self.number} said\n      {show(heard.text)}\n"
                             f"   where this was expected:\n      {show(text[0])}")
            heard.claimed = True
            names.bind(match)
            if extra_refused:
                self.refuse_extra(line)
        self.claim_untagged(untagged, names, wait=True)

    def next_heard(self, line, text):
        try:
            return self.read(line)
        except WireError as e:
            raise Unlike(f"line {line}: connection {self.number}: {e}\n   where this was expected:\n"
                         f"      {show(text[0])}")

    def claim_untagged(self, expected, names, wait):
        for line, text in expected:
            while not self.claim_one(names.expect(*text), names):
                if not wait:
                    raise Unlike(f"line {line}: connection {self.number} did not say before its tagged "
                                 f"answer:\n      {show(text[0])}")
                heard = self.next_heard(line, text)
                if not is_untagged(heard.text):
                    raise Unlike(f"line {line}: connection {self.number} said\n      {show(heard.text)}\n"
                                 f"   where this was expected:\n      {show(text[0])}")

    def claim_one(self, pattern, names):
        for heard in self.heard[self.since_sent:]:
            match = None if heard.claimed else pattern.fullmatch(heard.text)
            if match:
                heard.claimed = True
                names.bind(match)
                return True
        return False

    def refuse_extra(self, line):
        for heard in self.heard[self.since_sent:]:
            if not heard.claimed:
                raise Unlike(f"line {line}: connection {self.number} also said, with `extra refuse`:\n"
                             f"      {show(heard.text)}")

    def refute(self, line, text, names):
        """`!S:` no unclaimed line so far begins like this."""
        self.drain(line)
        pattern = names.expect(*text)
        for heard in self.heard:
            if not heard.claimed and pattern.match(heard.text):
                raise Unlike(f"line {line}: connection {self.number} should not have said\n"
                             f"      {show(heard.text)}")

    def expect_closed(self, line):
        try:
            while True:
                self.read(line)
        except Closed:
            return
        except Timeout:
            raise Unlike(f"line {line}: connection {self.number} is still open")
