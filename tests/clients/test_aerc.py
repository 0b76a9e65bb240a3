#!/usr/bin/env python3
"""aerc, on a terminal: opens INBOX with all the mail in it, flags, archives, deletes, saves; checked from the mount."""
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need
from clients.mailbag import Seen, add_letters, compare, site_with_bag
from clients.screen import Screen
from harness.programs import need_fuse, need_root, patience, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that, until

ACCOUNTS = """
[alice]
source = imaps://alice:{password}@localhost:{port}
from = Alice <alice@example.org>
archive = Archive
default = INBOX
postpone = Drafts
"""


def configure(site):
    folder = os.path.join(site.work, ".config", "aerc")
    os.makedirs(folder)
    with open(os.path.join(folder, "accounts.conf"), "w") as f:
        f.write(ACCOUNTS.format(password=PASSWORD, port=site.ports["imaps"]))
    os.chmod(f.name, 0o600)
    return {**os.environ, "HOME": site.work, "XDG_CONFIG_HOME": os.path.join(site.work, ".config"), "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh", "EDITOR": "true", "SSL_CERT_FILE": os.path.join(site.work, "cert.pem")}


def command(screen, text):
    screen.type_text(":" + text)
    screen.type("Enter")


def act(screen, token, what):
    """A command on the letter, which search puts the cursor on."""
    command(screen, f"search letter {token}")
    time.sleep(patience(1))  # the cursor moves when the answer comes, and nothing on the screen tells of it
    command(screen, what)


def main():
    need("aerc")
    need("tmux")
    need_root()
    need_fuse()
    site, expected = site_with_bag()
    with site:
        count = sum(map(len, expected.values()))
        env = configure(site)
        add_letters(site, "flagged", "gone", "kept")
        inbox, archive, drafts = Seen(site), Seen(site, "Archive"), Seen(site, "Drafts")
        with Screen(site.work, "aerc", env=env) as screen:
            chapter("INBOX opens, with everything in it")
            screen.wait_for("letter kept", 60)
            screen.wait_for(f"/{count + 3}")
            chapter("flag, delete, archive; a draft of its own")
            act(screen, "flagged", "flag")
            claim_that("flagged", until(lambda: "flagged" in inbox.flags(b"<flagged@example.org>")))
            act(screen, "gone", "delete")
            claim_that("deleted", until(lambda: not inbox.holds("gone")))
            act(screen, "kept", "archive flat")
            claim_that("archived", until(lambda: archive.holds("kept")))
            claim_that("and gone from INBOX", until(lambda: not inbox.holds("kept")))
            command(screen, 'compose -H "Subject: letter written"')
            screen.wait_for("Postpone")
            command(screen, "postpone")
            claim_that("the draft is there", until(lambda: any(b"Subject: letter written" in data for data in drafts.messages())))
            chapter("a message that comes meanwhile")
            add_letters(site, "late")
            screen.wait_for("letter late")
            command(screen, "quit")
            screen.wait_for_end()
        claim("the others are as they were", len(inbox.files()), count + 2)
        others = [data for data in inbox.messages() if b"@example.org>\r\n\r\nThe token" not in data]
        compare("in INBOX", expected, others)


if __name__ == "__main__":
    run_main(main)
