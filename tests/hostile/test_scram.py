#!/usr/bin/env python3
"""SCRAM-SHA-256 as clients speak it (RFC 5802, RFC 7677): it lets in who knows the password and proves the server to him;
strangers learn nothing by it; it is offered exactly when everybody can use it.  And passwords of applications."""
import base64
import hashlib
import hmac
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that
from hostile.common import DOORS, attacked, greeted, try_login


def b64(octets):
    return base64.b64encode(octets).decode()


def challenged(wire, line):
    wire.send_line(line)
    answer = wire.read_line().decode().rstrip("\r\n")
    return base64.b64decode(answer[2:]).decode() if answer.startswith("+ ") else answer


def begin(wire, door, user, nonce="rOprNGfwEbeRWgbNEkqO", flag="n"):
    first = f"n={user},r={nonce}"
    command = "a AUTHENTICATE" if door == "imap" else "AUTH"
    return first, challenged(wire, f"{command} SCRAM-SHA-256 {b64((flag + ',,' + first).encode())}")


def proof_of(password, first, server, final):
    said = dict(part.split("=", 1) for part in server.split(","))
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(said["s"]), int(said["i"]))
    key = hmac.digest(salted, b"Client Key", "sha256")
    message = ",".join((first, server, final)).encode()
    signature = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
    mine = bytes(a ^ b for a, b in zip(key, signature))
    return b64(mine), b64(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"))


def scram(site, door, user, password, spoil=lambda final: final):
    """The answer that decides it; and whether the server proved itself."""
    with greeted(site, door) as wire:
        first, server = begin(wire, door, user)
        if not server.startswith("r="):
            return server, False
        said = dict(part.split("=", 1) for part in server.split(","))
        final = spoil("c=biws,r=" + said["r"])
        proof, expected = proof_of(password, first, server, final)
        answer = challenged(wire, b64(f"{final},p={proof}".encode()))
        if answer != f"v={expected}":
            return answer, False
        return challenged(wire, ""), True


def offered(site, door):
    with greeted(site, door) as wire:
        if door == "imap":
            return "AUTH=SCRAM-SHA-256" in " ".join(wire.imap("a CAPABILITY"))
        wire.send_line("CAPA")
        return any(line.startswith(b"SASL") and b"SCRAM-SHA-256" in line for line in wire.read_multiline())


def lets_in_who_knows(site):
    for door in DOORS:
        claim_that(f"{door} offers it", offered(site, door))
        answer, proved = scram(site, door, "alice", PASSWORD)
        claim_that(f"{door}: alice gets in, and is shown that it is the server", proved and "OK" in answer, answer)
        for user, password in (("alice", "nonsense"), ("nobody", PASSWORD)):
            answer, proved = scram(site, door, user, password)
            claim_that(f"{door}: {user} with {password} does not", not proved and "AUTH" in answer, answer)
        answer, proved = scram(site, door, "alice", PASSWORD, lambda final: final.replace("biws", "eSws"))
        claim_that(f"{door}: nor who changed his mind about the channel", not proved and "AUTH" in answer, answer)


def tells_strangers_nothing(site):
    def salt(user, nonce):
        with greeted(site, "imap") as wire:
            said = begin(wire, "imap", user, nonce)[1].split(",")
            claim_that(f"{user} is answered as anybody is", said[0].startswith("r=" + nonce), said)
            return said[1:]

    for user in ("alice", "nobody", "mallory"):
        claim_that(f"{user} has one salt", salt(user, "one") == salt(user, "two"))
    claim_that("each has another", len({str(salt(user, "x")) for user in ("alice", "nobody", "mallory")}) == 3)
    claim_that("all have as many iterations", salt("alice", "x")[1] == salt("nobody", "x")[1])


def keys_come_with_the_password(site):
    sha512 = ("$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1")
    site.postern("user", "passwd", "bob", "--verifier-stdin", stdin=sha512 + "\n")
    claim_that("somebody has no keys, and it is not offered", not offered(site, "imap"))
    with greeted(site, "imap") as wire:
        claim_that("he logs in with his password", try_login(wire, "imap", "bob", "Hello world!").startswith(b"a OK"))
    claim_that("now it is", offered(site, "imap"))
    claim_that("and he uses it", scram(site, "pop3", "bob", "Hello world!")[1])
    site.postern("user", "disable", "bob")
    answer, proved = scram(site, "imap", "bob", "Hello world!")
    claim_that("until he is disabled", "AUTH" in answer and not proved, answer)
    site.postern("user", "enable", "bob")


def a_change_of_iterations(site):
    """While some have new keys and some have old ones, strangers' names have both, too."""
    def iterations(user):
        with greeted(site, "imap") as wire:
            return begin(wire, "imap", user)[1].rsplit("i=", 1)[1]

    def of_nobody():
        return {iterations(f"nobody{n}") for n in range(24)}

    claim("all have the old ones", of_nobody() | {iterations("alice"), iterations("bob")}, {"15000"})
    site.setting("store", "ScramIterations", 20000)
    claim("the setting alone shows nothing", of_nobody() | {iterations("alice"), iterations("bob")}, {"15000"})
    with greeted(site, "imap") as wire:
        claim_that("alice logs in with her password", try_login(wire, "imap", "alice").startswith(b"a OK"))
    claim("she has the new ones, bob has the old", [iterations("alice"), iterations("bob")], ["20000", "15000"])
    claim("and nobody has either", of_nobody(), {"15000", "20000"})
    mallory = iterations("mallory")
    claim_that("one name always the same", all(iterations("mallory") == mallory for _ in range(5)))
    with greeted(site, "imap") as wire:
        claim_that("bob, too", try_login(wire, "imap", "bob", "Hello world!").startswith(b"a OK"))
    claim("then all have the new ones", of_nobody() | {iterations("alice"), iterations("bob")}, {"20000"})


def applications(site):
    password = site.postern("apppass", "add", "alice", "phone", "--doors", "imap").stdout.strip()

    def gets_in(door, said):
        with greeted(site, door) as wire:
            return b"OK" in try_login(wire, door, "alice", said)[:5]

    claim_that("a phone gets in with its own", gets_in("imap", password))
    claim_that("as it is typed", gets_in("imap", password.upper().replace("-", " ")))
    for said, name in ((password, "phone"), (password, "phone"), (PASSWORD, None)):
        with greeted(site, "imap") as wire:    # the second time the door remembers it
            try_login(wire, "imap", "alice", said)
            claim("a list says by which", [s["application"] for s in site.sessions("alice") if s["service"] == "IMAP4"], [name])
    claim_that("and so does the log", "user=alice application=phone " in site.daemons["imap"].log())
    claim_that("not where it has no business", not gets_in("pop3", password))
    claim_that("the user's own goes on", gets_in("pop3", PASSWORD))
    claim_that("another's does not do", not gets_in("imap", "abcde-fghij-kmnpq-rstuv"))
    claim_that("SCRAM is there for all others", offered(site, "imap"))
    claim_that("and for her own password", scram(site, "imap", "alice", PASSWORD)[1])
    answer, proved = scram(site, "imap", "alice", password)
    claim_that("which an application's is not", not proved and "AUTH" in answer, answer)
    listed = site.postern("apppass", "list", "alice").stdout
    claim_that("it is listed, with when it was used", "phone" in listed and "used=never" not in listed and password not in listed, listed)
    site.postern("apppass", "remove", "alice", "phone")
    claim_that("revoked, it is worth nothing", not gets_in("imap", password))


def main():
    with attacked() as site:
        site.setting("login", "FailureDelay", 0)    # who asks and goes away has failed
        site.serve(*DOORS)
        chapter("SCRAM-SHA-256")
        lets_in_who_knows(site)
        chapter("strangers")
        tells_strangers_nothing(site)
        chapter("where its keys come from")
        keys_come_with_the_password(site)
        chapter("iterations")
        a_change_of_iterations(site)
        chapter("application passwords")
        applications(site)


if __name__ == "__main__":
    run_main(main)
