#!/usr/bin/env python3
"""nano and vim on a terminal, in the mail tree: a message does not change in place, and who tries is told so and loses
nothing; a new file is a message when it is written."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need
from clients.screen import Screen
from harness.programs import need_fuse, need_root, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that, until

TEXT = "Subject: letter\n\nwritten by hand\n"


def editor(site, *argv):
    return Screen(site.work, *argv, env={**os.environ, "HOME": site.work, "TERM": "xterm", "LC_ALL": "C.UTF-8"})


def nano(site, path, typed):
    """Types at the beginning and writes; what nano said."""
    with editor(site, "nano", "--ignorercfiles", path) as screen:
        screen.wait_for("GNU nano")
        screen.type_text(typed)
        screen.type("C-o")
        screen.wait_for("Name to Write")
        screen.type("Enter")
        screen.wait(lambda: "Wrote" in screen.shows() or "Error writing" in screen.shows(), "an answer")
        said = screen.shows()
        screen.type("C-x")
        if "Error writing" in said:
            screen.wait_for("Save modified buffer")
            screen.type_text("n")
        screen.wait_for_end()
    return said


def vim(site, path, typed):
    with editor(site, "vim", "-u", "NONE", "-N", path) as screen:
        screen.wait_for(os.path.basename(path))
        screen.type_text("i" + typed)
        screen.type("Escape")
        screen.type_text(":w")
        screen.type("Enter")
        screen.wait(lambda: "written" in screen.shows() and "L, " in screen.shows() or "E212" in screen.shows(), "an answer")
        said = screen.shows()
        if "E212" in said:
            screen.type("Enter")
        screen.type_text(":q!")
        screen.type("Enter")
        screen.wait_for_end()
    return said


def main():
    need("nano")
    need("vim")
    need("tmux")
    need_root()
    need_fuse()
    with Site() as site:
        site.user("alice")
        site.mount()
        inbox = site.folder("alice")
        old = os.path.join(inbox, "old.eml")
        with open(old, "w") as f:
            f.write(TEXT)
        os.listdir(inbox)
        for name, edit, refusal in (("nano", nano, "Operation not permitted"), ("vim", vim, "E212")):
            chapter(f"{name}: a message that is there")
            before = sorted(os.listdir(inbox))
            said = edit(site, old, "changed ")
            claim_that("it says that it can't be written", refusal in said, said)
            claim("it is as it was", open(old).read(), TEXT)
            claim_that("nothing is left beside it", until(lambda: sorted(os.listdir(inbox)) == before), os.listdir(inbox))
            chapter(f"{name}: a new one")
            new = os.path.join(inbox, f"{name}.eml")
            edit(site, new, f"Subject: {name}")
            claim_that("is a message", until(lambda: os.path.exists(new) and open(new).read() == f"Subject: {name}\n"),
                       os.listdir(inbox))
            claim_that("with a UID", int(os.getxattr(new, "user.uid")) > 1)
        claim("and nothing else is there", sorted(os.listdir(inbox)), ["nano.eml", "old.eml", "vim.eml"])
        claim("no session is left", until(lambda: site.sessions() == []) or site.sessions(), True)


if __name__ == "__main__":
    run_main(main)
