#!/usr/bin/env python3
"""procmail and maildrop deliver into the Maildir view; mv and cp do."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site, text
from clients.common import need, run
from harness.programs import run_main
from harness.story import chapter, claim


def main():
    need("procmail")
    need("maildrop")
    with mail_site() as site:
        mail = Mail(site)
        letter = b"From: x@example.org\nTo: alice@example.org\nSubject: delivered\n\n" + b"a line\n" * 3000
        with open(os.path.join(site.work, "letter"), "wb") as f:
            f.write(letter)
        count = lambda folder="INBOX": len(mail.flags(folder))
        env = {**os.environ, "HOME": site.work, "LOGNAME": "root"}
        chapter("procmail")
        rc = os.path.join(site.work, "procmailrc")
        with open(rc, "w") as f:
            f.write(f"MAILDIR={site.work}\nDEFAULT={mail.root}/\nLOGFILE={site.work}/procmail.log\n"
                    f":0\n* ^Subject: filed\n{mail.root}/.Archive/\n")
        run("procmail", "-m", rc, env=env, stdin=open(os.path.join(site.work, "letter"), "rb"))
        claim("one message", count(), 3)
        claim("byte for byte", mail.texts().count(letter), 1)
        with open(os.path.join(site.work, "filed"), "wb") as f:
            f.write(letter.replace(b"delivered", b"filed"))
        run("procmail", "-m", rc, env=env, stdin=open(os.path.join(site.work, "filed"), "rb"))
        claim("a rule's folder", mail.texts(".Archive"), [letter.replace(b"delivered", b"filed")])
        chapter("maildrop")
        rc = os.path.join(site.work, "mailfilter")
        with open(rc, "w") as f:
            f.write(f'if (/^Subject: filed/)\n  to "{mail.root}/.Junk"\nto "{mail.root}"\n')
        os.chmod(rc, 0o600)
        run("maildrop", rc, env=env, stdin=open(os.path.join(site.work, "letter"), "rb"))
        claim("one message", count(), 4)
        claim("byte for byte", mail.texts().count(letter), 2)
        run("maildrop", rc, env=env, stdin=open(os.path.join(site.work, "filed"), "rb"))
        claim("a rule's folder", mail.texts(".Junk"), [letter.replace(b"delivered", b"filed")])
        chapter("cp and mv")
        shutil.copy(os.path.join(site.work, "letter"), mail.path("new/77.cp.host"))
        claim("cp into new", count(), 5)
        run("mv", mail.path("new/77.cp.host"), mail.path("cur/77.cp.host:2,S"))
        claim("mv to cur", mail.flags()[max(mail.flags())], ["\\Seen"])
        run("mv", mail.path("cur/77.cp.host:2,S"), mail.path(".Archive/cur/"))
        claim("mv to a folder", (count(), mail.flags("Archive")), (4, {1: [], 2: ["\\Seen"]}))
        out = os.path.join(site.work, "out")
        run("cp", "-a", mail.root, out)
        copied = sorted(open(os.path.join(out, name), "rb").read() for name in mail.names())
        claim("cp -a out", copied, mail.texts())
        os.makedirs(os.path.join(site.work, "in", "cur"))
        for i in range(20):
            with open(os.path.join(site.work, "in", "cur", f"{i}.rsync.host:2,S"), "wb") as f:
                f.write(letter)
        if shutil.which("rsync"):
            for _ in range(2):
                run("rsync", "-a", os.path.join(site.work, "in", "cur"), mail.path(".Sent/"))
            claim("rsync twice: one message each", count("Sent"), 20)
        claim("nothing is left in tmp", mail.names("", ("tmp",)), [])


if __name__ == "__main__":
    run_main(main)
