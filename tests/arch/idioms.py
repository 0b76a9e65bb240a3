"""What our code does not do, found by its words."""
import os
import re

from arch import tree

# A function that is not called, and what is instead.
BANNED = {
    "strcpy": "str_buf_*", "strcat": "str_buf_*", "sprintf": "snprintf or str_buf_printf",
    "vsprintf": "vsnprintf", "gets": "lib/base/io", "strtok": "str_view", "atoi": "str_*",
    "atol": "str_*", "system": "posix_spawn", "popen": "posix_spawn", "tmpnam": "O_TMPFILE",
    "mktemp": "mkstemp or O_TMPFILE", "alloca": "an arena", "longjmp": "a return",
    "sqlite3_mprintf": "a bound parameter", "sqlite3_vmprintf": "a bound parameter",
}
CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# SQL that is put together from text: values are bound, never printed.
PRINTED_SQL = re.compile(r'printf\w*\s*\([^;"]*"\s*(?:SELECT|INSERT|UPDATE|DELETE|REPLACE)\b[^"]*%[^"%]*"')
# A note to ourselves has a name and a condition: `TODO(name): when ...`.
UNSIGNED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b(?!\([A-Za-z]\w*\): \w)")
# Paths of one machine have no place in a project for all.
MACHINE_PATH = re.compile(r"(?<![\w.$}~])/(?:home|root|Users|wor[k]|tmp/w[t])/\w")
# (RFC822 is a data item of IMAP's.)
RFC = re.compile(r"\bRFC(?:-|\s{2,}|)(?!822\b)\d{3,4}\b|\b(?:rfc|Rfc) \d{3,4}\b|\bRFC \d{3,4} (?:section|sec\.|§)")
DEFAULT = re.compile(r"\bdefault\s*:")
MAX_BYTES = 1000000
TEXT = (".c", ".h", ".py", ".sh", ".md", ".build", ".sql", ".talk", ".1", ".5", ".7", ".8", ".service", ".conf")


def found_in(path, text, pattern, sentence):
    return [f"{path}:{tree.line_of(text, found.start())}: {sentence(found)}" for found in pattern.finditer(text)]


def check_source(root, path):
    text, plain = tree.read(root, path), tree.code(root, path)
    wrong = []
    if not path.startswith("tests/"):
        wrong += found_in(path, plain, CALL, lambda f: f"{f[1]}() is not used here: {BANNED[f[1]]}")
    wrong += found_in(path, text, PRINTED_SQL, lambda f: "SQL put together from text: bind the values")
    wrong += found_in(path, text, RFC, lambda f: f"`{f[0]}`: the spelling is `RFC 9051 6.4.5`")
    if os.path.basename(path) == "err_map.c":
        wrong += found_in(path, plain, DEFAULT, lambda f: "an err_map has no default: each meaning is told")
        if "switch" not in plain:
            wrong.append(f"{path}:1: an err_map is a switch over enum err_code")
    return wrong


def check(root):
    wrong = []
    for path in tree.sources(root):
        wrong += check_source(root, path)
    for path in tree.files(root):
        size = os.lstat(os.path.join(root, path)).st_size
        if size > MAX_BYTES:
            wrong.append(f"{path}:1: {size} bytes; no file is over {MAX_BYTES}")
        if path.endswith(TEXT) and not path.startswith("tests/arch/"):
            text = tree.read(root, path)
            wrong += found_in(path, text, UNSIGNED, lambda f: f"{f[0]} without a name and a condition")
            wrong += found_in(path, text, MACHINE_PATH, lambda f: "a path of somebody's machine")
    return wrong
