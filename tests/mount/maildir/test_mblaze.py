#!/usr/bin/env python3
"""mblaze on the Maildir view: lists, scans, shows, flags, files and delivers; each seen over IMAP."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site, text
from clients.common import need, run
from harness.programs import run_main
from harness.story import chapter, claim, claim_that


def main():
    need("mlist")
    with mail_site() as site:
        mail = Mail(site)
        env = {**os.environ, "HOME": site.work, "MBLAZE": site.work, "LC_ALL": "C.UTF-8"}
        blaze = lambda *argv, **how: run(*argv, env=env, **how).stdout.decode()
        chapter("lists and shows")
        listed = blaze("mlist", mail.root).splitlines()
        claim("both, by the names that are there", sorted(listed), sorted(map(mail.path, mail.names())))
        scanned = blaze("mscan", *listed)
        claim_that("subjects, decoded", "Minutes of Monday" in scanned and "Angebot für März" in scanned, scanned)
        claim_that("the parts", "text/plain" in blaze("mshow", "-t", mail.path(mail.of_uid(2))))
        claim_that("a body is shown", "Minutes of Monday" in blaze("mshow", mail.path(mail.of_uid(1))))
        claim("nothing was marked as seen", mail.flags(), {1: [], 2: []})
        claim("mlist -N: both are new", len(blaze("mlist", "-N", mail.root).splitlines()), 2)
        chapter("flags, both ways")
        moved = blaze("minc", mail.root).splitlines()
        claim("minc moves what is new to cur", (mail.names("", ("new",)), sorted(moved)),
              ([], sorted(map(mail.path, mail.names()))))
        claim("which sets nothing", mail.flags(), {1: [], 2: []})
        blaze("mflag", "-SF", mail.path(mail.of_uid(1)))
        claim("over IMAP", mail.flags()[1], ["\\Flagged", "\\Seen"])
        mail.store(1, "-FLAGS", "\\Flagged")
        mail.store(2, "+FLAGS", "\\Answered")
        claim("mlist -R", blaze("mlist", "-R", mail.root).splitlines(), [mail.path(mail.of_uid(2))])
        claim("mlist -F", blaze("mlist", "-F", mail.root), "")
        blaze("mflag", "-s", mail.path(mail.of_uid(1)))
        claim("mflag -s", mail.flags(), {1: [], 2: ["\\Answered"]})
        chapter("files elsewhere")
        blaze("mmkdir", mail.path(".Done"))
        blaze("mrefile", mail.path(mail.of_uid(2)), mail.path(".Done"))
        claim("it is there", mail.flags("Done"), {1: ["\\Answered"]})
        claim("with its bytes", mail.texts(".Done"), [text("parts.eml")])
        claim("and here no more", list(mail.flags()), [1])
        blaze("mrefile", "-k", mail.path(mail.names(".Done")[0], ".Done"), mail.root)
        claim("a copy comes back", (len(mail.flags()), len(mail.flags("Done"))), (2, 1))
        chapter("delivers")
        with open(os.path.join(site.work, "letter"), "wb") as f:
            f.write(text("plain.eml") + b"PS: once more\n")
        delivered = run("mdeliver", "-v", mail.root, env=env,
                        stdin=open(os.path.join(site.work, "letter"), "rb")).stdout.decode().strip()
        claim_that("mdeliver's name is the file's", os.path.exists(delivered), delivered)
        with open(delivered, "rb") as f:
            claim("byte for byte", f.read(), text("plain.eml") + b"PS: once more\n")
        claim("one message", len(mail.flags()), 3)
        run("mdeliver", "-c", "-XS", mail.root, env=env, stdin=open(os.path.join(site.work, "letter"), "rb"))
        claim("to cur, seen", mail.flags()[max(mail.flags())], ["\\Seen"])
        claim("nothing is left in tmp", mail.names("", ("tmp",)), [])


if __name__ == "__main__":
    run_main(main)
