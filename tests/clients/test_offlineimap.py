#!/usr/bin/env python3
"""offlineimap: everything down, byte for byte; then changes on both sides at once, and nothing left to do at the end."""
import collections
import email.parser
import email.policy
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import crlf, lf, need, run
from clients.mailbag import Seen, add_letters, digest, letter, maildir_files, maildir_messages, site_with_bag
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

CONFIG = """
[general]
accounts = alice
metadata = {work}/offlineimap
[Account alice]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {work}/near
utime_from_header = no
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = alice
remotepass = {password}
ssl = yes
sslcacertfile = {work}/cert.pem
"""


class Offlineimap:
    def __init__(self, site):
        self.site = site
        self.near = os.path.join(site.work, "near")
        self.config = os.path.join(site.work, "offlineimaprc")
        os.mkdir(self.near)
        with open(self.config, "w") as f:
            f.write(CONFIG.format(port=site.ports["imaps"], password=PASSWORD, work=site.work))

    def __call__(self):
        run("offlineimap", "-o", "-c", self.config, "-u", "basic", seconds=150, env={**os.environ, "HOME": self.site.work})

    def folder(self, name):
        return os.path.join(self.near, name)

    def file(self, token):
        """The one file in the near INBOX that holds this letter."""
        wanted = letter(token).replace(b"\r\n", b"\n")
        return next(p for p in maildir_files(self.folder("INBOX")) if wanted in open(p, "rb").read().replace(b"\r\n", b"\n"))


def rewritten(data):
    """What it makes of a message: Python's email package reads it and writes it again, which changes malformed ones."""
    come = email.policy.default.clone(cte_type="8bit", utf8=True, refold_source="none", linesep="\r\n")
    parsed = email.parser.BytesParser(policy=come).parsebytes(crlf(data))
    return parsed.as_bytes(policy=come.clone(linesep="\n"))


def same_or_rewritten(far, near):
    """Those of far that came neither as they are nor as Python's email package writes them."""
    have = collections.Counter(digest(data) for data in near)
    missing = []
    for data in far:
        came = next((key for key in (digest(data), digest(rewritten(data))) if have[key] > 0), None)
        have[came] -= 1
        missing += [] if came else [data[:200]]
    return missing


def without_own_header(data):
    """offlineimap marks what it uploads, where it is not told the new UID."""
    return b"\n".join(line for line in lf(data).split(b"\n") if not line.startswith(b"X-OfflineIMAP: "))


def main():
    need("offlineimap")
    need_root()
    need_fuse()
    site, expected = site_with_bag()
    with site:
        count = sum(map(len, expected.values()))
        sync = Offlineimap(site)
        chapter("down")
        sync()
        near = maildir_messages(sync.folder("INBOX"))
        claim("messages in the Maildir", len(near), count)
        claim("none is missing or altered, but by offlineimap", same_or_rewritten(Seen(site).messages(), near), [])
        chapter("letters from the other door, then changes to them here")
        add_letters(site, "read", "gone", "moved")
        sync()
        claim("they came", len(maildir_files(sync.folder("INBOX"))), count + 3)
        os.rename(sync.file("read"), sync.file("read").split(":")[0] + ":2,FS")
        os.unlink(sync.file("gone"))
        moved = sync.file("moved")
        os.rename(moved, os.path.join(sync.folder("Archive"), "cur", os.path.basename(moved).split(",U=")[0] + ":2,S"))
        with open(os.path.join(sync.folder("INBOX"), "cur", "1741250000.up.local:2,R"), "wb") as f:
            f.write(lf(letter("written")))
        chapter("and there, in the same while")
        add_letters(site, "meanwhile")
        sync()
        inbox = Seen(site)
        claim("flags went up", inbox.flags(b"<read@example.org>"), ["flagged", "seen"])
        claim("what was written here is there, answered", inbox.flags(b"<written@example.org>"), ["answered"])
        texts = [without_own_header(data) for data in inbox.messages()]
        claim("byte for byte", lf(letter("written")) in texts, True)
        claim_that("what was deleted here is gone there", not any(b"<gone@" in text for text in texts))
        claim("what was moved here is in Archive there", Seen(site, "Archive").flags(b"<moved@example.org>"), ["seen"])
        claim_that("and no longer in INBOX", not any(b"<moved@" in text for text in texts))
        claim_that("what came there is here", os.path.exists(sync.file("meanwhile")))
        chapter("nothing is left to do")
        before = maildir_files(sync.folder("INBOX")), sorted(inbox.files())
        sync()
        claim("both sides are as they were", (maildir_files(sync.folder("INBOX")), sorted(inbox.files())), before)


if __name__ == "__main__":
    run_main(main)
