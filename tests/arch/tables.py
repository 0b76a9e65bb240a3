"""Rows and what must stand beside them: a command its transcript, a verb its page, a setting its words."""
import os
import re

from arch import tree

SETTING_NAME = re.compile(r'^SETTING\w*\(\w+, \w+, "([^"]+)"', re.M)
# A reply after its status, the words of a refusal, and those of err_map.c; not what is said before there is a client.
POP3_SAYS = re.compile(r'"(?:\+OK|-ERR) ([^"\\]+)"|\bbad\(\w+,\s*"([^"]+)"|return "([^"]+)";|"(\[[A-Z/0-9-]+\] [^"]+)"')
DOORS = {"imap": ("imapd/meson.build", "imap_cmds"), "pop3": ("pop3d/meson.build", "pop3_cmds"),
         "lmtp": ("lmtpd/meson.build", "lmtp_cmds")}


def check_transcripts(root):
    wrong = []
    for door, (build, name) in DOORS.items():
        for command in tree.meson_list(root, build, name) or ():
            path = f"tests/talk/{door}/{command}.talk"
            if not os.path.exists(os.path.join(root, path)):
                wrong.append(f"{build}:1: the command {command} has no {path}")
    return wrong


def check_verbs(root):
    return [f"ctl/meson.build:1: the verb {verb} has no doc/man/postern-{verb}.1"
            for verb in tree.meson_list(root, "ctl/meson.build", "ctl_verbs") or ()
            if not os.path.exists(os.path.join(root, f"doc/man/postern-{verb}.1"))]


def check_settings(root):
    """Every setting is in a manual page under its own name."""
    rows = "limits/limits.tbl.h"
    if not os.path.exists(os.path.join(root, rows)):
        return []
    pages = "".join(tree.read(root, path) for path in tree.files(root, (".1", ".5", ".7", ".8"), ["doc/man"]))
    return [f"{rows}:1: the setting {name} is in no manual page"
            for name in SETTING_NAME.findall(tree.read(root, rows)) if name not in pages]


def check_programs(root):
    """Every program has its page."""
    wrong = []
    for build in ("imapd/meson.build", "pop3d/meson.build", "lmtpd/meson.build", "authd/meson.build", "metrics/meson.build", "fs/meson.build"):
        if not os.path.exists(os.path.join(root, build)):
            continue
        for program in re.findall(r"executable\('(postern-\w+)'", tree.read(root, build)):
            if not os.path.exists(os.path.join(root, f"doc/man/{program}.8")):
                wrong.append(f"{build}:1: {program} has no doc/man/{program}.8")
    return wrong


def check_words(root):
    """What pop3d says for people has a row in each language."""
    rows = "pop3d/words.tbl.h"
    table = tree.read(root, rows) if os.path.exists(os.path.join(root, rows)) else ""
    known = set(re.findall(r'^WORDS\("((?:[^"\\]|\\.)*)",', table, re.M))
    wrong = []
    for path in tree.files(root, (".c",), ["pop3d"]):
        for said in POP3_SAYS.findall(tree.read(root, path)):
            words = re.sub(r"^\[[A-Z/0-9-]+\] ", "", next(filter(None, said), ""))
            if re.search(r"[A-Za-z]{2}", re.sub(r"%(?:ll|z|\.\*)?[usd]", "", words)) and words not in known:
                wrong.append(f'{path}:1: "{words}" has no row in {rows}')
    return wrong


def check(root):
    return check_transcripts(root) + check_verbs(root) + check_settings(root) + check_programs(root) + check_words(root)
