#!/usr/bin/env python3
"""mu on the Maildir view: init, index, find, view; flags and removals from IMAP are found again."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site
from clients.common import need, run
from harness.programs import run_main
from harness.story import chapter, claim, claim_that


def main():
    need("mu")
    with mail_site() as site:
        mail = Mail(site)
        env = {**os.environ, "HOME": site.work, "LC_ALL": "C.UTF-8"}
        home = f"--muhome={site.work}/mu"

        def mu(command, *args, ok=True):
            return run("mu", command, home, "--nocolor", *args, env=env, ok=ok).stdout.decode()

        def find(*query):
            return sorted(mu("find", "--fields=l", *query, ok=False).split())

        chapter("index and find")
        mu("init", f"--maildir={mail.root}")
        mu("index")
        claim("both", find(""), sorted(map(mail.path, mail.names())))
        claim("by subject", find("subject:Monday"), [mail.path(mail.of_uid(1))])
        claim_that("view", "Minutes of Monday" in mu("view", find("subject:Monday")[0]))
        claim("reading marked nothing", mail.flags(), {1: [], 2: []})
        chapter("IMAP sets flags: a new name, and no old one beside it")
        mail.store(1, "+FLAGS", "\\Seen \\Flagged")
        mu("index")
        claim("by flag", find("flag:flagged"), [mail.path(mail.of_uid(1))])
        time.sleep(2.5)
        mu("index")
        claim("each once", find(""), sorted(map(mail.path, mail.names())))
        chapter("IMAP expunges one")
        mail.expunge(2)
        mu("index")
        claim("it is not found any more", find(""), [mail.path(mail.of_uid(1))])


if __name__ == "__main__":
    run_main(main)
