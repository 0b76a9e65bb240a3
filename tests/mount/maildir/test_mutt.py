#!/usr/bin/env python3
"""mutt and neomutt on the Maildir view: open, flag, copy, save to a new folder, delete; new mail and flags
from IMAP while it is open."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site, text
from clients.common import need, on_a_terminal
from clients.screen import Screen
from harness.programs import run_main
from harness.story import chapter, claim, claim_that

MUTTRC = """
set mbox_type=Maildir folder="{root}" spoolfile="{root}" record="" postponed="+.Drafts"
set confirmappend=no confirmcreate=no delete=yes quit=yes move=no mark_old=yes wait_key=no
set copy=no use_domain=no timeout=1 mail_check=1 sleep_time=0 header_cache=""
mailboxes "{root}" "{root}/.Archive"
"""


def next_second():
    """neomutt goes by the whole seconds of a directory's time, on any file system: what changes in the second in
    which it looked is not seen."""
    time.sleep(1.05 - time.time() % 1)


def session(program, site, mail, rc, keys):
    env = {**os.environ, "TERM": "xterm", "HOME": site.work, "LC_ALL": "C.UTF-8"}
    status, drawn = on_a_terminal([program, "-F", rc, "-f", mail.root, "-e", f"push '{keys}<quit>'"], env)
    claim(f"{program} ended well", status, 0)
    return drawn


def story(program):
    with mail_site() as site:
        mail = Mail(site)
        rc = os.path.join(site.work, "muttrc")
        with open(rc, "w") as f:
            f.write(MUTTRC.format(root=mail.root))
        chapter(f"{program}: looks, and marks as old")
        drawn = session(program, site, mail, rc, "")
        claim_that("the subjects", "Angebot für März".encode() in drawn, drawn[-500:])
        claim("nothing has a flag", mail.flags(), {1: [], 2: []})
        claim("it stands in cur", mail.names("", ("new",)), [])
        chapter("reads one, flags the other, copies both, saves one to a new folder")
        session(program, site, mail, rc,
                "<first-entry><display-message><exit><last-entry><flag-message><sync-mailbox>")
        claim("over IMAP", sorted(map(tuple, mail.flags().values())), [("\\Flagged",), ("\\Seen",)])
        session(program, site, mail, rc, "<tag-pattern>~A<enter><tag-prefix><copy-message>+.Archive<enter>")
        claim("two more in Archive", len(mail.flags("Archive")), 2)
        # To the day: what it sets is the time of the last Received field.
        dates = lambda folder: sorted(row.split(b'"')[1][:11] for row in
                                      (mail.imap.select(folder), mail.imap.uid("FETCH", "1:*", "(INTERNALDATE)"))[1][1])
        claim("with their dates", dates("Archive"), dates("INBOX"))
        session(program, site, mail, rc, "<first-entry><save-message>+.New<enter><sync-mailbox>")
        claim("one moved to a folder that it made", (len(mail.flags()), len(mail.flags("New"))), (1, 1))
        claim("nothing is left in tmp", mail.names("", ("tmp",)) + mail.names(".Archive", ("tmp",)), [])
        chapter("while it is open")
        env = {**os.environ, "TERM": "xterm", "HOME": site.work, "LC_ALL": "C.UTF-8"}
        with Screen(site.work, program, "-F", rc, "-f", mail.root, env=env) as screen:
            screen.wait_for("Msgs:1")
            mail.imap.select("INBOX")
            next_second()
            mail.imap.append("INBOX", None, None, text("plain.eml").replace(b"Monday", b"Friday").replace(b"\n", b"\r\n"))
            # It looks when a key is pressed, or its time is over.
            def pressed(question):
                screen.type("C-l")
                return question()
            screen.wait(lambda: pressed(lambda: "Friday" in screen.shows()), "new mail from IMAP")
            uid = max(mail.flags())
            next_second()
            mail.store(uid, "+FLAGS", "\\Flagged")
            screen.wait(lambda: pressed(lambda: "!" in [line for line in screen.shows().splitlines()
                                                         if "Friday" in line][0]), "its flag")
            screen.type_text("=")  # the older one
            screen.type_text("d")
            screen.type_text("$")
            screen.wait(lambda: uid not in mail.flags(), "its end over IMAP")
            screen.type_text("q")
            screen.wait_for_end()
        claim("it is not in Trash", mail.flags("Trash"), {})


def main():
    need(sys.argv[1])
    story(sys.argv[1])


if __name__ == "__main__":
    run_main(main)
