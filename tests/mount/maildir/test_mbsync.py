#!/usr/bin/env python3
"""mbsync with the Maildir view at either end: it renames nothing, finds IMAP's UIDs, and its second run does
nothing."""
import imaplib
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from common import Mail, mail_site, text
from clients.common import need, run
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

CONFIG = """
FSync yes

MaildirStore mount
Inbox {root}
SubFolders Maildir++

MaildirStore other
Inbox {other}
SubFolders Maildir++

IMAPAccount postern
Host 127.0.0.1
Port {port}
User bob
Pass {password}
SSLType None
AuthMechs LOGIN

IMAPStore bob
Account postern

Channel out
Far :mount:
Near :other:
Patterns *
Create Both
Remove Both
Expunge Both
CopyArrivalDate yes
SyncState *

Channel imap
Far :bob:
Near :mount:
Patterns INBOX
Create Near
Expunge Both
CopyArrivalDate yes
SyncState {state}/
"""


class Mbsync:
    def __init__(self, site, mail):
        self.config = os.path.join(site.work, "mbsyncrc")
        self.other = os.path.join(site.work, "other")
        os.mkdir(os.path.join(site.work, "state"))
        with open(self.config, "w") as f:
            f.write(CONFIG.format(root=mail.root, other=self.other, port=site.ports["imap"], password=PASSWORD,
                                  state=os.path.join(site.work, "state")))

    def __call__(self, channel):
        """What it says that it did."""
        done = run("mbsync", "-V", "-c", self.config, channel, seconds=120)
        said = (done.stdout + done.stderr).decode(errors="replace")
        said = said.replace("*** IMAP Warning *** Password is being sent in the clear", "")
        claim_that("it complained of nothing", "Warning" not in said and "rror" not in said, said)
        return said

    def texts(self, folder=""):
        found = []
        for sub in ("cur", "new"):
            at = os.path.join(self.other, folder, sub)
            for name in os.listdir(at):
                with open(os.path.join(at, name), "rb") as f:
                    found.append(f.read())
        return sorted(found)

    def names(self, folder=""):
        return sorted(name for sub in ("cur", "new") for name in os.listdir(os.path.join(self.other, folder, sub)))


def untuid(data):
    return b"\n".join(line for line in data.split(b"\n") if not line.startswith(b"X-TUID: "))


def main():
    need("mbsync")
    with mail_site() as site:
        site.user("bob")
        mail = Mail(site)
        mbsync = Mbsync(site, mail)
        with open(mail.path("new/1.tool.host"), "wb") as f:
            f.write(text("plain.eml") + b"by a tool\n")
        mail.imap.append("Archive", "(\\Seen)", None, text("parts.eml").replace(b"\n", b"\r\n"))
        chapter("from the mount: everything, and nothing is renamed")
        before = mail.names(), mail.names(".Archive")
        mbsync("out")
        after = mail.names(), mail.names(".Archive")
        uids = [[name.replace("1.tool.host,U=3", "1.tool.host") for name in names] for names in after]
        claim("the names are what they were", tuple(uids), before)
        claim("all of INBOX", sorted(map(untuid, mbsync.texts())), mail.texts())
        claim("and Archive", sorted(map(untuid, mbsync.texts(".Archive"))), mail.texts(".Archive"))
        claim("flags and UIDs are IMAP's", mail.flags(), {1: [], 2: [], 3: []})
        chapter("the second run does nothing")
        time.sleep(2)
        held = (mail.names(), mbsync.names())
        mbsync("out")
        claim("no name changed", (mail.names(), mbsync.names()), held)
        chapter("flags, both ways")
        mail.store(1, "+FLAGS", "\\Flagged \\Seen")
        name = [n for n in os.listdir(os.path.join(mbsync.other, "new")) if ",U=2" in n or ",U=3" in n][0]
        uid = int(name.split(",U=")[1].split(":")[0])
        os.rename(os.path.join(mbsync.other, "new", name), os.path.join(mbsync.other, "cur", name.split(":")[0] + ":2,RS"))
        mbsync("out")
        claim("from there", mail.flags()[uid], ["\\Answered", "\\Seen"])
        claim_that("from here", any(n.endswith(":2,FS") for n in mbsync.names()), mbsync.names())
        chapter("a message each way, one that goes each way")
        with open(os.path.join(mbsync.other, "new", "7.other.host"), "wb") as f:
            f.write(text("plain.eml") + b"from the other side\n")
        mail.imap.append("INBOX", "(\\Flagged)", None, (text("plain.eml") + b"from IMAP\n").replace(b"\n", b"\r\n"))
        mail.expunge(1)
        mbsync("out")
        claim("both have both", sorted(map(untuid, mbsync.texts())), sorted(map(untuid, mail.texts())))
        claim("four messages", len(mail.flags()), 4)
        claim_that("the other's is here", any(b"from the other side" in t for t in mail.texts()))
        names = mail.names(), mbsync.names()
        time.sleep(2)
        mbsync("out")
        claim("and then nothing more happens", (mail.names(), mbsync.names()), names)
        gone = [n for n in mbsync.names() if ",U=" in n][0]
        for sub in ("cur", "new"):
            if os.path.exists(os.path.join(mbsync.other, sub, gone)):
                os.unlink(os.path.join(mbsync.other, sub, gone))
        mbsync("out")
        claim("a removal there is one here", len(mail.flags()), 3)
        chapter("from IMAP into the mount")
        bob = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=120)
        bob.login("bob", PASSWORD)
        for i in range(5):
            bob.append("INBOX", "(\\Seen)" if i % 2 else None, None,
                       f"Subject: bob's {i}\r\n\r\nbody {i}\r\n".encode())
        count = len(mail.flags())
        mbsync("imap")
        claim("his five came, and ours went to him", (len(mail.flags()), bob.select("INBOX")[1]),
              (count + 5, [str(count + 5).encode()]))
        claim_that("byte for byte", all(any(untuid(t) == f"Subject: bob's {i}\n\nbody {i}\n".encode()
                                            for t in mail.texts()) for i in range(5)), mail.texts())
        names = mail.names()
        time.sleep(2)
        mbsync("imap")
        claim("the second run does nothing", (mail.names(), bob.select("INBOX")[1]), (names, [str(count + 5).encode()]))


if __name__ == "__main__":
    run_main(main)
