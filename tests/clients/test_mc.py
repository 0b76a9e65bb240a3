#!/usr/bin/env python3
"""Midnight Commander in the mail tree, on a terminal: looks into a message, copies in and out, moves, removes, makes and
renames a folder; what it shows is true, and each is one message."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need
from clients.screen import Screen
from harness.programs import need_fuse, need_root, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, until

TEXT = "From: a@example.org\nSubject: letter {}\n\nwritten by hand\n"


class Commander(Screen):
    """Two panels on two folders."""

    def __init__(self, site, left, right):
        super().__init__(site.work, "mc", "--nomouse", "-b", "-u", left, right,
                         env={**os.environ, "HOME": site.work, "TERM": "xterm", "LC_ALL": "C.UTF-8", "SHELL": "/bin/sh"})
        self.wait_for("10Quit")

    def answer(self, title, text=None):
        """The dialog of this title: a text in place of what it proposes, or as it is."""
        self.wait_for(title)
        if text is not None:
            self.type("C-a", "C-k")
            self.type_text(text)
        self.type("Enter")
        self.wait(lambda: title not in self.shows(), f"the end of {title!r}")


def main():
    need("mc")
    need("tmux")
    need_root()
    need_fuse()
    with Site() as site:
        site.user("alice")
        site.mount()
        inbox, archive = site.folder("alice"), site.folder("alice", "Archive")
        outside = os.path.join(site.work, "outside")
        os.mkdir(outside)
        for n in (1, 2, 3):
            with open(os.path.join(outside, f"letter{n}.eml"), "w") as f:
                f.write(TEXT.format(n))
            os.utime(os.path.join(outside, f"letter{n}.eml"), (1600000000 + n, 1600000000 + n))
        listed = lambda folder: sorted(os.listdir(folder))
        with Commander(site, outside, inbox) as mc:
            chapter("three marked files are copied in")
            mc.type("Down", "IC", "IC", "IC", "F5")
            mc.answer(" Copy ")
            names = [f"letter{n}.eml" for n in (1, 2, 3)]
            claim_that("all are messages", until(lambda: listed(inbox) == names), listed(inbox))
            claim("octet for octet", [open(os.path.join(inbox, n)).read() for n in names], [TEXT.format(n) for n in (1, 2, 3)])
            chapter("one is looked into")
            mc.type("Tab", "Home", "Down", "F3")
            mc.wait_for("written by hand")
            claim_that("its subject stands there", "Subject: letter 1" in mc.shows(), mc.shows())
            mc.type("F10")
            mc.wait_for("10Quit")
            chapter("one is moved to another folder, one gets another name")
            mc.type("F6")
            mc.answer(" Move ", archive + "/")
            claim_that("it is there", until(lambda: listed(archive) == ["letter1.eml"]), listed(archive))
            claim("and not here", listed(inbox), ["letter2.eml", "letter3.eml"])
            mc.type("Home", "Down", "F6")
            mc.answer(" Move ", "named.eml")
            claim_that("it has its name", until(lambda: listed(inbox) == ["letter3.eml", "named.eml"]), listed(inbox))
            chapter("one is removed")
            mc.type("Home", "Down", "F8")
            mc.answer(" Delete ")
            claim_that("it is gone", until(lambda: listed(inbox) == ["named.eml"]), listed(inbox))
            claim("to Trash", listed(site.folder("alice", "Trash")), ["letter3.eml"])
            chapter("a folder is made, renamed and removed")
            mc.type("F7")
            mc.answer("Create a new Directory", "Made")
            claim_that("it is there", until(lambda: "Made" in listed(inbox)), listed(inbox))
            mc.type("Home", "Down", "F6")
            mc.answer(" Move ", "Other")
            claim_that("it has another name", until(lambda: listed(inbox) == ["Other", "named.eml"]), listed(inbox))
            mc.type("Home", "Down", "F8")
            mc.answer(" Delete ")
            claim_that("it is gone", until(lambda: listed(inbox) == ["named.eml"]), listed(inbox))
            chapter("what is there is copied out")
            mc.type("Home", "Down", "F5")
            mc.answer(" Copy ", outside + "/")
            claim_that("it is outside", until(lambda: "named.eml" in listed(outside)), listed(outside))
            claim("octet for octet", open(os.path.join(outside, "named.eml")).read(), TEXT.format(2))
            mc.type("F10")
            mc.wait_for_end()
        claim("no session is left", until(lambda: site.sessions() == []) or site.sessions(), True)


if __name__ == "__main__":
    run_main(main)
