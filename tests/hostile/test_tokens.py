#!/usr/bin/env python3
"""Bearer tokens by OAUTHBEARER (RFC 7628) and XOAUTH2, at both doors and through authd: whoever the provider signed a token
for gets in, every other token is refused alike, and no token gets into a log."""
import base64
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness import tokens
from harness.programs import run_main
from harness.site import PASSWORD
from harness.story import chapter, claim, claim_that
from hostile.authd import Asker
from hostile.common import DOORS, attacked, greeted

SPOKEN = []    # every token that was made, to look for in logs


def spoken(token):
    SPOKEN.append(token)
    return token


def challenge(line):
    claim_that("it is told why", line.startswith("+ "), line)
    return json.loads(base64.b64decode(line[2:]))


class ImapDoor:
    """AUTHENTICATE, with the message in the command or behind a challenge."""

    def __init__(self, site, initial=True):
        self.site, self.initial = site, initial

    def offered(self):
        with greeted(self.site, "imap") as wire:
            said = " ".join(wire.imap("a CAPABILITY"))
        return {name for name in ("OAUTHBEARER", "XOAUTH2") if f"AUTH={name}" in said}

    def begin(self, wire, mechanism, message):
        if self.initial:
            wire.send_line(f"a AUTHENTICATE {mechanism} {message}")
        else:
            wire.send_line(f"a AUTHENTICATE {mechanism}")
            claim("an empty challenge", wire.read_line(), b"+ ")
            wire.send_line(message)
        return wire.read_line().decode().rstrip("\r\n")

    def ask(self, mechanism, message, heard="AQ=="):
        """(whether it is let in, the JSON of a refusal)"""
        with greeted(self.site, "imap") as wire:
            line = self.begin(wire, mechanism, message)
            if line.startswith("+ "):
                why = challenge(line)
                wire.send_line(heard)
                line = wire.read_line().decode()
                claim_that("then it has failed", line.startswith("a NO [AUTHENTICATIONFAILED]"), line)
                claim_that("and may try again", wire.imap(f"b LOGIN bob {PASSWORD}")[-1].startswith("b OK"))
                return False, why
            return line.startswith("a OK"), None


class Pop3Door:
    def __init__(self, site):
        self.site = site

    def offered(self):
        with greeted(self.site, "pop3") as wire:
            wire.send_line("CAPA")
            said = b" ".join(wire.read_multiline()).decode().split()
        return {name for name in ("OAUTHBEARER", "XOAUTH2") if name in said}

    def ask(self, mechanism, message, heard="AQ=="):
        with greeted(self.site, "pop3") as wire:
            wire.send_line(f"AUTH {mechanism} {message}")
            line = wire.read_line().decode().rstrip("\r\n")
            if line.startswith("+ "):
                why = challenge(line)
                wire.send_line(heard)
                line = wire.read_line().decode()
                claim_that("then it has failed", line.startswith("-ERR [AUTH]"), line)
                return False, why
            return line.startswith("+OK"), None


class AuthdDoor:
    """As Postfix asks for a client of submission."""

    def __init__(self, site):
        self.site = site

    def offered(self):
        with self.site.wire("auth") as wire:
            said = []
            while (line := wire.read_lf_line().decode()) != "DONE":
                said.append(line.split("\t"))
        return {words[1] for words in said if words[0] == "MECH" and words[1] in ("OAUTHBEARER", "XOAUTH2")}

    def ask(self, mechanism, message, heard="AQ=="):
        with Asker(self.site) as asker:
            asker.wire.send(f"AUTH\t1\t{mechanism}\tservice=smtp\tsecured\trip=198.51.100.1\tresp={message}\n".encode())
            verb, _, *words = asker.answer()
            if verb == "CONT":
                why = json.loads(base64.b64decode(words[0]))
                asker.wire.send(f"CONT\t1\t{heard}\n".encode())
                claim("then it has failed", asker.answer()[0], "FAIL")
                return False, why
            return verb == "OK" and words[0] == "user=alice", None


def lets_in(doors, rs256, es256):
    for door in doors:
        claim("both are offered", door.offered(), {"OAUTHBEARER", "XOAUTH2"})
        for key in (rs256, es256):
            token = spoken(tokens.token(key))
            claim_that(f"OAUTHBEARER with {key.algorithm}", door.ask("OAUTHBEARER", tokens.oauthbearer(token))[0])
            claim_that("with a name", door.ask("OAUTHBEARER", tokens.oauthbearer(token, "alice"))[0])
            claim_that("XOAUTH2", door.ask("XOAUTH2", tokens.xoauth2(token, "alice"))[0])
        several = spoken(tokens.token(rs256, aud=["x", tokens.AUDIENCE], nbf=int(time.time()) + 30))
        claim_that("of several audiences, by a clock that is ahead", door.ask("OAUTHBEARER", tokens.oauthbearer(several))[0])


def bad_tokens(rs256, es256):
    now, stranger = int(time.time()), tokens.Key("RS256", rs256.kid)
    good = tokens.token(rs256)
    return {
        "another's key": tokens.token(stranger),
        "no signature": tokens.unsigned(),
        "the public key as a secret": tokens.with_secret(rs256.pem(), rs256.kid),
        "the other algorithm's name": tokens.joined({"alg": "ES256", "kid": rs256.kid}, tokens.claims("alice"), rs256.signature),
        "an unknown key's name": tokens.token(rs256, kid="nobody's"),
        "expired": tokens.token(rs256, exp=now - 61),
        "not yet valid": tokens.token(es256, nbf=now + 300),
        "another audience": tokens.token(rs256, aud="webmail"),
        "no audience": tokens.token(rs256, aud=None),
        "another issuer": tokens.token(rs256, iss="https://id.example/realms/guests"),
        "no end": tokens.token(rs256, exp=None),
        "no user": tokens.token(rs256, email=None, preferred_username="alice"),
        "an address that nobody checked": tokens.token(rs256, email_verified=False),
        "bound to a key": tokens.token(rs256, cnf={"jkt": "x"}),
        "nobody here": tokens.token(rs256, user="mallory"),
        "touched": good[:-8] + ("A" if good[-8] != "A" else "B") + good[-7:],
        "cut short": good[:-20],
        "no token": "x",
        "too large": tokens.token(rs256, padding="x" * 6200),
    }


def refuses(doors, rs256, es256):
    refused = bad_tokens(rs256, es256)
    for token in refused.values():
        if len(token) > 40:
            spoken(token)
    for door in doors:
        for what, token in refused.items():
            said = door.ask("OAUTHBEARER", tokens.oauthbearer(token))
            claim(what, said, (False, {"status": "invalid_token", "openid-configuration": "https://id.example/x"}))
            said = door.ask("XOAUTH2", tokens.xoauth2(token, "alice"), heard="")
            claim("and by XOAUTH2", said, (False, {"status": "401", "schemes": "bearer"}))
        token = spoken(tokens.token(rs256))
        for mechanism, message in (("OAUTHBEARER", tokens.oauthbearer(token, "bob")), ("XOAUTH2", tokens.xoauth2(token, "bob"))):
            claim_that("nobody acts as another", not door.ask(mechanism, message)[0])


WHY = {
    "another's key": "no key", "no signature": "no signed token", "the public key as a secret": "RS256", "expired": "expired",
    "not yet valid": "only", "another audience": "(aud)", "another issuer": "(iss)", "no end": "(exp)", "no user": "(email)",
    "an address that nobody checked": "email_verified", "bound to a key": "(cnf)", "nobody here": "none here", "touched": "no key",
    "too large": "TokenOctetsMax", "no token": "no signed token", "the other algorithm's name": "no key", "an unknown key's name": "no key",
    "no audience": "(aud)", "cut short": "no key",
}


def is_explained(site, rs256, es256):
    """postern token check: the same judgement, in words."""
    def check(token, *options, ok):
        return json.loads(site.postern("token", "check", "--json", *options, stdin=token, ok=ok).stdout)

    good = spoken(tokens.token(rs256))
    claim("a good one", check(good, ok=True), {"accepted": True, "named": "alice", "user": "alice", "why": None})
    claim("as it is copied", site.postern("token", "check", stdin=f" Bearer {good}\r\n").stdout, "accepted: user alice\n")
    for what, token in bad_tokens(rs256, es256).items():
        said = check(token, ok=False)
        claim_that(f"{what}: {said['why']}", not said["accepted"] and WHY[what] in said["why"], said)
        claim_that("which holds nothing of the token", len(token) < 40 or token[:40] not in said["why"])
    claim("nobody here is told of by name", check(tokens.token(rs256, user="mallory"), ok=False)["named"], "mallory")
    claim("a lie about alice, too", check(tokens.token(tokens.Key("RS256", rs256.kid)), ok=False)["user"], "alice")
    claim_that("endless input", "TokenOctetsMax" in check("x" * 40000, ok=False)["why"])
    claim_that("none at all", "no signed token" in check("", ok=False)["why"])
    site.postern("user", "disable", "alice")
    claim_that("a disabled user", "disabled" in check(good, ok=False)["why"])
    site.postern("user", "enable", "alice")
    claim("no such door", site.postern("token", "check", "--door", "window", stdin=good, ok=False).returncode, 1)


def heeds_accounts(site, doors, rs256):
    token = spoken(tokens.token(rs256))
    site.postern("user", "disable", "alice")
    for door in doors[1:]:
        claim_that("a disabled account stays out", not door.ask("OAUTHBEARER", tokens.oauthbearer(token))[0])
    site.postern("user", "enable", "alice")
    site.postern("domain", "add", "example.org")
    site.postern("alias", "add", "al@example.org", "alice")
    token = spoken(tokens.token(rs256, user="al@example.org"))
    for door in doors:
        claim_that("an alias is the user", door.ask("OAUTHBEARER", tokens.oauthbearer(token, "alice"))[0])


def long_and_longer(site, rs256):
    with greeted(site, "pop3") as wire:
        wire.send_line("AUTH OAUTHBEARER " + "A" * 70000)
        answer = wire.read_line()
        claim_that("a line without end is refused", answer.startswith(b"-ERR"), answer)
    token = spoken(tokens.token(rs256, groups=["g" * 50] * 60))
    claim_that("a long one is not too long", 4000 < len(token) < 8192, len(token))
    for door in (ImapDoor(site), ImapDoor(site, initial=False), Pop3Door(site), AuthdDoor(site)):
        claim_that("and lets in", door.ask("OAUTHBEARER", tokens.oauthbearer(token))[0])


def replace(path, octets):
    """As whoever fetches keys should."""
    with open(path + ".new", "wb") as f:
        f.write(octets)
    os.rename(path + ".new", path)


def keys_change(path, doors, rs256, es256):
    new = tokens.Key("ES256", "2027")
    old_token, new_token = (tokens.oauthbearer(spoken(tokens.token(key))) for key in (rs256, new))
    for door in doors:
        claim_that("a key that isn't there yet", not door.ask("OAUTHBEARER", new_token)[0])
    replace(path, tokens.jwks(new, es256).encode())
    for door in doors:
        claim_that("is there, without a restart", door.ask("OAUTHBEARER", new_token)[0])
        claim_that("and the one that is gone is gone", not door.ask("OAUTHBEARER", old_token)[0])
    replace(path, b'{"keys": [')
    for door in doors:
        claim_that("a file that can't be read changes nothing", door.ask("OAUTHBEARER", new_token)[0])
    replace(path, rs256.pem() + new.pem())
    for door in doors:
        claim_that("keys in PEM", door.ask("OAUTHBEARER", new_token)[0] and door.ask("OAUTHBEARER", old_token)[0])
    os.unlink(path)
    for door in doors:
        claim_that("a file that is gone changes nothing", door.ask("OAUTHBEARER", new_token)[0])
    replace(path, tokens.jwks(rs256, es256).encode())


def failures_are_counted(site, rs256):
    site.setting("login", "FailureDelay", 1000)
    door, bad = AuthdDoor(site), tokens.oauthbearer(spoken(tokens.token(rs256, aud="webmail")))
    began = time.monotonic()
    claim_that("a bad token", not door.ask("OAUTHBEARER", bad)[0])
    claim_that("is answered as late as a wrong password", time.monotonic() - began >= 1)
    site.setting("login", "FailureDelay", 0)


def scopes(rs256):
    """Each door may ask for a scope of its own."""
    with attacked() as site:
        tokens.take_tokens(site, tokens.jwks(rs256), scope="mail", scope_smtp="send", user_claim="preferred_username")
        site.setting("login", "FailureDelay", 0)
        site.serve("imap", "auth")
        may_read = tokens.oauthbearer(tokens.token(rs256, preferred_username="alice", email=None, scope="openid mail"))
        may_send = tokens.oauthbearer(tokens.token(rs256, preferred_username="alice", email=None, scope="send"))
        claim("who may read reads", ImapDoor(site).ask("OAUTHBEARER", may_read), (True, None))
        claim("and can't send", AuthdDoor(site).ask("OAUTHBEARER", may_read), (False, {"status": "invalid_token", "scope": "send"}))
        claim("who may send sends", AuthdDoor(site).ask("OAUTHBEARER", may_send), (True, None))
        sent = tokens.token(rs256, preferred_username="alice", email=None, scope="send")
        claim("a check asks for the door's", [site.postern("token", "check", "--door", door, stdin=sent, ok=None).returncode
                                              for door in ("smtp", "imap")], [0, 1])
        claim("and can't read", ImapDoor(site).ask("OAUTHBEARER", may_send), (False, {"status": "invalid_token", "scope": "mail"}))


def not_here(rs256):
    """Where nobody signs tokens, where the configuration is half, and where the connection is not private."""
    half = {"issuer": ""}
    for more in (None, half, {"plaintext": "never"}):
        with attacked() as site:
            if more is not None:
                tokens.take_tokens(site, tokens.jwks(rs256), **(half if more is half else {}))
            if more and more is not half:
                site.configure("auth", "plaintext", "never")
            site.serve("imap")
            claim("it is not offered", ImapDoor(site).offered(), set())
            with greeted(site, "imap") as wire:
                answer = wire.imap(f"a AUTHENTICATE OAUTHBEARER {tokens.oauthbearer(tokens.token(rs256))}")[-1]
                claim_that("nor taken", answer.startswith("a NO"), answer)
            if more is not None and "plaintext" not in more:
                said = site.postern("token", "check", stdin=tokens.token(rs256), ok=False).stdout
                claim_that("a check says what there has to be", "[token]" in said, said)
            if more is half:
                claim_that("the log says why", "token-not-taken" in site.daemons["auth"].log())


def main():
    rs256, es256 = tokens.Key("RS256", "2026-a"), tokens.Key("ES256", "2026-b")
    with attacked() as site:
        path = tokens.take_tokens(site, tokens.jwks(rs256, es256), discovery="https://id.example/x")
        site.setting("login", "FailureDelay", 0)
        site.serve(*DOORS, "auth")
        doors = [ImapDoor(site), ImapDoor(site, initial=False), Pop3Door(site), AuthdDoor(site)]
        chapter("who is let in")
        lets_in(doors, rs256, es256)
        chapter("who is not")
        refuses(doors, rs256, es256)
        chapter("an administrator asks why")
        is_explained(site, rs256, es256)
        chapter("accounts")
        heeds_accounts(site, doors, rs256)
        chapter("long ones")
        long_and_longer(site, rs256)
        chapter("the file of keys changes")
        keys_change(path, doors, rs256, es256)
        chapter("failures are counted")
        failures_are_counted(site, rs256)
        chapter("logs")
        logs = "".join(site.daemons[name].log() for name in site.daemons)
        for token in SPOKEN:
            parts = [part[:40] for part in token.split(".") if len(part) >= 20]
            parts += [message(token, "")[60:120] for message in (tokens.oauthbearer, tokens.xoauth2)]
            claim_that("no token is in a log", not any(part in logs for part in parts), token)
    chapter("scopes")
    scopes(rs256)
    chapter("where there are none")
    not_here(rs256)


if __name__ == "__main__":
    run_main(main)
