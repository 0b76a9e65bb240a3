#!/usr/bin/env python3
"""EXTERNAL over a Unix socket: who connects is the user whose Unix account he has, because the kernel says so, and nobody else."""
import base64
import contextlib
import os
import pwd
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import need_root, run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that, until
from harness.wire import Wire
from hostile.common import try_login

ALICES, BOBS, NOBODYS = "games", "daemon", "mail"  # every Debian has these accounts
WORDS = {"imap": "a AUTHENTICATE EXTERNAL", "pop3": "AUTH EXTERNAL"}


@contextlib.contextmanager
def account(name):
    """What connects meanwhile is this account's."""
    os.seteuid(pwd.getpwnam(name).pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)


def greeted_as(site, door, name):
    with account(name):
        wire = Wire(os.path.join(site.work, f"{door}.sock"))
    wire.read_line()
    return wire


def offered(wire, door):
    if door == "imap":
        return "AUTH=EXTERNAL" in " ".join(wire.imap("c CAPABILITY"))
    wire.send_line("CAPA")
    lines = iter(wire.read_line, b".")
    return any(line.startswith(b"SASL") and b"EXTERNAL" in line for line in list(lines))


def answer(wire, door, as_user=""):
    wire.send_line(f"{WORDS[door]} {base64.b64encode(as_user.encode()).decode() or '='}")
    while (line := wire.read_line()).startswith(b"* "):
        pass
    return line


def lets_in(line):
    return line.startswith((b"a OK", b"+OK"))


def at(site, door):
    chapter(f"at {door}")
    with greeted_as(site, door, ALICES) as wire:
        claim("it is offered to who has the account of a user", offered(wire, door), True)
        claim_that("and lets him in without a password", lets_in(answer(wire, door)))
        claim("as that user", until(lambda: [row["mailbox"] for row in site.sessions()]), ["alice"])
    for name in ("alice", "ALICE@localhost", "al"):
        with greeted_as(site, door, ALICES) as wire:
            claim_that(f"also as {name}, who he is", lets_in(answer(wire, door, name)))
    for name in ("bob", "root", "nobody-at-all"):
        with greeted_as(site, door, ALICES) as wire:
            line = answer(wire, door, name)
            claim_that(f"not as {name}", not lets_in(line), line)
    with greeted_as(site, door, BOBS) as wire:
        line = answer(wire, door)
        claim_that("nor who is disabled", not lets_in(line), line)
    for name in (NOBODYS, "root"):
        with greeted_as(site, door, name) as wire:
            claim(f"it is not offered to {name}, whose account is no user's", offered(wire, door), False)
            line = answer(wire, door, "alice")
            claim_that("nor taken from him", not lets_in(line), line)
    with greeted_as(site, door, NOBODYS) as wire:
        claim_that("who logs in by a password there", lets_in(try_login(wire, door, "alice", PASSWORD)))
    with Wire(site.ports[door]) as wire:
        wire.read_line()
        claim("over TCP it is offered to nobody", offered(wire, door), False)
        claim_that("nor taken", not lets_in(answer(wire, door)))


def account_changes(site):
    chapter("an account that is another user's now")
    site.postern("user", "account", "alice")
    site.postern("user", "account", "carol", ALICES)
    with greeted_as(site, "imap", ALICES) as wire:
        line = answer(wire, "imap", "alice")
        claim_that("is not good for the former one", not lets_in(line), line)
    with greeted_as(site, "imap", ALICES) as wire:
        claim_that("but for the new one", lets_in(answer(wire, "imap", "carol")))


def main():
    need_root()
    with Site() as site:
        os.chmod(site.work, 0o755)
        for door in WORDS:
            site.configure(door, "listen", f"127.0.0.1:{site.ports[door]} unix:{site.work}/{door}.sock")
            site.configure(door, "socket_mode", "0666")
        site.setting("login", "FailureDelay", 0)
        for name in ("alice", "bob", "carol"):
            site.user(name)
        site.postern("alias", "add", "al", "alice")
        site.postern("user", "account", "alice", ALICES)
        site.postern("user", "account", "bob", BOBS)
        site.postern("user", "disable", "bob")
        site.serve(*WORDS)
        for door in WORDS:
            at(site, door)
        account_changes(site)


if __name__ == "__main__":
    run_main(main)
