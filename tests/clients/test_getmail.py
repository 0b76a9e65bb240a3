#!/usr/bin/env python3
"""getmail: fetches everything once and leaves it; moves what it is told to.  `test_getmail.py pop3`: over POP3, where it removes.

It forks for each delivery and may miss the child's end where the machine is busy; it then gives up, and goes on at its
next run, as it would from cron, with what it has not noted yet: so some messages may come twice."""
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, run, site_with_mail
from clients.mailbag import Seen, add_letters, digest, letter, maildir_messages, site_with_bag
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

CONFIG = """
[retriever]
type = Simple{protocol}SSLRetriever
server = 127.0.0.1
port = {port}
timeout = 5
username = alice
password = {password}
{more}
ca_certs = {home}/cert.pem
[destination]
type = Maildir
path = {maildir}/
[options]
read_all = false
delete = {delete}
delivered_to = false
received = false
verbose = 0
"""


RUNS = 20


class Getmail:
    """getmail delivers nothing as root: nobody runs it, in a folder of his own."""

    def __init__(self, site, home, protocol="IMAP"):
        self.site, self.home, self.protocol = site, home, protocol
        self.maildir = os.path.join(home, "maildir")
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.maildir, sub))
        shutil.copy(os.path.join(site.work, "cert.pem"), home)
        run("chown", "-R", "nobody", home)

    def __call__(self, delete=False, move=""):
        config = os.path.join(self.home, "getmailrc")
        with open(config, "w") as f:
            more = 'mailboxes = ("INBOX",)' if self.protocol == "IMAP" else ""
            more += f"\nmove_on_delete = {move}" if move else ""
            f.write(CONFIG.format(port=self.site.ports[self.protocol.lower() + "s"], password=PASSWORD, home=self.home,
                                  maildir=self.maildir, delete=delete, protocol=self.protocol, more=more))
        for self.gave_up in range(RUNS):
            if self.run_once(config).returncode == 0:
                return
        raise AssertionError(f"getmail gave up {RUNS} times")

    def run_once(self, config):
        return run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "getmail", "--getmaildir",
                   self.home, "--rcfile", config,
                   seconds=240, ok=False, env={**os.environ, "HOME": self.home}, cwd=self.home)


def ids(mails):
    return {found[1] for data in mails if (found := re.search(rb"^Message-ID:\s*(<[^>]+>)", data, re.M | re.I))}


def over_imap():
    site, expected = site_with_bag()
    with site, tempfile.TemporaryDirectory(prefix="postern-test-") as home:
        count = sum(map(len, expected.values()))
        getmail = Getmail(site, home)
        chapter("everything, once")
        getmail()
        near = maildir_messages(getmail.maildir)
        claim_that("as many messages are in its Maildir", len(near) >= count, len(near))
        missing = ids(Seen(site).messages()) - ids(near)
        claim("each, by its Message-ID (getmail writes what is malformed anew)", missing, set())
        getmail()
        claim("what is noted is not fetched again", len(maildir_messages(getmail.maildir)), len(near))
        chapter("one more, which came through the mount")
        add_letters(site, "late")
        getmail()
        claim_that("fetched", len(maildir_messages(getmail.maildir)) > len(near))
        chapter("and one that is to be moved when it was fetched")
        add_letters(site, "away")
        getmail(delete=True, move="Archive")
        archive = Seen(site, "Archive")
        claim_that("it is in Archive", archive.holds("away") and not Seen(site).holds("away"))
        claim_that("as it was", any(digest(data) == digest(letter("away")) for data in archive.messages()))


def without_own_header(data):
    return re.sub(rb"\AReturn-Path: <unknown>\n", b"", data)


def over_pop3():
    with site_with_mail(("pop3",), tls=True, mount=True) as site, tempfile.TemporaryDirectory(prefix="postern-test-") as home:
        getmail, inbox = Getmail(site, home, "POP3"), Seen(site)
        tokens = [f"pop{n}" for n in range(8)]
        add_letters(site, *tokens)
        chapter("over POP3: everything, and what is noted by its UIDL not again")
        getmail()
        near = [digest(without_own_header(data)) for data in maildir_messages(getmail.maildir)]
        claim("as it is", {digest(letter(token)) for token in tokens} - set(near), set())
        claim_that("all of it", len(near) >= len(inbox.files()), len(near))
        getmail()
        claim("not again", len(maildir_messages(getmail.maildir)), len(near))
        claim("and still on the server", len(inbox.files()), len(tokens) + 2)
        chapter("over POP3: fetched and removed")
        add_letters(site, "taken")
        getmail(delete=True)
        claim_that("it came", digest(letter("taken")) in [digest(without_own_header(data))
                                                         for data in maildir_messages(getmail.maildir)])
        claim("nothing is left", inbox.files(), [])


def main():
    need("getmail")
    need_root()
    need_fuse()
    if sys.argv[1:] == ["pop3"]:
        over_pop3()
    else:
        over_imap()


if __name__ == "__main__":
    run_main(main)
