#!/usr/bin/env python3
"""alpine, on a terminal: opens INBOX with all the mail in it, flags, deletes, saves everything to Archive, postpones a
draft; checked from the mount.

What it says on the line above the menu goes away by itself: what is waited for is in the index or in the title."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need
from clients.mailbag import Seen, add_letters, compare, digest, letter, site_with_bag
from clients.screen import Screen
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that, until

CONFIG = """
personal-name=Alice
user-domain=example.org
inbox-path={box}INBOX
folder-collections=postern {box}[]
postponed-folder={box}Drafts
feature-list=enable-flag-cmd,enable-aggregate-command-set,quell-folder-internal-msg,expunge-without-confirm
last-version-used=9.99
"""


def start(site):
    config = os.path.join(site.work, "pinerc")
    with open(config, "w") as f:
        f.write(CONFIG.format(box="{127.0.0.1:%d/ssl/novalidate-cert/user=alice}" % site.ports["imaps"]))
    return Screen(site.work, "alpine", "-p", config, "-i",
                  env={**os.environ, "HOME": site.work, "TERM": "xterm", "LC_ALL": "C.UTF-8"})


def log_in(screen):
    screen.wait_for("ENTER PASSWORD", 60)
    screen.type_text(PASSWORD)
    screen.type("Enter")
    screen.wait_for("Preserve password")
    screen.type_text("n")


def wait_for_row(screen, pattern):
    screen.wait(lambda: re.search(rf"^{pattern}", screen.shows(), re.MULTILINE), f"a row {pattern!r}")


def stands_on(screen, subject):
    """Whether the title counts the row of this subject as the message one is at."""
    text = screen.shows()
    row = re.search(rf"^[ *+DNA]*\b(\d+) .*{subject}", text, re.MULTILINE)
    return row and re.search(rf"Message +{row.group(1)} of", text)


def find(screen, token):
    screen.type_text("W")
    screen.wait_for("Word to search for")
    screen.type_text(f"letter {token}")
    screen.type("Enter")
    screen.wait(lambda: stands_on(screen, f"letter {token}"), f"letter {token} found")


def save_all(screen):
    screen.type_text(";")
    screen.wait_for("SELECT criteria")
    screen.type_text("a")
    wait_for_row(screen, "X ")
    screen.type_text("a")
    screen.wait_for("APPLY command")
    screen.type_text("s")
    screen.wait_for("SAVE")
    screen.type("C-u")
    screen.type_text("Archive")
    screen.type("Enter")


def main():
    need("alpine")
    need("tmux")
    need_root()
    need_fuse()
    site, expected = site_with_bag()
    with site:
        count = sum(map(len, expected.values()))
        add_letters(site, "flagged", "gone")
        inbox, archive, drafts = Seen(site), Seen(site, "Archive"), Seen(site, "Drafts")
        with start(site) as screen:
            log_in(screen)
            chapter("INBOX opens, with everything in it")
            screen.wait_for(f" of {count + 2} ", 60)
            chapter("flag, delete, expunge")
            find(screen, "flagged")
            screen.type_text("*")
            screen.wait_for("or Important ?")
            screen.type("Enter")
            claim_that("flagged", until(lambda: "flagged" in inbox.flags(b"<flagged@example.org>")))
            find(screen, "gone")
            screen.type_text("D")
            wait_for_row(screen, "  D .*letter gone")
            screen.type_text("X")
            claim_that("gone", until(lambda: not inbox.holds("gone")))
            chapter("all of it to Archive, then expunged here")
            save_all(screen)
            claim_that("saved", until(lambda: len(archive.files()) == count + 1, 60))
            wait_for_row(screen, ". D ")
            screen.type_text("X")
            claim_that("INBOX is empty", until(lambda: not inbox.files(), 60))
            saved = archive.messages()
            claim("the letter went with its flag", archive.flags(b"<flagged@example.org>"), ["flagged"])
            saved = [data for data in saved if digest(data) != digest(letter("flagged"))]
            compare("in Archive", expected, saved)
            chapter("a draft")
            screen.type_text("C")
            screen.wait_for("COMPOSE MESSAGE")
            screen.type_text("bob@example.org")
            screen.type("Down", "Down", "Down")
            screen.type_text("letter written")
            screen.type("C-o")
            claim_that("postponed", until(lambda: any(b"Subject: letter written" in data for data in drafts.messages())))
            screen.type_text("Q")
            screen.wait_for("Really quit")
            screen.type_text("y")
            screen.wait_for_end()


if __name__ == "__main__":
    run_main(main)
