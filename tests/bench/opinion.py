#!/usr/bin/env python3
"""opinion.py [options]: what another server says of hard messages.

Gives the same messages to postern and to a private instance of Debian's Dovecot: those of the structure
transcripts, odd MIME from a seeded generator, and the corpus of real mail where there is one (POSTERN_CORPUS).
Asks both for ENVELOPE, BODYSTRUCTURE and the octets of every part that either of them sees, and prints where they
differ, class by class; a class that KNOWN explains is counted only.  Ends with 1 where one is not explained.

    POSTERN_BUILD=build tests/bench/opinion.py --generated 2000 --seed 7
"""
import argparse
import collections
import glob
import itertools
import os
import random
import re
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, HERE)
from clients.mailbag import corpus_path, messages  # noqa: E402
from compare import Dovecot  # noqa: E402
from harness.programs import Skip, run_main  # noqa: E402
from harness.site import PASSWORD, Site  # noqa: E402
from harness.wire import Wire  # noqa: E402

TALKS = os.path.join(HERE, "..", "talk")
FIELDS = b"Subject From To"
EXAMPLES = 3

# What the two read differently where it stands alone, and why ours stands.  doc/DEPARTURES.md has ours in full.
PLACEHOLDER = "Dovecot makes up MISSING_MAILBOX, MISSING_DOMAIN or SYNTAX_ERROR where there is none"
NO_TYPE = "no type by RFC 2045 5.1, so text/plain (5.2); Dovecot tells what it could read of it"
QUIRKS = {
    "To": {
        ",": "an empty item is none (RFC 5322 4.4)", "a@b@c": "cut at the last @; Dovecot drops what is behind the second",
        "a": PLACEHOLDER, "a@": PLACEHOLDER, "Ann": PLACEHOLDER, "<>": PLACEHOLDER, "Ann <a@example.org": PLACEHOLDER,
        "@example.org": PLACEHOLDER, "\"unclosed <a@example.org>": PLACEHOLDER, "a: b: c@d;": PLACEHOLDER,
        "Ann <a@example.org> trailing": "words behind the angle belong to the name",
        "a@example.org b@example.org": "nothing that was written is dropped",
        "a . b @ example . org": "blanks around dots are allowed (RFC 5322 4.4)",
    },
    "Content-Type": {
        "text/": NO_TYPE, "/plain": NO_TYPE, "x; y=z": NO_TYPE, "text": NO_TYPE, "\"text\"/plain": NO_TYPE,
        "text/plain;;charset=x": "an empty parameter ends nothing", "text/plain; =x": "a value without a name is none",
        "text/plain; name=a b c": "nothing that was written is dropped",
        "multipart/mixed": "a multipart without a boundary is text",
        "multipart/mixed; boundary=never": "all of it is one part, where the boundary never comes",
    },
    "Content-Transfer-Encoding": {"7 bit": "the first token", "base64;": "the first token; Dovecot takes it for 7bit"},
    "Content-Disposition": {
        "": "no type is none", "\"attachment\"; filename=x": "a type is a token (RFC 2183 2)",
        "; filename=x": "what is not known is an attachment (RFC 2183 2.8)",
    },
}

# Class of difference, by a test of both sides -> why it is ours that stands.
KNOWN = (
    ("blanks at a value's ends are left out, those within stay", lambda kind, a, b: is_blanks(a, b)),
    ("blanks in a Content-Location are left out (RFC 2557 4.4)",
     lambda kind, a, b: kind.endswith("location") and is_bytes(a, b) and b"".join(a.split()) == b"".join(b.split())),
    (PLACEHOLDER, lambda kind, a, b: kind.startswith("envelope") and re.search(r"b'(MISSING_|SYNTAX_ERROR)", repr(b))),
    ("a comment in a Content-Language is left out (RFC 3282 2)", lambda kind, a, b: kind.endswith("language") and b is None),
    ("the line end before a delimiter is the delimiter's (RFC 2046 5.1.1), behind an inner end too",
     lambda kind, a, b: kind.startswith("BODY") and is_bytes(a, b) and a + b"\r\n" == b),
    ("the line end before a delimiter is the delimiter's (RFC 2046 5.1.1), behind an inner end too",
     lambda kind, a, b: kind in ("part's octets", "part's lines") and int(b) - int(a) == (2 if kind == "part's octets" else 1)),
    ("where the boundary never comes all there is is one part; Dovecot makes up an empty one",
     lambda kind, a, b: b in (b"", b"0") and kind in ("BODY[n]", "part's octets", "part's lines")),
    ("a multipart without a boundary is text",
     lambda kind, a, b: kind == "parts" and a == {"1": b"text/plain"} and b.get("0", b"").startswith(b"multipart/")),
    ("a blank line that is the delimiter's line end too is told as the header's end (RFC 9051 6.4.5.1)",
     lambda kind, a, b: kind.startswith("BODY") and is_bytes(a, b) and a == b + b"\r\n"),
    ("without MIME-Version the fields of MIME are read as well (RFC 2045 4)",
     lambda kind, a, b: kind == "part's params" and isinstance(b, dict) and b.get(b"charset") == b"us-ascii" and
     a.get(b"charset") == b"US-ASCII"),
    ("the first of two fields; Dovecot takes the last",
     lambda kind, a, b: kind == "envelope subject" and (a, b) == (b"Testing outlook", b"Another PDF")),
    ("no disposition is none", lambda kind, a, b: kind == "part's disposition" and a is None and b == [b"", None]),
    ("an encoding is its first token; Dovecot takes it for 7bit where more follows",
     lambda kind, a, b: kind == "part's encoding" and b == b"7bit"),
    ("nothing of a parameter or an address that was written is dropped", lambda kind, a, b: b and drops_words(a, b)),
    ("a boundary with '=' that is not quoted is whole; Dovecot's ends at the '=', and then fits its own end",
     lambda kind, a, b: kind == "parts" and a == dict(list(b.items())[:-1]) and list(b.items())[-1][1] == b"text/plain"),
    ("sections of RFC 2231 that are not encoded themselves are encoded where they are joined",
     lambda kind, a, b: re.search(r"\*': b\"[^\"]* ", repr(b)) and "%20" in repr(a)),
)


def is_bytes(a, b):
    return isinstance(a, bytes) and isinstance(b, bytes)


def drops_words(a, b):
    """Whether theirs is ours without what stands behind a blank or a second @."""
    if isinstance(a, (list, dict)) and type(a) is type(b):
        ours, theirs = (list(x.values()) if isinstance(x, dict) else x for x in (a, b))
        return len(ours) >= len(theirs) and any(drops_words(x, y) for x in ours for y in theirs if x != y)
    return is_bytes(a, b) and re.match(re.escape(b) + rb"[ @]", a) is not None


def is_blanks(a, b):
    """Whether two values, or lists of them, are the same but for blanks."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(x == y or is_blanks(x, y) for x, y in zip(a, b))
    return is_bytes(a, b) and b" ".join(a.split()) == b" ".join(b.split())


# --- the messages -----------------------------------------------------------------------------------

def split_mbox(data):
    return [mail.partition(b"\n")[2] for mail in re.split(rb"(?m)^(?=From )", data) if mail]


def unescape(text):
    return re.sub(rb"\\(r|n|t|0|\\|x[0-9a-f]{2})", lambda m: {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0",
                  b"\\": b"\\"}.get(m[1]) or bytes([int(m[1][1:], 16)]), text)


def of_transcripts():
    for path in sorted(glob.glob(os.path.join(TALKS, "mail", "*")) + glob.glob(os.path.join(TALKS, "imap", "*.eml"))):
        with open(path, "rb") as f:
            data = f.read()
        for n, mail in enumerate(split_mbox(data) if path.endswith(".mbox") else [data]):
            yield f"{os.path.basename(path)} {n + 1}", mail
    with open(os.path.join(TALKS, "imap", "structure.talk"), "rb") as f:
        for n, mail in re.findall(rb"(?m)^1 C\{ (\w+) APPEND INBOX \{\d+\+\}\\r\\n(.*)$", f.read()):
            yield f"structure.talk {n.decode()}", unescape(mail)[:-2]


class Odd:
    """Odd mail: each choice is one that somebody's software makes."""

    TYPES = ("text/plain", "text/html", "TEXT/Plain; charset=utf-8", "text/plain; charset=\"iso-8859-1\"; format=flowed",
             "image/png; name=\"a b.png\"", "application/octet-stream", "text", "text/", "/plain", "text/plain;", "x; y=z",
             "text/plain; charset", "text/plain; charset=", "text/plain; a=1; A=2", "text/plain (comment); charset=us-ascii",
             "image/png; name*=utf-8''%C3%A4.png", "image/png; name*0=\"a\"; name*1=\"b\"",
             "image/png; name*0*=utf-8''%C3; name*1*=%A4; name*2=x", "text/plain; charset=us-ascii; name=\"a\\\"b\"",
             "message/delivery-status", "message/partial; id=x; number=1", "application/pdf;name=a;size=3", "\"text\"/plain",
             "text/plain; name=a b c", "text / plain", "text/plain;\r\n\tcharset=utf-8", "text/plain; =x", "text/plain;;charset=x",
             "multipart/mixed", "multipart/mixed; boundary=never")
    ENCODINGS = (None, None, "7bit", "8bit", "BASE64", "quoted-printable", "binary", "x-uuencode", "", "7bit (comment)",
                 "7 bit", "base64;", "\"base64\"")
    DISPOSITIONS = (None, None, "inline", "attachment; filename=a.txt", "ATTACHMENT; filename=\"a b\"; size=3", "attachment;",
                    "attachment; filename*=utf-8'en'a%20b", "", "; filename=x", "\"attachment\"; filename=x")
    ADDRESSES = ("a@example.org", "Ann <a@example.org>", "\"Ann, B.\" <a@example.org>", "<a@example.org>", "a", "Ann", "",
                 "a@example.org, b@example.org", "friends: a@example.org, B <b@example.org>;", "nobody:;", "a@example.org (Ann)",
                 "Ann <a@example.org", "<>", "=?utf-8?q?=C3=A4?= <a@example.org>", "<@x,@y:a@example.org>", "a@", "@example.org",
                 "a b <c@example.org>", "\"a b\"@example.org", "a@[127.0.0.1]", "a . b @ example . org", ",", "a@example.org;",
                 "Ann \"B\" C <a@example.org>", "(only a comment)", "a@b@c", "Ann <a@example.org> trailing", "a: b: c@d;",
                 "Ann\r\n <a@example.org>", "a@example.org,\r\n\tb@example.org", "\xe4@example.org", "\"unclosed <a@example.org>",
                 "A.N. Other <o@example.org>", "undisclosed-recipients:", "a@example.org b@example.org", "'a@example.org'")
    VALUES = ("x", "", " ", "=?utf-8?q?=C3=A4?=", "a\r\n b", "a\r\n\tb", "\"quoted\"", "back\\slash", "(comment)", "\xe4\xf6",
              "<id@example.org>", "<a@b> <c@d>", "Mon, 3 Mar 2025 10:01:00 +0000", "no date at all", "a\tb", "a  b", "\r\n folded first")
    LANGUAGES = ("de", "de, en", "", "(c) de")
    LINES = ("", "A line.", "-- ", "--", "--b2", "--b2--", " --b2", "--b2 ", "--b2\t", "From here", ".", "\xe9t\xe9", "=3D=", "YWJj",
             "x" * 100)

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, values, field=None):
        """One of them; not one that is read differently in that field anyway, which hides what is around it."""
        return self.random.choice([value for value in values if value not in QUIRKS.get(field, ())])

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def field(self, name, value):
        return "" if value is None else self.pick((name, name, name, name.lower(), name.upper())) + self.pick((": ", ": ", ":", ":  ")) + value + "\r\n"

    def content_fields(self, kind):
        fields = [("Content-Type", kind), ("Content-Transfer-Encoding", self.pick(self.ENCODINGS, "Content-Transfer-Encoding")),
                  ("Content-Disposition", self.pick(self.DISPOSITIONS, "Content-Disposition"))]
        for name in ("Content-ID", "Content-Description", "Content-MD5", "Content-Location"):
            fields.append((name, self.pick(self.VALUES) if self.chance(10) else None))
        fields.append(("Content-Language", self.pick(self.LANGUAGES) if self.chance(10) else None))
        self.random.shuffle(fields)
        return "".join(self.field(*field) for field in fields)

    def text(self):
        lines = [self.pick(self.LINES) for _ in range(self.random.randrange(5))]
        return "\r\n".join(lines) + self.pick(("", "\r\n", "\r\n\r\n"))

    def multipart(self, depth):
        boundary = f"{self.pick(('b', 'c d', '=_x', 'b'))}{depth}"
        written = f'"{boundary}"' if " " in boundary or "=" in boundary or self.chance(60) else boundary
        kind = self.pick(("mixed", "alternative", "digest", "signed", "X-odd")) + "; boundary=" + written
        parts = [self.entity(depth - 1) for _ in range(self.pick((1, 1, 2, 3)))]
        body = self.text() + "\r\n" if self.chance(30) else ""
        for part in parts:
            body += self.pick(("--", "--", "--", "\r\n--")) + boundary + self.pick(("", "", "", " ", "\t")) + "\r\n" + part + "\r\n"
        if not self.chance(20):
            body += f"--{boundary}--" + self.pick(("", "\r\n", "\r\nAn epilogue.\r\n", "  \r\n"))
        return self.pick(("multipart/", "multipart/", "Multipart/")) + kind, body

    def entity(self, depth, top=""):
        """A part, header and all."""
        what = self.random.randrange(10)
        if depth > 0 and what < 4:
            kind, body = self.multipart(depth)
        elif depth > 0 and what < 6:
            kind, body = "message/rfc822", self.message(depth - 1)
        elif self.chance(15):
            kind, body = None, self.text()
        else:
            kind, body = self.pick(self.TYPES, "Content-Type"), self.text()
        header = top + self.content_fields(kind)
        if self.chance(4):
            header += "not a field\r\n"
        if self.chance(3):
            return header.rstrip("\r\n") if self.chance(50) else header
        return header + "\r\n" + body

    def message(self, depth):
        fields = []
        for name in ("From", "Sender", "Reply-To", "To", "Cc", "Bcc"):
            for _ in range(self.pick((0, 1, 1, 1, 2)) if name in ("From", "To") else self.pick((0, 0, 0, 1))):
                fields.append((name, self.pick(self.ADDRESSES, "To")))
        for name in ("Subject", "Date", "Message-ID", "In-Reply-To"):
            if self.chance(50):
                fields.append((name, self.pick(self.VALUES)))
        self.random.shuffle(fields)
        fields.append(("MIME-Version", "1.0"))
        return self.entity(depth, "".join(self.field(*field) for field in fields))


def each_alone():
    """Each choice of Odd's in a message that is fine otherwise."""
    plain = {"Subject": "s", "MIME-Version": "1.0"}
    for name, values in (("To", Odd.ADDRESSES), ("Content-Type", Odd.TYPES), ("Content-Transfer-Encoding", Odd.ENCODINGS),
                         ("Content-Disposition", Odd.DISPOSITIONS), ("Subject", Odd.VALUES), ("Date", Odd.VALUES),
                         ("Message-ID", Odd.VALUES), ("Content-ID", Odd.VALUES), ("Content-Description", Odd.VALUES),
                         ("Content-Location", Odd.VALUES), ("Content-Language", Odd.LANGUAGES)):
        for value in filter(lambda value: value is not None, values):
            header = "".join(f"{k}: {v}\r\n" for k, v in {**plain, name: value}.items())
            yield f"{name}: {value!r}", f"{header}\r\nA line.\r\n".encode("latin-1")


def generated(seed, n):
    for i in range(n):
        mail = Odd(f"{seed} {i}").message(4).encode("latin-1")
        yield f"generated {seed} {i}", mail or b"\r\n"


def of_corpus():
    path = corpus_path()
    if not path:
        return
    for names in messages(path)[0].values():
        with open(os.path.join(path, names[0]), "rb") as f:
            yield names[0], f.read()


# --- the answers --------------------------------------------------------------------------------------

TOKEN = re.compile(rb'\(|\)|"((?:[^"\\]|\\.)*)"|~?\{(\d+)\}\r\n|(BODY(?:\.PEEK)?\[[^\]]*\](?:<\d+>)?|[^\s()"{]+)| +', re.S)


def parse(data):
    """A response's tree: lists, bytes, None for NIL."""
    stack, at = [[]], 0
    while at < len(data):
        m = TOKEN.match(data, at)
        if not m:
            raise ValueError(f"can't read {data[at:at + 40]!r}")
        at = m.end()
        if m[0] == b"(":
            stack.append([])
        elif m[0] == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif m[1] is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", m[1], flags=re.S))
        elif m[2] is not None:
            n = int(m[2])
            stack[-1].append(data[at:at + n])
            at += n
        elif m[3] is not None:
            stack[-1].append(None if m[3] == b"NIL" else m[3])
    return stack[0]


class Client:
    def __init__(self, port, user, password):
        self.wire = Wire(port, seconds=60)
        self.wire.read_line()
        self.ok(f"LOGIN {user} {password}")

    def ok(self, command, octets=None):
        self.wire.send(f"t {command}".encode() + (b"" if octets is None else octets) + b"\r\n")
        lines = []
        while not lines or not lines[-1].startswith(b"t "):
            lines.append(self.wire.read_response())
        if not lines[-1].startswith(b"t OK"):
            raise ValueError(f"{command[:60]}: {lines[-1].decode('latin-1')}")
        return lines

    def append(self, mail):
        self.ok(f"APPEND Odd {{{len(mail)}+}}\r\n", mail)

    def fetch(self, n, items):
        """name -> value of message n."""
        for line in self.ok(f"FETCH {n} ({' '.join(items)})"):
            if (m := re.match(rb"\* \d+ FETCH ", line)):
                flat = parse(line[m.end():])[0]
                return {name.decode().upper(): value for name, value in zip(flat[::2], flat[1::2])}
        raise ValueError("no FETCH came")


def lower(value):
    return value.lower() if isinstance(value, bytes) else value


def params(value):
    if not isinstance(value, list):
        return value
    return {lower(k): v for k, v in zip(value[::2], value[1::2])}


def disposition(value):
    return [lower(value[0]), params(value[1])] if isinstance(value, list) else value


def flatten(tree, number="", into=None):
    """Part number -> its fields by name; "0" is a multipart that is the whole message, "n.0" one that an enclosed is."""
    into = {} if into is None else into
    here = into[number or ("0" if isinstance(tree[0], list) else "1")] = {}
    if isinstance(tree[0], list):
        parts = list(itertools.takewhile(lambda x: isinstance(x, list), tree))
        rest = tree[len(parts):]
        here["type"] = b"multipart/" + (lower(rest[0]) or b"")
        names = (None, "params", "disposition", "language", "location")
        for i, part in enumerate(parts):
            flatten(part, f"{number}.{i + 1}" if number else str(i + 1), into)
    else:
        rest, kind = tree, (lower(tree[0]) or b"") + b"/" + (lower(tree[1]) or b"")
        here["type"] = kind
        names = [None, None, "params", "id", "description", "encoding", "octets"]
        if kind == b"message/rfc822":
            here["envelope"] = tree[7]
            enclosed(tree[8], number, into)
            names += [None, None, "lines"]
        elif kind.startswith(b"text/"):
            names += ["lines"]
        names += ["md5", "disposition", "language", "location"]
    for name, value in zip(names, rest):
        if name == "params":
            value = params(value)
        elif name == "disposition":
            value = disposition(value)
        elif name == "encoding":
            value = lower(value)
        elif name == "language" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        if name:
            here[name] = value
    return into


def enclosed(tree, number, into):
    """The body of an enclosed message: its parts are numbered below the message (RFC 9051 6.4.5.1)."""
    below = {}
    flatten(tree, "", below)
    into.update((f"{number or 1}.{part}", fields) for part, fields in below.items())


def alone(where):
    """Why a message of each_alone is read differently."""
    field, _, value = re.sub(r" (\[[\d.]+\]|BODY.*)$", "", where).partition(": ")
    return next((why for quirk, why in QUIRKS.get(field, {}).items() if repr(quirk) == value), None)


ENVELOPE = ("date", "subject", "from", "sender", "reply-to", "to", "cc", "bcc", "in-reply-to", "message-id")


class Differences:
    def __init__(self):
        self.found, self.known = collections.defaultdict(list), collections.Counter()

    def add(self, kind, where, ours, theirs):
        why = alone(where) or next((why for why, holds in KNOWN if holds(kind, ours, theirs)), None)
        if why:
            self.known[why] += 1
        else:
            self.found[kind].append((where, ours, theirs))

    def compare_fields(self, prefix, where, ours, theirs):
        for name in sorted(set(ours) | set(theirs)):
            a, b = ours.get(name), theirs.get(name)
            if name == "envelope":
                self.compare_envelopes("envelope within ", where, a, b)
            elif a != b:
                self.add(f"{prefix}{name}", where, a, b)

    def compare_envelopes(self, prefix, where, ours, theirs):
        if ours is None or theirs is None:
            self.add(prefix + "missing", where, ours, theirs)
            return
        for name, a, b in zip(ENVELOPE, ours, theirs):
            if a != b:
                self.add(f"{prefix}{name}", where, a, b)

    def report(self):
        unknown = 0
        for why, n in self.known.most_common():
            print(f"{n:7} known: {why}")
        for kind in sorted(self.found):
            cases = self.found[kind]
            print(f"{kind}: {len(cases)}")
            for where, ours, theirs in sorted(cases, key=lambda c: len(repr(c)))[:EXAMPLES]:
                print(f"    {where}\n        postern: {ours!r}\n        Dovecot: {theirs!r}")
            unknown += len(cases)
        return unknown


def sections(parts):
    wanted = ["BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", f"BODY.PEEK[HEADER.FIELDS ({FIELDS.decode()})]"]
    for number, fields in parts.items():
        if number == "0" or number.endswith(".0"):
            continue
        wanted += [f"BODY.PEEK[{number}]", f"BODY.PEEK[{number}.MIME]"]
        if fields["type"] == b"message/rfc822":
            wanted += [f"BODY.PEEK[{number}.HEADER]", f"BODY.PEEK[{number}.TEXT]",
                       f"BODY.PEEK[{number}.HEADER.FIELDS ({FIELDS.decode()})]"]
    return wanted


def kind_of(section):
    return re.sub(r"\d+(\.\d+)*", "n", section).replace(".PEEK", "").replace(f" ({FIELDS.decode().upper()})", "")


def compare_message(ours, theirs, n, where, differences):
    items = ["RFC822.SIZE", "ENVELOPE", "BODYSTRUCTURE"]
    a, b = ours.fetch(n, items), theirs.fetch(n, items)
    if a["RFC822.SIZE"] != b["RFC822.SIZE"]:
        differences.add("RFC822.SIZE", where, a["RFC822.SIZE"], b["RFC822.SIZE"])
    differences.compare_envelopes("envelope ", where, a["ENVELOPE"], b["ENVELOPE"])
    mine, its = flatten(a["BODYSTRUCTURE"]), flatten(b["BODYSTRUCTURE"])
    if list(mine) != list(its) or [f["type"] for f in mine.values()] != [f["type"] for f in its.values()]:
        differences.add("parts", where, {k: v["type"] for k, v in mine.items()}, {k: v["type"] for k, v in its.items()})
        return
    for number in mine:
        differences.compare_fields("part's ", f"{where} [{number}]", mine[number], its[number])
    wanted = sections(mine)
    a, b = ours.fetch(n, wanted), theirs.fetch(n, wanted)
    for number, fields in mine.items():
        told = fields.get("octets"), fields.get("lines")
        octets = a.get(f"BODY[{number}]")
        if told[0] is not None and told != (b"%d" % len(octets), told[1] and b"%d" % octets.count(b"\n")):
            differences.add("octets told and served", f"{where} [{number}]", told, octets)
    for section in a:
        if a[section] != b.get(section):
            differences.add(kind_of(section), f"{where} {section}", a[section], b.get(section))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--generated", type=int, default=1000)
    ap.add_argument("--seed", default="1")
    ap.add_argument("--no-corpus", action="store_true")
    ap.add_argument("--show", metavar="NAME", help="prints that message, and what both say of it, only")
    options = ap.parse_args()
    if not shutil.which("dovecot"):
        raise Skip("there is no Dovecot")
    every = list(itertools.chain(of_transcripts(), each_alone(), generated(options.seed, options.generated),
                                 () if options.no_corpus else of_corpus()))
    if options.show:
        every = [(name, mail) for name, mail in every if name == options.show]
    differences = Differences()
    with Site() as site, tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        site.user("alice")
        site.serve("imap")
        dovecot = Dovecot("dovecot", "sdbox", "default", base=work)
        ours, theirs = Client(site.ports["imap"], "alice", PASSWORD), Client(dovecot.port[0], "user1", "pass")
        for client in (ours, theirs):
            client.ok("CREATE Odd")
        taken = []
        for name, mail in every:
            if b"\0" not in mail and len(mail) < 2000000:
                ours.append(mail)
                theirs.append(mail)
                taken.append(name)
                if options.show:
                    print(mail.decode("latin-1"))
        for client in (ours, theirs):
            client.ok("SELECT Odd")
        for n, name in enumerate(taken, 1):
            compare_message(ours, theirs, n, name, differences)
        dovecot.destroy()
    print(f"{len(taken)} messages")
    if differences.report():
        sys.exit(1)


if __name__ == "__main__":
    run_main(main)
