#!/usr/bin/env python3
"""SCRAM-SHA-256 (RFC 7677) through authd, with its last words in OK and before it: the server proves itself, a wrong
password and nobody sound the same, and an exchange that stops half-way is over in time."""
import base64
import hashlib
import hmac
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that
from hostile.authd import Asker


def encode(text):
    return base64.b64encode(text.encode()).decode()


def decode(text):
    return base64.b64decode(text).decode()


class Scram:
    """One exchange, at the client's side."""

    def __init__(self, asker, user, password, parameters=""):
        self.asker, self.password = asker, password
        asker.number += 1
        self.number = str(asker.number)
        self.bare = f"n={user},r={base64.b64encode(os.urandom(15)).decode()}"
        asker.wire.send(f"AUTH\t{self.number}\tSCRAM-SHA-256\tservice=smtp{parameters}\t"
                        f"resp={encode('n,,' + self.bare)}\n".encode())

    def answer(self):
        verb, number, *words = self.asker.answer()
        claim("the answer is to what was asked", number, self.number)
        return [verb, *words]

    def cont(self, data):
        self.asker.wire.send(f"CONT\t{self.number}\t{data}\n".encode())
        return self.answer()

    def prove(self):
        """The server's answer to the client's proof."""
        verb, first = self.answer()
        claim("it is asked for the proof", verb, "CONT")
        self.first = decode(first)
        fields = dict(field.split("=", 1) for field in self.first.split(","))
        without_proof = f"c=biws,r={fields['r']}"
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        signed = f"{self.bare},{self.first},{without_proof}".encode()
        mask = hmac.digest(hashlib.sha256(key).digest(), signed, "sha256")
        proof = base64.b64encode(bytes(a ^ b for a, b in zip(key, mask))).decode()
        server_key = hmac.digest(salted, b"Server Key", "sha256")
        self.signature = "v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256")).decode()
        return self.cont(encode(f"{without_proof},p={proof}"))


def main():
    with Site() as site:
        site.user("alice")
        site.setting("login", "FailureDelay", 0)
        site.serve("auth")
        with Asker(site) as asker:
            chapter("the last words come with OK")
            scram = Scram(asker, "alice", PASSWORD, "\tfinal-resp-ok")
            verb, user, last = scram.prove()
            claim("alice gets in", [verb, user], ["OK", "user=alice"])
            claim("the server has proved itself", decode(last.removeprefix("resp=")), scram.signature)
            chapter("the last words are a challenge")
            scram = Scram(asker, "alice", PASSWORD)
            verb, last = scram.prove()
            claim("the server proves itself first", [verb, decode(last)], ["CONT", scram.signature])
            claim("alice gets in", scram.cont(""), ["OK", "user=alice"])
            chapter("who can't prove it")
            claim("a wrong password", Scram(asker, "alice", "wrong").prove(), ["FAIL", "user=alice"])
            claim("nobody", Scram(asker, "nobody", "wrong").prove(), ["FAIL", "user=nobody"])
            salts = []
            for _ in range(2):
                scram = Scram(asker, "nobody", "wrong")
                scram.prove()
                salts.append(scram.first.split(",")[1:])
            claim("nobody has the same salt each time", salts[0], salts[1])
            chapter("an exchange given up is no guess")
            site.setting("login", "FailureDelay", 5000)
            for number in range(20):
                scram = Scram(asker, "alice", "a guess", "\trip=192.0.2.1")
                claim("it is asked for the proof", scram.answer()[0], "CONT")
                asker.wire.send(f"CANCEL\t{scram.number}\n".encode())
            for _ in range(5):
                with Asker(site) as gone:
                    Scram(gone, "alice", "a guess", "\trip=192.0.2.1").answer()
            began = time.monotonic()
            scram = Scram(asker, "alice", PASSWORD, "\trip=192.0.2.1\tfinal-resp-ok")
            claim("alice gets in", scram.prove()[0], "OK")
            claim_that("and at once", time.monotonic() - began < 5)
            claim_that("no failure was counted", "auth-failed user=alice service=smtp rip=192.0.2.1" not in site.daemons["auth"].log())
            claim("a wrong proof is one", Scram(asker, "alice", "a guess", "\trip=192.0.2.2").prove()[0], "FAIL")
            claim_that("and waits", time.monotonic() - began >= 5)
            site.setting("login", "FailureDelay", 0)
            chapter("half an exchange")
            site.setting("login", "RequestTimeout", 5)
            scram = Scram(asker, "alice", PASSWORD)
            claim("it is asked for the proof", scram.answer()[0], "CONT")
            words = scram.answer()
            claim_that("and told in time that it is over", words[0] == "FAIL" and "temp" in words, words)


if __name__ == "__main__":
    run_main(main)
