#!/usr/bin/env python3
"""No password is in a log, a process title or an environment: neither a right one nor a wrong one, whatever it came by.  And no
core is made in which it could be."""
import base64
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import need_root, run_main
from harness.site import Site
from harness.story import chapter, claim, claim_that
from hostile.common import greeted, try_login

RIGHT, WRONG, PIPED = "right-hunter2-Horse", "wrong-hunter2-Horse", "piped-hunter2-Horse"
ACCOUNT = "daemon"  # every Debian has it
DAEMONS = ("imap", "pop3", "auth")


def plain(password):
    return base64.b64encode(f"\0alice\0{password}".encode()).decode()


def sasl(wire, door, password, at_once):
    word = "a AUTHENTICATE PLAIN" if door == "imap" else "AUTH PLAIN"
    wire.send_line(f"{word} {plain(password)}" if at_once else word)
    line = wire.read_line()
    if not at_once:
        wire.send_line(plain(password))
        line = wire.read_line()
    return line.startswith((b"a OK", b"+OK"))


def log_in(site):
    """In every way, right and wrong; the connections stay."""
    wires = []
    for door in ("imap", "pop3"):
        for password in (RIGHT, WRONG):
            wires.append(greeted(site, door))
            claim("a login", try_login(wires[-1], door, "alice", password).startswith((b"a OK", b"+OK")), password == RIGHT)
            for at_once in (True, False):
                wires.append(greeted(site, door))
                claim("by SASL", sasl(wires[-1], door, password, at_once), password == RIGHT)
    wires.append(greeted(site, "imap"))
    wires[-1].send(f"a NOOP\r\nb LOGIN alice {PIPED[:7]}".encode())
    wires[-1].read_line()
    wires[-1].send(f"{PIPED[7:]}\r\nc NOOP\r\n".encode())
    claim_that("a wrong one in two pieces, with others around it", wires[-1].read_line().startswith(b"b NO"))
    wires[-1].read_line()
    return wires


def nothing_is_left(site, door):
    secrets = [text.encode() for password in (RIGHT, WRONG) for text in (password, plain(password))] + [PIPED.encode()]
    daemon = site.daemons[door]
    claim(f"{door}: log", [s for s in secrets if s in daemon.log().encode()], [])
    for name in ("cmdline", "environ", "comm", "status"):
        with open(f"/proc/{daemon.pid}/{name}", "rb") as f:
            text = f.read()
        claim(f"{door}: {name}", [s for s in secrets if s in text], [])
    with open(f"/proc/{daemon.pid}/limits") as f:
        core = next(line for line in f if line.startswith("Max core file size"))
    claim(f"{door}: no core is made", core.split()[4:6], ["0", "0"])
    claim(f"{door}: nobody but root may look into it", os.stat(f"/proc/{daemon.pid}/environ").st_uid, 0)


def main():
    need_root()
    with Site() as site:
        site.configure("security", "account", ACCOUNT)
        site.setting("login", "FailureDelay", 0)
        site.user("alice", RIGHT)
        os.chmod(site.work, 0o755)
        for folder in (site.store, site.work):
            for top, folders, files in os.walk(folder):
                for name in [top, *(os.path.join(top, f) for f in folders + files)]:
                    os.chown(name, 1, 1, follow_symlinks=False)
        site.serve(*DAEMONS)
        chapter("everybody tries to get in")
        wires = log_in(site)
        chapter("what is left")
        for door in DAEMONS:
            nothing_is_left(site, door)
        for wire in wires:
            wire.close()


if __name__ == "__main__":
    run_main(main)
