#!/usr/bin/env python3
"""Python's imaplib: a strict reader of responses, through a working day."""
import imaplib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import crlf, site_with_mail, text
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that
from harness.wire import tls_context


def ok(answer):
    status, data = answer
    claim_that(f"OK: {data!r:.90}", status == "OK", answer)
    return data


def body(client, uid):
    return ok(client.uid("FETCH", uid, "(BODY.PEEK[])"))[0][1]


def a_day(client):
    chapter("reading")
    claim("two messages", ok(client.select("INBOX")), [b"2"])
    claim("found", ok(client.search(None, "SUBJECT", '"minutes"')), [b"1"])
    uids = ok(client.uid("SEARCH", None, "ALL"))[0].split()
    claim("plain", body(client, uids[0]), crlf(text("plain.eml")))
    claim("parts", body(client, uids[1]), crlf(text("parts.eml")))
    structure = ok(client.fetch("2", "(BODYSTRUCTURE)"))[0].lower()
    claim_that("structure", b'"application" "pdf"' in structure and b'"mixed"' in structure, structure)
    chapter("flags")
    flags = ok(client.uid("STORE", uids[0], "+FLAGS", r"(\Flagged $label)"))[0]
    claim_that("set", rb"\Flagged" in flags and b"$label" in flags, flags)
    claim("searched", ok(client.search(None, "KEYWORD", "$label")), [b"1"])
    chapter("folders")
    ok(client.create("Projects/2025"))
    ok(client.rename("Projects/2025", "Projects/&AOQ-"))
    names = b" ".join(ok(client.list()))
    claim_that("listed", b"Projects/&AOQ-" in names and b"2025" not in names, names)
    ok(client.append("Projects/&AOQ-", r"(\Seen \Draft)", '"01-Feb-2024 10:20:30 +0100"', text("plain.eml")))
    claim("status", ok(client.status("Projects/&AOQ-", "(MESSAGES UNSEEN)")),
          [b'"Projects/&AOQ-" (MESSAGES 1 UNSEEN 0)'.replace(b'"', b"")])
    chapter("moving and removing")
    ok(client.uid("COPY", uids[0], "Archive"))
    ok(client.uid("MOVE", uids[1], "Archive"))
    ok(client.uid("STORE", uids[0], "+FLAGS", r"(\Deleted)"))
    claim("expunged, after the one that MOVE told of", ok(client.expunge()), [b"2", b"1"])
    claim("empty", ok(client.select("INBOX")), [b"0"])
    claim("both are in Archive", ok(client.select("Archive")), [b"2"])
    claim("unchanged", sorted((body(client, b"1"), body(client, b"2"))),
          sorted((crlf(text("plain.eml")), crlf(text("parts.eml")))))
    ok(client.delete("Projects/&AOQ-"))
    client.logout()


def main():
    with site_with_mail(("imap",), tls=True) as site:
        client = imaplib.IMAP4("127.0.0.1", site.ports["imap"], timeout=60)
        chapter("STARTTLS, AUTHENTICATE PLAIN")
        ok(client.starttls(tls_context()))
        ok(client.authenticate("PLAIN", lambda _: f"\0alice\0{PASSWORD}".encode()))
        client.logout()
        chapter("IMAPS, LOGIN")
        client = imaplib.IMAP4_SSL("127.0.0.1", site.ports["imaps"], ssl_context=tls_context(), timeout=60)
        ok(client.login("alice", PASSWORD))
        a_day(client)


if __name__ == "__main__":
    run_main(main)
