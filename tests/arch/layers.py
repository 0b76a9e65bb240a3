"""Who may include whom.  Includes go down only, and what is dangerous stands in one folder."""
import re

from arch import tree

# A folder, and the folders whose headers it may include beside its own.
LAYERS = {
    "base": (),
    "confine": ("base",),
    "mime": ("base",),
    "net": ("base",),
    "limits": ("base",),
    "store": ("limits", "mime", "base"),
    "auth": ("store", "limits", "net", "confine", "mime", "base"),
    "deliver": ("auth", "store", "limits", "net", "mime", "base"),
    "authd": ("deliver", "auth", "store", "limits", "net", "mime", "base"),
    "imapd": ("auth", "store", "limits", "net", "mime", "base"),
    "pop3d": ("auth", "store", "limits", "net", "mime", "base"),
    "lmtpd": ("deliver", "auth", "store", "limits", "net", "mime", "base"),
    "metrics": ("auth", "store", "limits", "net", "base"),
    "fs": ("auth", "store", "limits", "net", "confine", "mime", "base"),
    "ctl": ("deliver", "auth", "store", "limits", "net", "mime", "base"),
}

# A system header, and the folders or files that alone may include it.
SYSTEM = {
    r"sqlite3\.h": ("store/", "tests/bench/",  # the bare floor that append is measured against
                   "tests/unit/store/"),
    r"libetpan/.*": ("lib/mime/", "lib/submit/", "tests/unit/mime/"),
    r"fuse.*": ("fs/", "tests/bench/", "tests/unit/fs/"),
    r"gnutls/.*": ("lib/net/", "tests/unit/net/"),
    r"zlib\.h": ("lib/net/", "tests/unit/net/"),
    r"(sys/socket|sys/un|netdb|arpa/inet|netinet/.*)\.?h?": ("lib/net/", "lib/confine/seccomp.c", "lib/base/control.c", "lib/base/handover.c", "lib/base/log_journal.c", "lib/base/notify.c",
                                                             "tests/"),
    r"sys/epoll\.h": ("lib/net/", "tests/bench/"),
    r"microhttpd\.h": ("metrics/", "webd/"),
    r"security/.*": ("authd/pam_ask.c", "tests/hostile/pam_story.c"),
    r"gsasl\.h": ("auth/", "tests/unit/auth/"),
    r"(crypt|argon2)\.h": ("auth/",),
    r"cjose/.*": ("auth/", "tests/unit/auth/"),
    r"ini\.h": ("lib/base/",),
    r"(uni.*|iconv)\.h": ("lib/mime/", "tests/unit/mime/", "tests/unit/confine/", "tests/unit/store/test_search_oracle.c"),  # it encodes mail
    r"idn2\.h": ("lib/mime/",),
    r"cmocka\.h": ("tests/",),
}
# unistd.h is not libunistring's.
SYSTEM_FREE = ("unistd.h",)

# session_acquire makes sessions: for these alone (auth is how the doors get theirs).
ACQUIRE = re.compile(r"\bsession_acquire\s*\(")
MAY_ACQUIRE = ("limits/", "auth/", "lmtpd/", "fs/", "ctl/", "tests/")

# Fuzz targets of what is inside a layer, and the layer.
FUZZ_INSIDE = {"tests/fuzz/fuzz_search.c": "store", "tests/fuzz/fuzz_jwt.c": "auth", "tests/fuzz/fuzz_sasl.c": "auth"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"(?P<ours>[^"]+)"|<(?P<system>[^>]+)>)', re.M)


def layer_of(path):
    """The layer a file belongs to: its folder, without lib/; unit tests belong to what they test."""
    if path in FUZZ_INSIDE:
        return FUZZ_INSIDE[path]
    parts = path.split("/")
    if parts[0] == "lib":
        return parts[1]
    if parts[:2] == ["tests", "unit"] and len(parts) > 3:
        return parts[2]
    return parts[0]


def ours_wrong(path, layer, header):
    if "/" not in header:
        if header.endswith(".tbl.h") or path.startswith("tests/"):
            return None  # made by the build from a meson list; or a test's own helper beside it
        return f'"{header}" is not named with its folder'
    folder = header.split("/")[0]
    if folder == "lib":
        return f'"{header}": write "{header[4:]}"'
    if header.endswith("_priv.h") and folder != layer:
        return f'"{header}" is private to its folder'
    if layer == "tests" or folder == layer:
        return None
    if folder not in LAYERS.get(layer, ()):
        return f'{layer} may not include "{header}"'
    return None


def system_wrong(path, header):
    if header in SYSTEM_FREE:
        return None
    for pattern, allowed in SYSTEM.items():
        if re.fullmatch(pattern, header) and not path.startswith(allowed):
            return f"only {', '.join(allowed)} may include <{header}>"
    return None


def check(root):
    """What is wrong, as `path:line: sentence`."""
    wrong = []
    for path in tree.sources(root):
        text = tree.read(root, path)
        layer = layer_of(path)
        for found in INCLUDE.finditer(text):
            fault = ours_wrong(path, layer, found["ours"]) if found["ours"] else \
                system_wrong(path, found["system"])
            if fault:
                wrong.append(f"{path}:{tree.line_of(text, found.start())}: {fault}")
        if not path.startswith(MAY_ACQUIRE):
            plain = tree.code(root, path)
            wrong += [f"{path}:{tree.line_of(plain, found.start())}: session_acquire is not for this folder"
                      for found in ACQUIRE.finditer(plain)]
    return wrong
