#!/usr/bin/env python3
"""Names and passwords of any script (PRECIS, RFC 8265): who types them on another keyboard is the same user, at each door
and by each mechanism; what could be misread is refused in words; verifiers of before are good, too."""
import base64
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.story import chapter, claim, claim_that, until
from hostile.authd import Asker, plain
from hostile.common import DOORS, attacked, greeted
from hostile.test_scram import scram

# A user, as he was added; his password; and how else both may be typed.
PEOPLE = (
    ("J\u00fcrgen", "gr\u00fcn \u2665", ("ju\u0308rgen", "J\u00dcRGEN", "\uff4a\u00fcrgen"), ("gru\u0308n\u00a0\u2665", "gr\u00fcn\u3000\u2665")),
    ("stra\u00dfe", "Stra\u00dfe", ("STRA\u00dfE",), ()),
    ("\u03bf\u03b4\u03cc\u03c2", "\u03c3\u03c2", ("\u039f\u0394\u038c\u03a3", "\u03bf\u03b4\u03bf\u0301\u03c2"), ()),
    ("i\u0307stanbul", "\u0130", ("\u0130stanbul",), ("I\u0307",)),
    ("\u05e9\u05dc\u05d5\u05dd", "\u05e91\u05e9", (), ()),
    ("\u30a2\u30ea\u30b9", "\u30a2", ("\uff71\uff98\uff7d",), ()),
)
# OpaqueString maps no width, no case and no compatibility: those are others.
STRANGERS = (("\u30a2\u30ea\u30b9", "\uff71"), ("strasse", "Stra\u00dfe"), ("\u03bf\u03b4\u03cc\u03c3", "\u03c3\u03c2"), ("istanbul", "\u0130"), ("J\u00fcrgen", "Gr\u00fcn \u2665"))
BAD_NAMES = {"a b": "letters, digits", "a\u00a0b": "can't be in one", "\ufb01n": "can't be in one", "a\u200bb": "can't be in one",
             "a\u05e9": "right to left", "\u0661\u06f1": "can't stand where", "\u265a": "can't be in one", "a\uff0fb": "letters, digits"}
BAD_PASSWORDS = {"a\tb": "can't be in one", "a\u200bb": "can't be in one", "a\u200db": "can't stand where", "\ue000": "can't be in one", "a\u0378": "can't be in one",
                 "a\x7f": "can't be in one", "a\u2066b": "can't be in one"}


def literal(text):
    octets = text.encode()
    return b"{%d+}\r\n%s" % (len(octets), octets)


def by_login(site, door, user, password):
    with greeted(site, door) as wire:
        if door == "imap":
            wire.send(b"a LOGIN " + literal(user) + b" " + literal(password) + b"\r\n")
            return wire.read_line().startswith(b"a OK")
        wire.send_line("UTF8")
        wire.read_line()
        wire.send_line(f"USER {user}")
        wire.read_line()
        wire.send_line(f"PASS {password}")
        return wire.read_line().startswith(b"+OK")


def by_plain(site, door, user, password):
    with greeted(site, door) as wire:
        wire.send_line(f"{'a AUTHENTICATE' if door == 'imap' else 'AUTH'} PLAIN {plain(user, password)}")
        return wire.read_line().startswith((b"a OK", b"+OK"))


def by_sasl_login(site, door, user, password):
    with greeted(site, door) as wire:
        wire.send_line(f"{'a AUTHENTICATE' if door == 'imap' else 'AUTH'} LOGIN")
        wire.read_line()
        wire.send_line(base64.b64encode(user.encode()).decode())
        wire.read_line()
        wire.send_line(base64.b64encode(password.encode()).decode())
        return wire.read_line().startswith((b"a OK", b"+OK"))


def by_authd(site, user, password):
    with Asker(site) as asker:
        return asker.ask(user, password)[0][0] == "OK"


def by_scram(site, door, user, password):
    return scram(site, door, user, password)[1]


def equivalents(site):
    for user, password, names, passwords in PEOPLE:
        chapter(f"{user}")
        for door in DOORS:
            for name in (user, *names):
                for typed in (password, *passwords):
                    claim_that(f"{door}: {name!a} with {typed!a}", by_login(site, door, name, typed))
                    claim_that(f"{door}: the same by PLAIN", by_plain(site, door, name, typed))
                    claim_that(f"{door}: the same by LOGIN", by_sasl_login(site, door, name, typed))
                # A SCRAM client prepares the password itself (RFC 5802 5.1).
                claim_that(f"{door}: {name!a} by SCRAM", by_scram(site, door, name, password))
        for name in (user, *names):
            for typed in (password, *passwords):
                claim_that(f"authd: {name!a} with {typed!a}", by_authd(site, name, typed))
    chapter("what is another name or password")
    for user, password in STRANGERS:
        claim_that(f"{user!a} with {password!a} is nobody", not by_login(site, "imap", user, password) and not by_plain(site, "pop3", user, password))


def refusals(site):
    chapter("what could be misread is refused, in words")
    for name, words in BAD_NAMES.items():
        done = site.postern("user", "add", name, "--no-password", ok=False)
        claim_that(f"the name {name!a}", words in done.stderr, done.stderr)
    for password, words in BAD_PASSWORDS.items():
        done = site.postern("user", "passwd", "alice", "--password-stdin", stdin=password + "\n", ok=False)
        claim_that(f"the password {password!a}", words in done.stderr, done.stderr)
        site.postern("user", "add", "new", "--password-stdin", stdin=password + "\n", ok=False)
        claim_that("nobody was added", "new " not in site.postern("user", "list").stdout)
    done = site.postern("user", "add", "JU\u0308RGEN", "--no-password", ok=False)
    claim_that("a name that is there in another spelling", "exists" in done.stderr, done.stderr)


def crypted(password):
    return subprocess.run(["openssl", "passwd", "-6", "-stdin"], input=password.encode(), capture_output=True, check=True).stdout.decode().strip()


def verifiers_of_before(site):
    chapter("a verifier of the octets as they were typed is good, until it is made anew of the form")
    typed, form = "gru\u0308n", "gr\u00fcn"
    site.postern("user", "passwd", "alice", "--verifier-stdin", stdin="{CRYPT}" + crypted(typed) + "\n")
    claim("the form alone does not fit it", by_login(site, "imap", "alice", form), False)
    claim("it is good as it was typed", by_login(site, "imap", "alice", typed), True)
    claim("and now in its form", by_login(site, "imap", "alice", form), True)
    claim("and as it was typed still", by_plain(site, "pop3", "alice", typed), True)
    claim("and by SCRAM", by_scram(site, "imap", "alice", form), True)


def malformed(site):
    chapter("what is no message of PLAIN is refused as a wrong password is")
    for octets in (b"\0alice\0", b"\0\0secret", b"alice\0secret", b"\0alice\0a\0b", b"\0al\xffice\0secret", b"\0alice\0\xe9t\xe9",
                   b"\xff\0alice\0secret", b"\0" + b"a" * 1028 + b"\0secret"):
        with greeted(site, "imap") as wire:
            wire.send_line("a AUTHENTICATE PLAIN " + base64.b64encode(octets).decode())
            claim(f"{octets[:24]!a}", wire.read_line()[:5], b"a NO ")
    # It is no guess: nothing was compared, and nothing is counted.
    claim("each was known for what it is", until(lambda: site.daemons["auth"].log().count("auth-malformed") == 8), True)


def main():
    with attacked() as site:
        for user, password, _, _ in PEOPLE:
            site.user(user, password)
        site.serve("auth", *DOORS)
        equivalents(site)
        refusals(site)
        verifiers_of_before(site)
        malformed(site)


if __name__ == "__main__":
    run_main(main)
