"""The source tree as the checks of this suite read it: our own files, C without comments and strings."""
import os
import re

SOURCES = ("lib", "limits", "store", "auth", "imapd", "pop3d", "deliver", "authd", "lmtpd", "webd", "metrics", "fs", "ctl", "tests")
NOISE = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
NOT_OURS = re.compile(r"^(\.git|build.*|demo|__pycache__|\.cache|\.mypy_cache)$")


def files(root, suffixes=("",), below=None):
    """Paths relative to root, build folders and git's own left out."""
    for top in below or [""]:
        for folder, folders, names in os.walk(os.path.join(root, top)):
            folders[:] = sorted(f for f in folders if not NOT_OURS.match(f))
            for name in sorted(names):
                if name.endswith(suffixes):
                    yield os.path.relpath(os.path.join(folder, name), root)


def sources(root):
    return files(root, (".c", ".h"), [s for s in SOURCES if os.path.isdir(os.path.join(root, s))])


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def code(root, path):
    """The text with comments and strings blanked, line numbers kept."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found[0])
    return NOISE.sub(blank, read(root, path))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def meson_list(root, path, name):
    """The strings of `name = ['a', 'b', ...]` in a meson.build; None where there is no such list."""
    full = os.path.join(root, path)
    found = re.search(rf"^{name} = \[(.*?)\]", read(root, path), re.S | re.M) if os.path.exists(full) else None
    return re.findall(r"'([^']+)'", found[1]) if found else None
