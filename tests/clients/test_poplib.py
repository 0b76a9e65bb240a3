#!/usr/bin/env python3
"""Python's poplib: plain, STLS and implicit TLS; sizes, UIDL, TOP, DELE, RSET, QUIT."""
import os
import poplib
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from clients.common import crlf, site_with_mail, text
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that
from harness.wire import tls_context


def login(client):
    client.user("alice")
    client.pass_(PASSWORD)
    return client


def message(client, number):
    return b"".join(line + b"\r\n" for line in client.retr(number)[1])


def main():
    with site_with_mail(("pop3",), tls=True) as site:
        chapter("reading in the clear")
        client = login(poplib.POP3("127.0.0.1", site.ports["pop3"], timeout=60))
        plain, parts = crlf(text("plain.eml")), crlf(text("parts.eml"))
        claim("STAT", client.stat(), (2, len(plain) + len(parts)))
        claim("LIST", client.list()[1], [b"1 %d" % len(plain), b"2 %d" % len(parts)])
        claim("RETR 1", message(client, 1), plain)
        claim("RETR 2", message(client, 2), parts)
        head, rest = plain.split(b"\r\n\r\n", 1)
        top = b"".join(line + b"\r\n" for line in client.top(1, 2)[1])
        claim("TOP 1 2", top, head + b"\r\n\r\n" + b"\r\n".join(rest.split(b"\r\n")[:2]) + b"\r\n")
        uids = client.uidl()[1]
        claim_that("UIDL differ", len({line.split()[1] for line in uids}) == 2, uids)
        chapter("deleting")
        client.dele(1)
        claim("counted out", client.stat(), (1, len(parts)))
        client.rset()
        claim("RSET brings it back", client.stat()[0], 2)
        client.dele(1)
        client.quit()
        chapter("STLS")
        client = poplib.POP3("127.0.0.1", site.ports["pop3"], timeout=60)
        claim_that("CAPA offers it", "STLS" in client.capa())
        client.stls(tls_context())
        login(client)
        claim("only the second is left, with its id", client.uidl()[1], [b"1 " + uids[1].split()[1]])
        client.close()
        chapter("implicit TLS, and a connection that is lost deletes nothing")
        client = login(poplib.POP3_SSL("127.0.0.1", site.ports["pop3s"], context=tls_context(), timeout=60))
        client.dele(1)
        client.close()
        client = login(poplib.POP3_SSL("127.0.0.1", site.ports["pop3s"], context=tls_context(), timeout=60))
        claim("it is still there", message(client, 1), parts)
        client.quit()


if __name__ == "__main__":
    run_main(main)
