#!/usr/bin/env python3
"""curl: imap://, imaps://, pop3://, pop3s:// and both with STARTTLS; reads, lists, searches, appends, deletes."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import crlf, need, path, run, site_with_mail, text
from harness import tokens
from harness.programs import run_main
from harness.story import chapter, claim, claim_that


class Curl:
    def __init__(self, site):
        self.site = site
        self.certificate = os.path.join(site.work, "cert.pem")

    def __call__(self, door, rest="", *options, ok=True):
        url = f"{door}://localhost:{self.site.ports[door]}/{rest}"
        return run("curl", "-sS", "--ipv4", "--cacert", self.certificate, "--user", "alice:postern", *options, url,
                   ok=ok).stdout


def imap(curl):
    chapter("curl and IMAP")
    claim_that("lists folders", b"INBOX" in curl("imap"))
    for number, name in enumerate(("plain.eml", "parts.eml"), 1):
        claim(f"{name} comes byte for byte", curl("imap", f"INBOX;MAILINDEX={number}"), crlf(text(name)))
    claim("a section", curl("imap", "INBOX;MAILINDEX=2;SECTION=HEADER.FIELDS%20(SUBJECT)"),
          b"Subject: =?UTF-8?B?QW5nZWJvdCBmw7xyIE3DpHJ6?=\r\n\r\n")
    claim("searches", curl("imap", "INBOX?SUBJECT%20minutes").strip(), b"* SEARCH 1")
    curl("imap", "Archive", "-T", path("plain.eml"))
    # curl uploads a file as it is; lone LF is not what a client should send, and what comes back is CRLF.
    claim("appended, and there", curl("imap", "Archive;MAILINDEX=1"), crlf(text("plain.eml")))
    claim("over TLS from the start", curl("imaps", "INBOX;MAILINDEX=1"), crlf(text("plain.eml")))
    claim("with STARTTLS", curl("imap", "INBOX;MAILINDEX=1", "--ssl-reqd"), crlf(text("plain.eml")))
    claim_that("a wrong password is refused (67)", run(
        "curl", "-sS", "--user", "alice:wrong", f"imap://127.0.0.1:{curl.site.ports['imap']}/", ok=False).returncode == 67)


def pop3(curl):
    chapter("curl and POP3")
    sizes = {str(n): str(len(crlf(text(name)))) for n, name in enumerate(("plain.eml", "parts.eml"), 1)}
    listed = dict(line.split() for line in curl("pop3").decode().splitlines())
    claim("lists sizes", listed, sizes)
    for number, name in enumerate(("plain.eml", "parts.eml"), 1):
        claim(f"{name} comes byte for byte", curl("pop3", str(number)), crlf(text(name)))
    claim("over TLS from the start", curl("pop3s", "1"), crlf(text("plain.eml")))
    claim("with STLS", curl("pop3", "1", "--ssl-reqd"), crlf(text("plain.eml")))
    for mechanism in ("PLAIN", "LOGIN"):
        claim(f"with AUTH {mechanism} and STLS", curl("pop3", "1", "--ssl-reqd", "--login-options", f"AUTH={mechanism}"),
              crlf(text("plain.eml")))
    claim_that("capabilities", {"STLS", "UTF8 USER", "LANG", "EXPIRE NEVER"} <= set(
        curl("pop3", "", "--request", "CAPA").decode().splitlines()))
    uidls = [line.split()[1] for line in curl("pop3", "", "--request", "UIDL").splitlines()]
    curl("pop3s", "1", "--request", "DELE", "-l")
    claim("deleted at QUIT, and the other as it was", [line.split()[1] for line in curl(
        "pop3s", "", "--request", "UIDL").splitlines()], uidls[1:])
    claim("its octets", curl("pop3s", "1"), crlf(text("parts.eml")))


def bearer(site):
    chapter("curl and tokens")
    key = tokens.Key("ES256", "one")
    tokens.take_tokens(site, tokens.jwks(key))
    doors = list(site.daemons)
    for door in doors:
        site.stop(door)
    site.serve(*doors)
    for door, rest in (("imaps", "INBOX;MAILINDEX=1"), ("pop3s", "1"), ("imap", "INBOX;MAILINDEX=1"), ("pop3", "1")):
        for mechanism in ("OAUTHBEARER", "XOAUTH2"):
            for more in (["--sasl-ir"], []):
                url = f"{door}://localhost:{site.ports[door]}/{rest}"

                def fetch(token):
                    return run("curl", "-sS", "--ipv4", "--ssl-reqd", "--cacert", os.path.join(site.work, "cert.pem"), "--user", "alice:",
                               "--oauth2-bearer", token, "--login-options", f"AUTH={mechanism}", *more, url, ok=False)

                claim(f"{door} by {mechanism}", fetch(tokens.token(key)).stdout, crlf(text("plain.eml")))
                claim_that("not with one that has expired (67)", fetch(tokens.token(key, exp=1)).returncode == 67)


def main():
    need("curl")
    with site_with_mail(("imap", "pop3"), tls=True) as site:
        curl = Curl(site)
        imap(curl)
        bearer(site)
        pop3(curl)


if __name__ == "__main__":
    run_main(main)
