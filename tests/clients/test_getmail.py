#!/usr/bin/env python3
"""getmail: fetches everything once, byte for byte, leaves it; then moves what it has fetched.

It forks for each delivery and may miss the child's end where the machine is busy; it then gives up, and goes on at its
next run, as it would from cron.  The message at hand is delivered again, so a copy more for each such run is allowed."""
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, run
from clients.mailbag import Seen, add_letters, compare, letter, maildir_messages, site_with_bag
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim

CONFIG = """
[retriever]
type = SimpleIMAPSSLRetriever
server = 127.0.0.1
port = {port}
timeout = 5
username = alice
password = {password}
mailboxes = ("INBOX",)
{move}
ca_certs = {home}/cert.pem
[destination]
type = Maildir
path = {maildir}/
[options]
read_all = {read_all}
delete = {delete}
delivered_to = false
received = false
verbose = 0
"""


RUNS = 20


class Getmail:
    """getmail delivers nothing as root: nobody runs it, in a folder of his own."""

    def __init__(self, site, home):
        self.site, self.home = site, home
        self.maildir = os.path.join(home, "maildir")
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(self.maildir, sub))
        shutil.copy(os.path.join(site.work, "cert.pem"), home)
        run("chown", "-R", "nobody", home)

    def __call__(self, read_all=False, delete=False, move=""):
        config = os.path.join(self.home, "getmailrc")
        with open(config, "w") as f:
            f.write(CONFIG.format(port=self.site.ports["imaps"], password=PASSWORD, home=self.home, maildir=self.maildir,
                                  read_all=read_all, delete=delete, move=f"move_on_delete = {move}" if move else ""))
        for self.gave_up in range(RUNS):
            if self.run_once(config).returncode == 0:
                return
        raise AssertionError(f"getmail gave up {RUNS} times")

    def run_once(self, config):
        return run("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "getmail", "--getmaildir",
                   self.home, "--rcfile", config,
                   seconds=120, ok=False, env={**os.environ, "HOME": self.home}, cwd=self.home)


def main():
    need("getmail")
    need_root()
    need_fuse()
    site, expected = site_with_bag()
    with site, tempfile.TemporaryDirectory(prefix="postern-test-") as home:
        count = sum(map(len, expected.values()))
        getmail = Getmail(site, home)
        chapter("everything, once")
        getmail()
        compare("in getmail's Maildir", expected, maildir_messages(getmail.maildir))
        getmail()
        claim("nothing is fetched twice", len(maildir_messages(getmail.maildir)), count)
        chapter("one more, which came through the mount")
        add_letters(site, "late")
        getmail()
        claim("fetched", len(maildir_messages(getmail.maildir)), count + 1)
        chapter("and away: what was fetched moves to Archive")
        getmail(read_all=True, delete=True, move="Archive")
        claim("INBOX is empty", Seen(site).files(), [])
        moved = Seen(site, "Archive").messages()
        claim("the letter is in Archive", letter("late") in moved, True)
        moved.remove(letter("late"))
        compare("in Archive", expected, moved)


if __name__ == "__main__":
    run_main(main)
