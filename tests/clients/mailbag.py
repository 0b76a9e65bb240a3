"""Mail for a client to sync: the corpus of real mail where there is one (POSTERN_CORPUS names it, else it is
../shared/corpus beside the source), and else the demo's messages; and how two heaps of messages are compared."""
import collections
import contextlib
import glob
import hashlib
import os
import re
import subprocess
import sys

from clients.common import lf
from harness.programs import SOURCE, patience
from harness.site import Site
from harness.story import chapter, claim

HEADER_LINE = re.compile(rb"[!-9;-~]+[ \t]*:|From ")


def corpus_path():
    """The corpus's folder, or None."""
    path = os.environ.get("POSTERN_CORPUS") or os.path.join(SOURCE, "..", "shared", "corpus")
    return path if os.path.isdir(path) else None


def digest(data):
    """Of a message whatever its line ends."""
    return hashlib.sha256(lf(data)).hexdigest()


def messages(path):
    """Digest -> names of the files that have it; and the names of files that are no mail."""
    found, others = collections.defaultdict(list), []
    for folder, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                data = f.read()
            name = os.path.relpath(os.path.join(folder, name), path)
            if HEADER_LINE.match(data) or name.endswith(".eml"):
                found[digest(data)].append(name)
            else:
                others.append(name)
    return found, others


def compare(where, expected, got):
    """Both are messages, as a multiset; names what is missing."""
    counted = collections.Counter(digest(data) for data in got)
    missing = [name for key, names in expected.items() for name in names[counted[key]:]]
    claim(f"nothing is missing or altered {where}", missing, [])
    claim(f"nothing else is there {where}", len(got), sum(map(len, expected.values())))


def ended(mails):
    """Digests of what is no letter of ours, for clients that keep messages without CRs and end the last line."""
    plain = (data.replace(b"\r", b"").rstrip(b"\n") for data in mails)
    return collections.Counter(digest(data) for data in plain if b"\nSubject: letter " not in data)


def bag(work):
    """A folder of messages, and what messages() says of it."""
    path = corpus_path()
    if not path:
        path = os.path.join(work, "bag")
        make = os.path.join(SOURCE, "tests", "fixtures", "demo", "make.py")
        subprocess.run([sys.executable, make, path], check=True, stdout=subprocess.DEVNULL, timeout=patience(60))
    return path, messages(path)[0]


def site_with_bag(doors=("imap",)):
    """Alice with all of it in INBOX, served with TLS and mounted: the mount is the second door.  And what is there."""
    site = Site(tls=True)
    try:
        path, expected = bag(site.work)
        site.user("alice")
        site.import_mail("alice", path)
        site.serve(*doors)
        site.mount()
        chapter(f"{sum(map(len, expected.values()))} messages")
        return site, expected
    except BaseException:
        site.close()
        site.remove()
        raise


class Seen:
    """What the second door, the mount, shows of a folder of alice's."""

    def __init__(self, site, folder="INBOX"):
        self.path = site.folder("alice", folder)

    def files(self):
        return [os.path.join(self.path, name) for name in os.listdir(self.path) if name.endswith(".eml")]

    def messages(self):
        """What can be read; a message may go between the listing and its turn."""
        read = []
        for path in self.files():
            with contextlib.suppress(FileNotFoundError), open(path, "rb") as f:
                read.append(f.read())
        return read

    def holds(self, token):
        return any(f"<{token}@example.org>".encode() in data for data in self.messages())

    def flags(self, wanted):
        """The flags, sorted, of the one message that has these octets in it."""
        found = [path for path in self.files() if wanted in open(path, "rb").read()]
        if len(found) != 1:
            raise AssertionError(f"{wanted!r} is in {len(found)} messages of {self.path}")
        return sorted(os.getxattr(found[0], "user.flags").decode().split())


def maildir_files(path):
    return sorted(glob.glob(os.path.join(path, "cur", "*")) + glob.glob(os.path.join(path, "new", "*")))


def maildir_messages(path):
    read = []
    for name in maildir_files(path):
        with open(name, "rb") as f:
            read.append(f.read())
    return read


def letter(token):
    """A message of our own, known by its token."""
    return (f"From: Ann <ann@example.org>\r\nTo: alice@example.org\r\nSubject: letter {token}\r\n"
            f"Date: Mon, 3 Mar 2025 10:01:00 +0100\r\nMessage-ID: <{token}@example.org>\r\n\r\n"
            f"The token is {token}.\r\n").encode()


def add_letters(site, *tokens):
    """Puts letters into INBOX through the mount."""
    for token in tokens:
        with open(os.path.join(site.folder("alice"), f"{token}.eml"), "wb") as f:
            f.write(letter(token))
    os.listdir(site.folder("alice"))  # waits until they are messages: a close does not, and clients ask but once

