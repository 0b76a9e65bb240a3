#!/usr/bin/env python3
"""mpop: every message of the bag over POP3, with STLS and with TLS at once, byte for byte but for line ends; only what is
new by UIDL, though a message was elsewhere meanwhile; and removed where it is not to be kept."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import need, run
from clients.mailbag import bag, digest, letter
from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that

CONFIG = """account default
host localhost
port {port}
user alice
password {password}
auth {auth}
tls {tls}
tls_starttls {starttls}
tls_trust_file {work}/cert.pem
keep {keep}
uidls_file {work}/uidls
delivery maildir {maildir}
received_header off
"""
DOORS = (("pop3", "plain", "off", "off"), ("pop3", "user", "on", "on"), ("pop3s", "plain", "on", "off"))


class Mpop:
    def __init__(self, site):
        self.site, self.runs = site, 0

    def __call__(self, door, auth, tls, starttls, keep="on", anew=True):
        """What it delivered, as digests of messages whatever their line ends."""
        self.runs += 1
        maildir = os.path.join(self.site.work, f"mpop{self.runs}")
        for sub in ("", "cur", "new", "tmp"):
            os.mkdir(os.path.join(maildir, sub))
        uidls = os.path.join(self.site.work, "uidls")
        if anew and os.path.exists(uidls):
            os.unlink(uidls)
        config = os.path.join(self.site.work, "mpoprc")
        with open(config, "w") as f:
            f.write(CONFIG.format(port=self.site.ports[door], password=PASSWORD, auth=auth, tls=tls, starttls=starttls,
                                  work=self.site.work, keep=keep, maildir=maildir))
        os.chmod(config, 0o600)
        run("mpop", "-C", config, "--quiet", seconds=120)
        found = []
        for name in os.listdir(os.path.join(maildir, "new")):
            with open(os.path.join(maildir, "new", name), "rb") as f:
                found.append(ended(f.read()))
        return sorted(found)


def ended(data):
    """POP3 has no message without a last line end, and mpop writes LF."""
    data = data.replace(b"\r\n", b"\n")
    return digest(data if data.endswith(b"\n") else data + b"\n")


def main():
    need("mpop")
    with Site(tls=True) as site:
        path, found = bag(site.work)
        site.user("alice")
        site.import_mail("alice", path)
        site.setting("pop", "Utf8Headers", "asis")  # mpop knows no UTF8, for which headers would be told in ASCII
        site.serve("pop3", "imap")
        expected = []
        for names in found.values():
            for name in names:
                with open(os.path.join(path, name), "rb") as f:
                    expected.append(ended(f.read()))
        mpop = Mpop(site)
        for door in DOORS:
            chapter(f"{len(expected)} messages over {door[0]}, auth {door[1]}, STLS {door[3]}")
            claim("all of them as they are", mpop(*door), sorted(expected))
        chapter("what is known by its UIDL")
        claim("is not fetched again", mpop(*DOORS[1], anew=False), [])
        with site.wire("imap") as wire:
            wire.read_line()
            for command in (f"LOGIN alice {PASSWORD}", "SELECT INBOX", "MOVE 1:3 Archive", "SELECT Archive", "MOVE 1:3 INBOX"):
                claim_that(command.split()[0], wire.imap(f"a {command}")[-1].startswith("a OK"))
        claim("nor what was in Archive meanwhile", mpop(*DOORS[1], anew=False), [])
        late = os.path.join(site.work, "late.eml")
        with open(late, "wb") as f:
            f.write(letter("late"))
        site.import_mail("alice", late)
        claim("but what is new", mpop(*DOORS[2], anew=False), [ended(letter("late"))])
        chapter("fetched and removed")
        claim("all once more", len(mpop(*DOORS[2], keep="off")), len(expected) + 1)
        claim("nothing is left", mpop(*DOORS[0]), [])


if __name__ == "__main__":
    run_main(main)
