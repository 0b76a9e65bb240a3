#!/usr/bin/env python3
"""mbsync, both ways: down, up, flags each way, deletions each way, and nothing left to do at the end."""
import glob
import imaplib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import crlf, lf, need, run, site_with_mail, text
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

CONFIG = """
IMAPAccount postern
Host 127.0.0.1
Port {port}
User alice
Pass {password}
{tls}
AuthMechs PLAIN LOGIN

IMAPStore far
Account postern

MaildirStore near
Path {maildir}/
Inbox {maildir}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""


class Mbsync:
    def __init__(self, site):
        self.site = site
        self.maildir = os.path.join(site.work, "maildir")
        self.config = os.path.join(site.work, "mbsyncrc")
        os.makedirs(self.maildir)
        with open(self.config, "w") as f:
            f.write(CONFIG.format(port=site.ports["imap"], password=PASSWORD, maildir=self.maildir,
                                  tls=f"SSLType STARTTLS\nCertificateFile {site.work}/cert.pem"))

    def __call__(self):
        return run("mbsync", "-c", self.config, "all").stdout

    def files(self, folder):
        return sorted(glob.glob(os.path.join(self.maildir, folder, "cur", "*")) +
                      glob.glob(os.path.join(self.maildir, folder, "new", "*")))

    def messages(self, folder):
        """As they are, but for the header that mbsync adds on its way up."""
        found = []
        for path in self.files(folder):
            with open(path, "rb") as f:
                lines = lf(f.read()).split(b"\n")
            found.append(b"\n".join(line for line in lines if not line.startswith(b"X-TUID: ")))
        return sorted(found)


def main():
    need("mbsync")
    with site_with_mail(("imap",), tls=True) as site:
        mbsync = Mbsync(site)
        client = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=60)
        client.login("alice", PASSWORD)
        chapter("down")
        mbsync()
        claim("both messages, byte for byte", mbsync.messages("INBOX"), sorted((text("plain.eml"), text("parts.eml"))))
        claim_that("every folder", os.path.isdir(os.path.join(mbsync.maildir, "Archive", "cur")))
        chapter("up: a message, a folder, a flag")
        with open(os.path.join(mbsync.maildir, "INBOX", "cur", "1741250000.up.local:2,FS"), "wb") as f:
            f.write(text("plain.eml").replace(b"minutes-1@", b"up-1@"))
        for sub in ("cur", "new", "tmp"):
            os.makedirs(os.path.join(mbsync.maildir, "Made here", sub))
        read = next(p for p in mbsync.files("INBOX") if b"<angebot-7@" in open(p, "rb").read())
        os.rename(read, os.path.join(mbsync.maildir, "INBOX", "cur", os.path.basename(read).split(":")[0] + ":2,S"))
        mbsync()
        client.select("INBOX")
        claim("it arrived with its flags", client.search(None, "FLAGGED", "SEEN", "HEADER", "Message-ID", "up-1@")[1], [b"3"])
        claim("the other one is read now", client.search(None, "SEEN", "HEADER", "Message-ID", "angebot-7")[1], [b"2"])
        uploaded = client.fetch("3", "(BODY.PEEK[])")[1][0][1]
        claim("and it is what was put there", b"\r\n".join(l for l in uploaded.split(b"\r\n") if not l.startswith(b"X-TUID: ")),
              crlf(text("plain.eml").replace(b"minutes-1@", b"up-1@")))
        claim("the folder was made", client.status('"Made here"', "(MESSAGES)")[0], "OK")
        chapter("deletions, each way, and a change over IMAP")
        client.store("1", "+FLAGS", r"(\Deleted)")
        client.expunge()
        client.append("Archive", r"(\Answered)", None, crlf(text("parts.eml")))
        mbsync()
        claim("gone near", len(mbsync.files("INBOX")), 2)
        claim("come near", mbsync.messages("Archive"), [text("parts.eml")])
        claim_that("with its flag", mbsync.files("Archive")[0].endswith("R"), mbsync.files("Archive"))
        for path in mbsync.files("INBOX"):
            os.unlink(path)
        mbsync()
        claim("gone far", client.select("INBOX")[1], [b"0"])
        chapter("nothing is left to do")
        before = mbsync.messages("Archive")
        mbsync()
        claim("Archive is as it was", (mbsync.messages("Archive"), len(mbsync.files("INBOX"))), (before, 0))
        client.logout()


if __name__ == "__main__":
    run_main(main)
