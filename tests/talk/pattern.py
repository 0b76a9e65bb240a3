"""What an `S:` line of a transcript expects, as a regular expression over one response.

    ~        any text, and ~~ a tilde
    $name    what $name is bound to, or, the first time, one token that it is bound to; $$ a dollar
    $<file>  a literal with the bytes of the file, CRLF line ends: {n} CR LF bytes
    $#<file> the number of those bytes
"""
import os
import re

TOKEN = re.compile(r"~~|~|\$\$|\$(?P<size>#?)<(?P<file>[^>]+)>|\$(?P<name>[a-z][a-z0-9_]*)")
ESCAPE = re.compile(r"\\(?:(?P<plain>[rnt0\\])|x(?P<hex>[0-9A-Fa-f]{2}))")
ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}


class PatternError(Exception):
    pass


def unescape(text):
    """The raw form, `C{` and `S{`: \\r \\n \\t \\0 \\\\ and \\xHH."""
    def one(found):
        return chr(int(found["hex"], 16)) if found["hex"] else ESCAPES[found["plain"]]
    if re.search(r"\\", ESCAPE.sub("", text)):
        raise PatternError(f"an escape that is none in: {text}")
    return ESCAPE.sub(one, text)


def read_crlf(path):
    """A file's bytes with every bare LF as CRLF: the form mail has on the wire."""
    with open(path, "rb") as f:
        return re.sub(rb"(?<!\r)\n", b"\r\n", f.read()).decode("latin-1")


class Names:
    """The $names of one transcript, and the folders in which its files are looked for."""

    def __init__(self, folders=("",)):
        self.bound = {}
        self.folders = folders

    def find(self, name):
        for folder in self.folders:
            path = os.path.join(folder, name)
            if os.path.exists(path):
                return path
        raise PatternError(f"no file {name} in {', '.join(self.folders)}")

    def send(self, text, raw=False):
        """The text of a `C:` line, with names and files filled in; ~ means itself here."""
        def fill(found):
            if found[0] in ("~", "~~"):
                return found[0]
            if found[0] == "$$":
                return "$"
            if found["file"]:
                data = read_crlf(self.find(found["file"]))
                return str(len(data)) if found["size"] else "{%d+}\r\n%s" % (len(data), data)
            if found["name"] not in self.bound:
                raise PatternError(f"${found['name']} is not bound yet")
            return self.bound[found["name"]]
        return "".join(self.pieces(text, fill, unescape if raw else str))

    def expect(self, text, raw=False):
        """An `S:` line as a compiled pattern; its groups are the names it will bind."""
        new = set()

        def fill(found):
            if found[0] == "~":
                return "(?s:.*)"
            if found[0] in ("~~", "$$"):
                return re.escape(found[0][0])
            if found["file"]:
                data = read_crlf(self.find(found["file"]))
                return re.escape(str(len(data)) if found["size"] else "{%d}\r\n%s" % (len(data), data))
            name = found["name"]
            if name in self.bound:
                return re.escape(self.bound[name])
            if name in new:
                return f"(?P={name})"
            new.add(name)
            return rf"(?P<{name}>[^\s()\[\]]+)"
        literal = (lambda s: re.escape(unescape(s))) if raw else re.escape
        return re.compile("".join(self.pieces(text, fill, literal)))

    def bind(self, match):
        self.bound.update(match.groupdict())

    @staticmethod
    def pieces(text, fill, literal):
        at = 0
        for found in TOKEN.finditer(text):
            if found.start() > at:
                yield literal(text[at:found.start()])
            yield fill(found)
            at = found.end()
        yield literal(text[at:])
