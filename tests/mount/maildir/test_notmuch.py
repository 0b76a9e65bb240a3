#!/usr/bin/env python3
"""notmuch with its database outside the mount: new, search, tag; flags go both ways; insert delivers."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site, text
from clients.common import need, run
from harness.programs import run_main
from harness.story import chapter, claim, claim_that

CONFIG = """
[database]
path={database}
mail_root={maildir}
[user]
name=Alice
primary_email=alice@example.org
[new]
tags=unread;inbox
[search]
exclude_tags=
[maildir]
synchronize_flags=true
"""


def main():
    need("notmuch")
    with mail_site() as site:
        mail = Mail(site)
        os.mkdir(os.path.join(site.work, "database"))
        config = os.path.join(site.work, "notmuch-config")
        with open(config, "w") as f:
            f.write(CONFIG.format(database=os.path.join(site.work, "database"), maildir=mail.root))
        env = {**os.environ, "HOME": site.work, "NOTMUCH_CONFIG": config, "LC_ALL": "C.UTF-8"}
        notmuch = lambda *args, **how: run("notmuch", *args, env=env, **how).stdout.decode()
        files = lambda *query: sorted(notmuch("search", "--output=files", *query).split())
        chapter("new and search")
        notmuch("new")
        claim("both files", files("*"), sorted(map(mail.path, mail.names())))
        claim("by subject", files("subject:Monday"), [mail.path(mail.of_uid(1))])
        claim_that("show", "Minutes of Monday" in notmuch("show", "subject:Monday"))
        claim("reading marked nothing", mail.flags(), {1: [], 2: []})
        chapter("tags to flags")
        notmuch("tag", "-unread", "+flagged", "--", "subject:Monday")
        claim("over IMAP", mail.flags(), {1: ["\\Flagged", "\\Seen"], 2: []})
        notmuch("new")
        claim("and notmuch knows the names", files("*"), sorted(map(mail.path, mail.names())))
        chapter("flags to tags")
        mail.store(1, "-FLAGS", "\\Flagged")
        mail.store(2, "+FLAGS", "\\Seen \\Answered")
        time.sleep(1.1)  # notmuch does not trust a directory of this very second
        notmuch("new")
        claim("replied", files("tag:replied and not tag:unread"), [mail.path(mail.of_uid(2))])
        claim("no longer flagged", files("tag:flagged"), [])
        claim("the names", files("*"), sorted(map(mail.path, mail.names())))
        chapter("a message from IMAP, and one that goes")
        mail.imap.append("Archive", "(\\Flagged)", None, text("plain.eml").replace(b"Monday", b"Tuesday").replace(
            b"Message-ID: <", b"Message-ID: <tuesday.").replace(b"\n", b"\r\n"))
        mail.expunge(2)
        notmuch("new")
        claim("it is found by its flag", len(files("tag:flagged and subject:Tuesday")), 1)
        claim("and the other is not", files("subject:Angebot"), [])
        chapter("insert")
        notmuch("insert", "--folder=.Archive", "+mine",
                stdin=open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "clients", "mail",
                                        "parts.eml"), "rb"))
        claim("its file is where it says", all(map(os.path.exists, files("tag:mine"))), True)
        claim("one message", len(mail.flags("Archive")), 2)
        notmuch("new")
        claim("one file", len(files("tag:mine")), 1)


if __name__ == "__main__":
    run_main(main)
