#!/usr/bin/env python3
"""fetchmail over POP3 and IMAP: hands each message to a delivery program, byte for byte but for what it adds."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import lf, need, path, run, site_with_mail, text
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that

CONFIG = """set no bouncemail
set no syslog
poll 127.0.0.1 protocol {protocol} service {port} {more}
	user "alice" password "{password}" is "{me}" here
	mda "{mda}" {what} {tls}
"""


class Fetchmail:
    def __init__(self, site):
        self.site = site
        self.inbox = os.path.join(site.work, "fetched")
        self.mda = os.path.join(site.work, "mda")
        with open(self.mda, "w") as f:
            f.write(f'#!/bin/sh\nmkdir -p "{self.inbox}" && cat >"{self.inbox}/$$.eml"\n')
        os.chmod(self.mda, 0o700)

    def fetch(self, protocol, door, what, tls="sslproto ''", more=""):
        config = os.path.join(self.site.work, "fetchmailrc")
        with open(config, "w") as f:
            f.write(CONFIG.format(protocol=protocol, port=self.site.ports[door], password=PASSWORD, mda=self.mda,
                                  me=os.environ.get("USER") or "root", what=what, tls=tls, more=more))
        os.chmod(config, 0o600)
        home = {**os.environ, "FETCHMAILHOME": self.site.work, "HOME": self.site.work}
        done = run("fetchmail", "--nodetach", "-v", "-f", config, ok=False, env=home)
        if done.returncode not in (0, 1):  # 1: there was no mail
            raise AssertionError((done.stdout + done.stderr).decode("latin-1"))
        return done.returncode

    def take(self):
        """What was delivered, without the Received line that fetchmail puts on top."""
        found = []
        for name in os.listdir(self.inbox) if os.path.isdir(self.inbox) else ():
            file = os.path.join(self.inbox, name)
            with open(file, "rb") as f:
                found.append(lf(f.read()))
            os.unlink(file)
        return found


def main():
    need("fetchmail")
    with site_with_mail(("imap", "pop3"), tls=True) as site:
        fetchmail = Fetchmail(site)
        tls = f"sslproto 'auto' sslcertfile '{site.work}/cert.pem' no sslcertck"
        for protocol, door, how in (("pop3", "pop3", {}), ("imap", "imap", {}), ("pop3", "pop3", {"tls": tls}),
                                    ("imap", "imap", {"tls": tls})):
            chapter(f"{protocol}{' with STARTTLS' if how else ''}: everything, kept on the server")
            fetchmail.fetch(protocol, door, "keep fetchall", **how)
            compare(fetchmail.take())
        chapter("pop3: only what is new, by UIDL")
        fetchmail.fetch("pop3", "pop3", "keep", more="uidl")
        fetchmail.take()
        claim("the second time there is nothing (1)", fetchmail.fetch("pop3", "pop3", "keep", more="uidl"), 1)
        chapter("pop3 with TLS from the first octet, and removed")
        fetchmail.fetch("pop3", "pop3s", "keep fetchall", tls=f"ssl {tls.replace('auto', 'tls1.2+')}")
        compare(fetchmail.take())
        fetchmail.fetch("pop3", "pop3s", "no keep fetchall", tls=f"ssl {tls.replace('auto', 'tls1.2+')}")
        compare(fetchmail.take())
        claim("nothing is left (1)", fetchmail.fetch("pop3", "pop3", "keep fetchall"), 1)
        for name in ("plain.eml", "parts.eml"):
            site.import_mail("alice", path(name))
        chapter("imap: fetched and removed")
        fetchmail.fetch("imap", "imap", "no keep fetchall")
        compare(fetchmail.take())
        with site.wire("imap") as wire:
            wire.read_line()
            wire.imap(f"a LOGIN alice {PASSWORD}")
            claim_that("INBOX is empty", "* 0 EXISTS" in wire.imap("b SELECT INBOX"))


def compare(got):
    """fetchmail adds to the header; the body, and each line of the header, must be there as they are."""
    claim("two messages", len(got), 2)
    for name in ("plain.eml", "parts.eml"):
        head, body = text(name).split(b"\n\n", 1)
        mine = [m for m in got if m.split(b"\n\n", 1)[1].rstrip(b"\n") == body.rstrip(b"\n")]
        claim(f"the body of {name}", len(mine), 1)
        lines = mine[0].split(b"\n\n", 1)[0].split(b"\n")
        claim(f"the header of {name}", [l for l in head.split(b"\n") if l not in lines and b"Return-Path" not in l], [])


if __name__ == "__main__":
    run_main(main)
