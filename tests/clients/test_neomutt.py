#!/usr/bin/env python3
"""neomutt with CONDSTORE and QRESYNC and its header cache: reads everything, changes flags, moves, deletes, appends;
opens the folder again from its cache; checked from the mount."""
import collections
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, on_a_terminal
from clients.mailbag import Seen, add_letters, compare, ended, letter, maildir_messages, site_with_bag
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

CONFIG = """
set imap_user=alice imap_pass={password}
set ssl_verify_host=no certificate_file={work}/cert.pem
set imap_condstore=yes imap_qresync=yes header_cache={work}/headers message_cachedir={work}/bodies
set folder=imaps://127.0.0.1:{port}/ record="" postponed=+Drafts
set confirmappend=no delete=yes quit=yes move=no mark_old=no wait_key=no abort_nosubject=no abort_unmodified=no
set copy=no use_domain=no mbox_type=Maildir
"""


def cached(site):
    """Messages as neomutt received them: what it copies elsewhere it writes anew in part."""
    read = []
    for folder, _, names in os.walk(os.path.join(site.work, "bodies")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                read.append(f.read())
    return read


class Neomutt:
    def __init__(self, site):
        self.site = site
        self.config = os.path.join(site.work, "neomuttrc")
        for sub in ("headers", "bodies"):
            os.mkdir(os.path.join(site.work, sub))
        with open(self.config, "w") as f:
            f.write(CONFIG.format(port=site.ports["imaps"], password=PASSWORD, work=site.work))

    def __call__(self, keys):
        status, drawn = on_a_terminal(["neomutt", "-F", self.config, "-f", "+INBOX", "-e", f"push '{keys}<quit>'"],
                                      {**os.environ, "TERM": "xterm", "HOME": self.site.work, "LC_ALL": "C.UTF-8"}, 120)
        claim("it ended well", status, 0)
        return drawn


def main():
    need("neomutt")
    need_root()
    need_fuse()
    site, expected = site_with_bag()
    with site:
        count = sum(map(len, expected.values()))
        neomutt = Neomutt(site)
        add_letters(site, "flagged", "gone", "moved")
        inbox = Seen(site)
        before = ended(inbox.messages())
        chapter("the first time: everything copied to a Maildir; then flags, a move, a deletion")
        saved = os.path.join(site.work, "saved")
        neomutt(f"<tag-pattern>~A<enter><tag-prefix><copy-message>{saved}<enter><untag-pattern>~A<enter>"
                "<search>~s \"letter flagged\"<enter><flag-message>"
                "<search>~s \"letter moved\"<enter><save-message>=Archive<enter>"
                "<delete-pattern>~s \"letter gone\"<enter><sync-mailbox>")
        claim("messages in the Maildir", len(maildir_messages(saved)), count + 3)
        claim_that("it cached them", len(cached(site)) > count // 2)
        claim("and nothing else than what is in INBOX, but for line ends", ended(cached(site)) - before, collections.Counter())
        claim_that("flagged", "flagged" in inbox.flags(b"<flagged@example.org>"))
        claim_that("moved", Seen(site, "Archive").holds("moved") and not inbox.holds("moved"))
        claim_that("deleted", not inbox.holds("gone"))
        chapter("again, from its cache; what came and went meanwhile is seen")
        add_letters(site, "late")
        os.unlink(next(path for path in inbox.files() if b"<flagged@example.org>" in open(path, "rb").read()))
        drawn = neomutt("<search>~s \"letter late\"<enter><tag-pattern>~A<enter><tag-prefix><clear-flag>N<untag-pattern>~A<enter>"
                        "<search>~s \"letter late\"<enter><copy-message>=Archive<enter><sync-mailbox>")
        claim_that("the late one is shown", b"letter late" in drawn)
        claim("and seen now", inbox.flags(b"<late@example.org>"), ["seen"])
        claim_that("and copied", Seen(site, "Archive").holds("late"))
        others = inbox.messages()
        others.remove(letter("late"))
        compare("in INBOX", expected, others)


if __name__ == "__main__":
    run_main(main)
