"""A .talk file, parsed: a list of steps, each knowing its line.  The grammar is in postern-talk(5)."""
import re
import shlex
from dataclasses import dataclass, field

COMMENT = re.compile(r"^\s*#.*$|(\s{2,}|\t)#(\s.*|$)")
CONNECTION = re.compile(r"(?P<n>\d+) (?P<what>!?[A-Za-z]+)(?P<form>[:{<=]*)(?: (?P<text>.*))?$")

# What a line may say: word -> least and most arguments (None: as many as wanted).
SETUP = {
    "door": (1, 1), "extra": (1, 1), "user": (1, 2), "mail": (3, 4), "conf": (3, 3), "tls": (0, 0), "domain": (1, 1),
}
VERBS = {
    "setting": (2, 3), "policy": (3, 3), "grant": (2, 2), "revoke": (2, 2), "login": (2, None),
    "ctl": (1, None), "!ctl": (1, None), "sessions": (2, 2), "restart": (0, 0), "kill": (0, 0),
}
WIRE = {
    ("C", ":"): "send", ("C", "{"): "send_raw", ("C", "<"): "send_file", ("C", "<="): "send_file_exact",
    ("S", ":"): "expect", ("S", "{"): "expect_raw", ("!S", ":"): "refute", ("!S", "{"): "refute_raw",
    ("TLS", ""): "start_tls", ("DEFLATE", ""): "start_deflate", ("connect", ""): "connect", ("close", ""): "close", ("reset", ""): "reset",
    ("closed", ""): "expect_closed",
}
WITHOUT_TEXT = {"start_tls", "start_deflate", "close", "reset", "expect_closed"}


DOORS = ("imap", "pop3", "lmtp", "auth")


class ScriptError(Exception):
    pass


@dataclass
class Step:
    line: int
    verb: str
    connection: int = 0
    text: str = ""
    args: list = field(default_factory=list)


@dataclass
class Script:
    path: str
    door: str = ""
    extra_refused: bool = False
    tls: bool = False
    setup: list = field(default_factory=list)
    steps: list = field(default_factory=list)


def parse_connection(number, line):
    """`1 C: a NOOP` and its like; None if the line does not begin with a connection's number."""
    if not re.match(r"\d+ ", line):
        return None
    found = CONNECTION.match(line)
    verb = WIRE.get((found["what"], found["form"])) if found else None
    if not verb:
        raise ScriptError(f"{number}: a connection cannot do this: {line}")
    text = found["text"] or ""
    if verb in WITHOUT_TEXT and text:
        raise ScriptError(f"{number}: nothing may follow here: {text}")
    return Step(number, verb, connection=int(found["n"]), text=text)


def parse_words(number, line, started):
    try:
        word, *args = shlex.split(line)
    except ValueError as e:
        raise ScriptError(f"{number}: {e}")
    known = SETUP | VERBS
    if word not in known:
        raise ScriptError(f"{number}: no such word: {word}")
    least, most = known[word]
    if len(args) < least or (most is not None and len(args) > most):
        raise ScriptError(f"{number}: wrong number of arguments: {line}")
    if word in SETUP and started:
        raise ScriptError(f"{number}: `{word}` must stand before the conversation")
    return Step(number, word, args=args)


def parse(path, door=""):
    script = Script(path, door)
    with open(path, encoding="latin-1", newline="\n") as f:
        lines = f.read().split("\n")
    for number, line in enumerate(lines, 1):
        line = COMMENT.sub("", line)
        if not line.strip():
            continue
        step = parse_connection(number, line) or parse_words(number, line, bool(script.steps))
        if step.verb == "door":
            script.door = step.args[0]
        elif step.verb == "extra":
            if step.args[0] != "refuse":
                raise ScriptError(f"{number}: `extra refuse` is the only form")
            script.extra_refused = True
        elif step.verb == "tls":
            script.tls = True
        elif step.verb in SETUP or (step.verb in ("setting", "policy", "grant") and not script.steps):
            script.setup.append(step)
        else:
            script.steps.append(step)
    if script.door not in DOORS:
        raise ScriptError(f"no door: say `door imap`, `door pop3`, `door lmtp` or `door auth`, or put the file in a folder so named")
    if not script.steps:
        raise ScriptError("nothing is said in it")
    return script
