#!/usr/bin/env python3
"""Clients' certificates, and a certificate of two kinds, as store.conf asks for them: who may shake hands, whom a
certificate logs in, and which key each client is shown."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that
from harness.wire import Wire, WireError, tls_context

QUIET = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
CA = "cn = Authority\nca\ncert_signing_key\n"


def path(site, name):
    return os.path.join(site.work, name)


def make_signed(site, name, lines, ca=None, kind="ecdsa"):
    """NAME.pem and NAME.key: signed by ca, else by itself."""
    with open(path(site, "template"), "w") as f:
        f.write(lines + "expiration_days = 2\n")
    subprocess.run(["certtool", "--generate-privkey", f"--key-type={kind}", "--outfile", path(site, name + ".key")], **QUIET)
    sign = (["--generate-certificate", "--load-ca-certificate", path(site, ca + ".pem"), "--load-ca-privkey",
             path(site, ca + ".key")] if ca else ["--generate-self-signed"])
    subprocess.run(["certtool", *sign, "--load-privkey", path(site, name + ".key"), "--template", path(site, "template"),
                    "--outfile", path(site, name + ".pem")], **QUIET)


def wire_with(site, port, name, upgrade=None):
    """Greeted over TLS, showing this certificate; None where there is no handshake."""
    context = tls_context()
    if name:
        context.load_cert_chain(path(site, name + ".pem"), path(site, name + ".key"))
    wire = Wire(port)
    try:
        if upgrade:
            wire.read_line()
            wire.send_line(upgrade)
            wire.read_line()
        wire.socket = context.wrap_socket(wire.socket)
        if upgrade:
            wire.send_line("n NOOP")
        wire.read_line()
        return wire
    except (OSError, WireError):
        wire.close()
        return None


def tls_wire(site, door, name):
    """At the doors that are TLS at once, and those that are upgraded."""
    if door.endswith("s"):
        return wire_with(site, site.ports[door], name)
    return wire_with(site, site.ports[door], name, {"imap": "u STARTTLS", "pop3": "STLS"}[door])


def external(wire, door, as_user="="):
    """The answer to EXTERNAL, with or without a name to act as."""
    if door.startswith("imap"):
        wire.send_line(f"a AUTHENTICATE EXTERNAL {as_user}")
        while (line := wire.read_response()).startswith(b"* "):
            pass
        return line
    wire.send_line(f"AUTH EXTERNAL {as_user}")
    return wire.read_line()


def logged_in(line):
    return line.startswith((b"a OK", b"+OK"))


def served(site, word):
    site.configure("tls", "client_certificates", word)
    for door in ("imap", "pop3"):
        if door in site.daemons:
            site.stop(door)
        site.serve(door)


DOORS = ("imaps", "imap", "pop3s", "pop3")


def required(site):
    served(site, "require")
    for door in DOORS:
        with tls_wire(site, door, "alice") as wire:
            claim_that(f"{door}: her certificate logs her in", logged_in(external(wire, door)))
        for name in (None, "stranger", "expired"):
            claim(f"{door}: no handshake with {name or 'no certificate'}", tls_wire(site, door, name), None)


def requested(site):
    served(site, "request")
    for door in DOORS:
        with tls_wire(site, door, "alice") as wire:
            claim_that(f"{door}: her certificate logs her in", logged_in(external(wire, door)))
        with tls_wire(site, door, "alice") as wire:
            answer = external(wire, door, "Ym9i")
            claim_that(f"{door}: but not as somebody else", not logged_in(answer), answer)
        with tls_wire(site, door, "nobody") as wire:
            answer = external(wire, door)
            claim_that(f"{door}: one for whom there is no mailbox logs nobody in", not logged_in(answer), answer)
        for name in (None, "stranger"):
            with tls_wire(site, door, name) as wire:
                answer = external(wire, door)
                claim_that(f"{door}: {name or 'none'} logs nobody in", not logged_in(answer), answer)
                if door.startswith("imap"):
                    claim_that(f"{door}: a password does", wire.imap(f"b LOGIN alice {PASSWORD}")[-1].startswith("b OK"))


def two_kinds(site):
    """RSA beside ECDSA."""
    served(site, "none")
    for kind, shown in (("ECDSA+SHA256", "id-ecPublicKey"), ("RSA-PSS+SHA256", "rsaEncryption")):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{site.ports['imaps']}", "-sigalgs", kind],
                              input="", text=True, capture_output=True, timeout=60)
        text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=done.stdout, text=True, capture_output=True).stdout
        claim_that(f"a client of {kind} is shown {shown}", shown in text, done.stdout[-500:] + done.stderr[-500:])


def main():
    with Site(tls=True) as site:
        make_signed(site, "ca", CA)
        make_signed(site, "other-ca", CA)
        make_signed(site, "alice", "cn = Alice\nemail = alice\ntls_www_client\n", "ca")
        make_signed(site, "nobody", "cn = nobody\ntls_www_client\n", "ca")
        make_signed(site, "stranger", "cn = alice\nemail = alice\ntls_www_client\n", "other-ca")
        make_signed(site, "expired", "cn = alice\nemail = alice\ntls_www_client\nactivation_date = \"2001-01-01 00:00:00\"\n"
                    "expiration_date = \"2002-01-01 00:00:00\"\n", "ca")
        make_signed(site, "rsa", "cn = localhost\ndns_name = localhost\ntls_www_server\n", kind="rsa")
        site.configure("tls", "client_ca", path(site, "ca.pem"))
        site.configure("tls", "alternate_certificate", path(site, "rsa.pem"))
        site.configure("tls", "alternate_key", path(site, "rsa.key"))
        site.user("alice")
        site.user("bob")
        chapter("required")
        required(site)
        chapter("asked for")
        requested(site)
        chapter("of two kinds")
        two_kinds(site)


if __name__ == "__main__":
    run_main(main)
