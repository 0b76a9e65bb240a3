#!/usr/bin/env python3
"""SCRAM-SHA-256-PLUS over the wire (RFC 5802 6): bound to TLS 1.3 by tls-exporter (RFC 9266), to TLS 1.2 by tls-unique where
the master secret is the extended one (RFC 7627); whoever is in the middle, or says that the server can't bind, gets nothing."""
import base64
import hashlib
import hmac
import os
import re
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that
from harness.wire import Wire, tls_context

NO_EXTENDED_MASTER_SECRET = 1    # SSL_OP_NO_EXTENDED_MASTER_SECRET, which Python has no name for


def b64(octets):
    return base64.b64encode(octets).decode()


class Exporter:
    """openssl s_client, which tells what a TLS 1.3 connection exports; lines go through it."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["timeout", str(patience(30)), "openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_3", "-ign_eof",
             "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        while not (found := re.search(rb"Keying material: ([0-9A-F]{64})", self.process.stdout.readline())):
            claim_that("openssl is still there", self.process.poll() is None)
        self.kind, self.binding = "tls-exporter", bytes.fromhex(found[1].decode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()

    def send_line(self, text):
        self.process.stdin.write(text.encode() + b"\r\n")
        self.process.stdin.flush()

    def read_line(self):
        """The next line that is the server's: openssl says things of its own in between."""
        while line := self.process.stdout.readline():
            if line.startswith((b"+", b"-ERR", b"* ", b"a ")):
                return line.rstrip(b"\r\n")
        return b""


class Unique(Wire):
    """TLS 1.2, as Python speaks it."""

    kind = "tls-unique"

    def __init__(self, port, extended=True):
        super().__init__(port)
        context = tls_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if not extended:
            context.options |= NO_EXTENDED_MASTER_SECRET
        self.socket = context.wrap_socket(self.socket)
        self.binding = self.socket.get_channel_binding("tls-unique")


class ImapDoor:
    name, command, refused = "imap", "a AUTHENTICATE", b"a NO [AUTHENTICATIONFAILED]"

    def offered(self, wire):
        greeting = wire.read_line().decode()
        return {word[5:] for word in greeting.replace("]", " ").split() if word.startswith("AUTH=")}

    def is_in(self, line):
        return line.startswith(b"a OK")


class Pop3Door:
    name, command, refused = "pop3", "AUTH", b"-ERR [AUTH]"

    def offered(self, wire):
        wire.read_line()
        wire.send_line("AUTH SCRAM-SHA-256-PLUS")
        line = wire.read_line()
        if line.startswith(b"+"):
            wire.send_line("*")
            wire.read_line()
        return {"SCRAM-SHA-256-PLUS"} if line.startswith(b"+") else set()

    def is_in(self, line):
        return line.startswith(b"+OK")


def scram(wire, door, mechanism="SCRAM-SHA-256-PLUS", flag=None, binding=None, password=PASSWORD):
    """The answer that decides it; the server has proved itself where it lets in."""
    header = f"{flag or 'p=' + wire.kind},,"
    first = f"n=alice,r={b64(os.urandom(15))}"
    wire.send_line(f"{door.command} {mechanism} {b64((header + first).encode())}")
    line = wire.read_line()
    if not line.startswith(b"+ "):
        return line
    server = base64.b64decode(line[2:]).decode()
    said = dict(part.split("=", 1) for part in server.split(","))
    bound = header.encode() + ((wire.binding if binding is None else binding) if header.startswith("p") else b"")
    final = f"c={b64(bound)},r={said['r']}"
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(said["s"]), int(said["i"]))
    key, message = hmac.digest(salted, b"Client Key", "sha256"), ",".join((first, server, final)).encode()
    mask = hmac.digest(hashlib.sha256(key).digest(), message, "sha256")
    wire.send_line(b64(f"{final},p={b64(bytes(a ^ b for a, b in zip(key, mask)))}".encode()))
    line = wire.read_line()
    if line.startswith(b"+ "):
        signature = b64(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), message, "sha256"))
        claim("the server proves itself", base64.b64decode(line[2:]).decode(), f"v={signature}")
        wire.send_line("")
        line = wire.read_line()
    return line


def bound(connect, door):
    def attempt(**how):
        with connect() as wire:
            claim_that(f"{door.name} offers it", "SCRAM-SHA-256-PLUS" in door.offered(wire))
            return scram(wire, door, **how)

    claim_that("bound to this connection, alice gets in", door.is_in(attempt()))
    claim_that("bound to another, she does not", attempt(binding=os.urandom(32)).startswith(door.refused))
    claim_that("nor to nothing", attempt(binding=b"").startswith(door.refused))
    claim_that("nor with a wrong password", attempt(password="wrong").startswith(door.refused))
    claim_that("nor told that the server can't bind", attempt(mechanism="SCRAM-SHA-256", flag="y").startswith(door.refused))
    claim_that("who can't bind himself gets in without", door.is_in(attempt(mechanism="SCRAM-SHA-256", flag="n")))
    other = "p=tls-unique" if "exporter" in door_kind(connect) else "p=tls-exporter"
    answer = attempt(flag=other)
    claim_that("a binding of another kind is none", not door.is_in(answer), answer)


def door_kind(connect):
    with connect() as wire:
        return wire.kind


def main():
    with Site(tls=True) as site:
        site.user("alice")
        site.setting("store", "LogonFailuresMax", 100)
        site.serve("imap", "pop3")
        for door in (ImapDoor(), Pop3Door()):
            port = site.ports[door.name + "s"]
            chapter(f"{door.name}, TLS 1.3: tls-exporter")
            bound(lambda: Exporter(port), door)
            chapter(f"{door.name}, TLS 1.2: tls-unique")
            bound(lambda: Unique(port), door)
            chapter(f"{door.name}, TLS 1.2 without the extended master secret")
            with Unique(port, extended=False) as wire:
                claim("it is not offered", "SCRAM-SHA-256-PLUS" in door.offered(wire), False)
                claim_that("nor there", not door.is_in(scram(wire, door)))
            chapter(f"{door.name}, in the clear")
            with site.wire(door.name) as wire:
                claim("it is not offered", "SCRAM-SHA-256-PLUS" in door.offered(wire), False)


if __name__ == "__main__":
    run_main(main)
