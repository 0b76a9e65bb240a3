#!/usr/bin/env python3
"""mutt on a terminal of its own: opens INBOX over IMAP, saves what it shows, deletes a message; and sends on a
message file that it reads from the mount."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, on_a_terminal, run, site_with_mail, text
from harness.programs import need_fuse, need_root, run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

MUTTRC = """
set imap_user=alice imap_pass={password}
set ssl_starttls={tls} ssl_force_tls=no certificate_file={work}/cert.pem ssl_verify_host=no
set folder="{work}" record="" header_cache="" message_cachedir=""
set confirmappend=no delete=yes quit=yes move=no mark_old=no wait_key=no sendmail="{work}/sendmail"
set copy=no use_domain=no
"""


def main():
    need("mutt")
    need_root()
    need_fuse()
    with site_with_mail(("imap",), tls=True, mount=True) as site:
        muttrc = os.path.join(site.work, "muttrc")
        env = {**os.environ, "TERM": "xterm", "HOME": site.work, "LC_ALL": "C.UTF-8"}
        with open(muttrc, "w") as f:
            f.write(MUTTRC.format(password=PASSWORD, work=site.work, tls="no"))
        saved = os.path.join(site.work, "saved.mbox")
        chapter("over IMAP: both messages copied to an mbox, one deleted")
        keys = f"<tag-pattern>~A<enter><tag-prefix><copy-message>{saved}<enter>"
        keys += "<untag-pattern>~A<enter><delete-pattern>~s Minutes<enter><sync-mailbox><quit>"
        status, drawn = on_a_terminal(
            ["mutt", "-F", muttrc, "-f", f"imap://127.0.0.1:{site.ports['imap']}/INBOX", "-e", f"push '{keys}'"], env)
        claim("mutt ended well", status, 0)
        with open(saved, "rb") as f:
            mbox = f.read()
        for name in ("plain.eml", "parts.eml"):
            body = text(name).split(b"\n\n", 1)[1].replace(b"\nFrom ", b"\n>From ")
            claim_that(f"the body of {name} is in it", body in mbox or body.replace(b"\n>From ", b"\nFrom ") in mbox, mbox)
        claim_that("the screen showed the decoded subject", "Angebot für März".encode() in drawn, drawn)
        with site.wire("imap") as wire:
            wire.read_line()
            wire.imap(f"a LOGIN alice {PASSWORD}")
            claim_that("one message is left", "* 1 EXISTS" in wire.imap("b SELECT INBOX"))
        chapter("a message file of the mount, read and sent on")
        folder = site.folder("alice")
        message = os.path.join(folder, os.listdir(folder)[0])
        sent = os.path.join(site.work, "sent.eml")
        with open(os.path.join(site.work, "sendmail"), "w") as f:
            f.write(f"#!/bin/sh\nexec cat >{sent}\n")
        os.chmod(os.path.join(site.work, "sendmail"), 0o700)
        run("mutt", "-F", muttrc, "-s", "look", "-i", message, "bob@example.org", env=env, stdin=open(os.devnull))
        with open(sent, "rb") as f:
            claim_that("it holds the message's own lines", b"JVBERi0xLjQKJSBub3QgcmVhbGx5" in f.read())


if __name__ == "__main__":
    run_main(main)
