#!/usr/bin/env python3
"""TLS at every door: what is pipelined behind STARTTLS or STLS is never heard, what is weak is not agreed on, and a
certificate is renewed under load without a connection lost."""
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site, make_certificate
from harness.story import chapter, claim, claim_that
from harness.wire import Wire

# What upgrades, an answer that says it does, and two commands whose answers would give them away.
DOORS = {
    "imap": (b"a STARTTLS\r\n", b"a OK", b"x NOOP\r\ny CAPABILITY\r\n", b"z NOOP\r\n", b"z OK"),
    "pop3": (b"STLS\r\n", b"+OK", b"CAPA\r\nUSER anna\r\n", b"NOOP\r\n", None),
    "lmtp": (b"STARTTLS\r\n", b"220", b"NOOP\r\nLHLO evil.test\r\n", b"MAIL FROM:<>\r\n", b"503"),
}


def injected(site, door):
    upgrade, yes, evil, after, answer = DOORS[door]
    with site.wire(door) as wire:
        wire.read_line()
        if door == "lmtp":
            wire.send_line("LHLO a.test")
            while wire.read_line().startswith(b"250-"):
                pass
        wire.send(upgrade + evil)
        claim_that(f"{door}: it goes on with TLS", wire.read_line().startswith(yes))
        claim(f"{door}: nothing is said in the clear after that", wire.buffer, b"")
        wire.start_tls()
        wire.send(after)
        line = wire.read_line()
        # LMTP: the LHLO before TLS is forgotten, too (RFC 3207 4.2), and the one injected was not heard.
        claim_that(f"{door}: nor answered through TLS", line.startswith(answer) if answer else line.startswith(b"-ERR"), line)
        claim_that(f"{door}: nothing else comes", not wire.fill(0.2) and not wire.buffer, wire.buffer)


def s_client(port, *more):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", *more], input="", text=True,
                          capture_output=True, timeout=60)
    return done.stdout + done.stderr


def agreed(site, door):
    port = site.ports[door + "s"]
    for version in ("-tls1", "-tls1_1"):
        said = s_client(port, version, "-cipher", "ALL:@SECLEVEL=0")
        claim_that(f"{door}: not {version[1:]}", "Cipher is (NONE)" in said or "Cipher    : 0000" in said, said[-400:])
    for weak in ("RC4", "3DES", "NULL", "aNULL", "EXPORT", "kRSA", "AES128-SHA"):
        said = s_client(port, "-tls1_2", "-cipher", f"{weak}:@SECLEVEL=0")
        claim_that(f"{door}: not {weak}", "Cipher is (NONE)" in said or "no cipher match" in said, said[-400:])
    said = s_client(port, "-tls1_2")
    for good in ("Compression: NONE", "Secure Renegotiation IS supported", "Extended master secret: yes", "ECDHE-"):
        claim_that(f"{door}: {good}", good in said, said[-1500:])
    claim_that(f"{door}: TLS 1.3", "New, TLSv1.3" in s_client(port, "-tls1_3"))
    alpn = {"imap": "imap", "pop3": "pop3", "lmtp": "lmtp"}[door]
    claim_that(f"{door}: its own protocol", f"ALPN protocol: {alpn}" in s_client(port, "-alpn", f"h2,{alpn}"))
    said = s_client(port, "-alpn", "h2,http/1.1")
    claim_that(f"{door}: no browser's", "no application protocol" in said, said[-400:])


def renegotiated(site, door):
    """A client that asks for another handshake within TLS 1.2 is not answered: the connection ends."""
    asked = subprocess.run(["sh", "-c", f"(sleep 1; echo R; sleep 2) | openssl s_client -tls1_2 -connect 127.0.0.1:{site.ports[door + 's']}"],
                           text=True, capture_output=True, timeout=60)
    said = asked.stdout + asked.stderr
    claim_that(f"{door}: it asks", "RENEGOTIATING" in said, said[-600:])
    rest = said.split("RENEGOTIATING", 1)[1]
    claim_that(f"{door}: it gets none", "eof while reading" in rest and "verify return" not in rest, rest[-600:])


def gnutls_cli(site, door):
    """Another library's client, on both ports.  It does not find the answer to the CAPABILITY that it sends before STARTTLS
    over IMAP4, which is longer than what it expects."""
    ways = [["-p", str(site.ports[door + "s"])]]
    if door != "imap":
        ways.append(["-p", str(site.ports[door]), f"--starttls-proto={door}"])
    for way in ways:
        done = subprocess.run(["gnutls-cli", "--insecure", *way, "127.0.0.1"], input="", text=True, capture_output=True,
                              timeout=60)
        said = done.stdout + done.stderr
        claim_that(f"{door}: gnutls-cli {way[2:]}", done.returncode == 0 and "(TLS1.3-X.509)" in said, said[-600:])
        done = subprocess.run(["gnutls-cli", "--insecure", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1", *way, "127.0.0.1"],
                              input="", text=True, capture_output=True, timeout=60)
        claim_that(f"{door}: not TLS 1.1 {way[2:]}", done.returncode != 0 and "Description" not in done.stdout,
                   done.stdout[-600:])


def renewed_under_load(site):
    """Four clients log in again and again, while the files change and SIGHUP comes."""
    wrong, stop, counted = [], threading.Event(), [0]

    def client():
        while not stop.is_set():
            try:
                with Wire(site.ports["imaps"], tls=True) as wire:
                    wire.read_line()
                    if not wire.imap(f"1 LOGIN anna {PASSWORD}")[-1].startswith("1 OK"):
                        wrong.append("no login")
                    wire.imap("2 LOGOUT")
                    counted[0] += 1
            except Exception as e:
                wrong.append(repr(e))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        make_certificate(site.work)
        os.kill(site.daemons["imap"].pid, signal.SIGHUP)
    stop.set()
    for thread in threads:
        thread.join()
    claim("no connection was lost", wrong, [])
    claim_that(f"{counted[0]} were served", counted[0] > 3)


def main():
    with Site(tls=True) as site:
        site.user("anna", plain=True)
        site.serve(*DOORS)
        chapter("pipelined behind the upgrade")
        for door in DOORS:
            injected(site, door)
        chapter("what is agreed on")
        for door in DOORS:
            agreed(site, door)
            renegotiated(site, door)
            gnutls_cli(site, door)
        chapter("renewed under load")
        renewed_under_load(site)


if __name__ == "__main__":
    run_main(main)
