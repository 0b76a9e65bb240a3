#!/usr/bin/env python3
"""The tables that authd has for Postfix: what is asked in all forms, and what is no question."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import Site, free_port
from harness.story import chapter, claim, claim_that
from harness.wire import Wire
from hostile.authd import ask_map, is_closed
from hostile.common import MAIL

ANSWERS = {
    "domains example.org": "OK example.org",
    "domains EXAMPLE.ORG": "OK EXAMPLE.ORG",
    "domains mail.example.net": "OK mail.example.net",
    "domains elsewhere.example": "NOTFOUND ",
    "domains ": "NOTFOUND ",
    "mailboxes alice@example.org": "OK alice",
    "mailboxes Alice@Example.ORG": "OK alice",
    "mailboxes alice+work@example.org": "OK alice",
    "mailboxes info@example.org": "OK alice",
    "mailboxes nobody@example.org": "NOTFOUND ",
    "mailboxes alice@elsewhere.example": "NOTFOUND ",
    "mailboxes @example.org": "NOTFOUND ",
    "mailboxes alice@": "NOTFOUND ",
    "mailboxes a b c": "NOTFOUND ",
    "aliases info@example.org": "OK alice@example.org",
    "aliases alice@example.org": "NOTFOUND ",
    "aliases ALICE@example.org": "NOTFOUND ",
    "aliases alice": "NOTFOUND ",
    "aliases nobody@example.org": "NOTFOUND ",
    "senders info@example.org": "OK alice",
    "senders bob@example.org": "OK bob",
    "quota alice@example.org": "OK DUNNO",
    "quota nobody@example.org": "NOTFOUND ",
    "quota bob@example.org": "OK 552 5.2.2 the mailbox is full",
    "nothing x": "PERM there is no such map",
    "domains": "PERM that is no question: say MAP KEY",
    "": "PERM that is no question: say MAP KEY",
}
MALFORMED = (b"x", b"-1:x,", b"01:x,", b"3:abcd", b"2000:" + b"x" * 2000 + b",", b"99999999999999999999:")


def main():
    with Site() as site:
        port = free_port()
        site.configure("auth", "socketmap_listen", f"127.0.0.1:{port}")
        site.configure("server", "domains", "example.org")
        site.configure("server", "host", "mail.example.net")
        for user in ("alice", "bob"):
            site.user(user)
            site.import_mail(user, MAIL)
        site.postern("alias", "add", "info@example.org", "alice")
        site.postern("quota", "set", "bob", "--messages", "3")
        site.serve("auth")
        chapter("questions")
        with Wire(port) as wire:
            for question, answer in ANSWERS.items():
                claim(question, ask_map(wire, question), answer)
            claim("octets that are no text", ask_map(wire, b"mailboxes \xff\xfe@example.org", raw=True), "NOTFOUND ")
            claim("a NUL", ask_map(wire, b"mailboxes a\0b", raw=True), "PERM that is no question: say MAP KEY")
            site.setting("delivery", "OverQuota", "defer")
            claim("deferred", ask_map(wire, "quota bob@example.org"), "OK 452 4.2.2 the mailbox is full")
        chapter("many in one piece, and one in many")
        with Wire(port) as wire:
            wire.send(b"19:domains example.org," * 500)
            wire.fill_until(lambda: wire.buffer.count(b",") == 500)
            claim("five hundred answers", wire.take(len(wire.buffer)), b"14:OK example.org," * 500)
            for octet in b"19:domains example.org,":
                wire.send(bytes([octet]))
            wire.fill_until(lambda: b"," in wire.buffer)
            claim("one answer", wire.take(len(wire.buffer)), b"14:OK example.org,")
        chapter("no questions")
        for octets in MALFORMED:
            with Wire(port) as wire:
                wire.send(octets)
                claim_that(f"{octets[:24]!r} ends the connection", is_closed(wire))


if __name__ == "__main__":
    run_main(main)
