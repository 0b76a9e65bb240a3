#!/usr/bin/env python3
"""What a delivered message is, where it goes, who hears of it, and that a user's limits don't keep it out."""
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import Skip, run_main  # noqa: E402
from harness.site import Site  # noqa: E402
from harness.story import chapter, claim, claim_that, until  # noqa: E402
from delivery.post import Post, bodies, codes, deliver  # noqa: E402

MESSAGE = b"From: Ann <ann@example.net>\r\nSubject: %s\r\n\r\n.a dot\r\n..\r\nlast\r\n"
TRACE = re.compile(rb"Return-Path: <ann@example\.net>\r\nDelivered-To: (?P<to>\S+)\r\n"
                   rb"Received: from client\.example( \(\[127\.0\.0\.1\]\))?\r\n\tby \S+ \(postern\) with LMTP id [0-9a-f]+\.\d+\r\n"
                   rb"\tfor <(?P=to)>; \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n")


def content(site):
    chapter("The octets are those that came, under the trace fields")
    for chunked in (False, True):
        octets = MESSAGE % (b"chunked" if chunked else b"data")
        claim("it is taken for both", codes(deliver(site.ports["lmtp"], "ann@example.net", ["alice", "bob@localhost"], octets,
                                                    chunked=chunked)), [250, 250])
        for user, to in (("alice", b"alice"), ("bob", b"bob@localhost")):
            stored = bodies(site, user)[-1]
            trace = TRACE.match(stored)
            claim_that(f"{user}'s has trace fields", trace and trace["to"] == to, stored[:300])
            claim(f"{user}'s is what was sent", stored[trace.end():], octets)


def large(site):
    octets = MESSAGE % b"large" + b"." * 70000 + b"\r\n" + b".\r\n" * 100000 + b"0123456789abcdef\r\n" * 200000
    claim("a large one is taken", codes(deliver(site.ports["lmtp"], "ann@example.net", ["alice", "bob"], octets)), [250, 250])
    for user in ("alice", "bob"):
        claim_that(f"{user}'s is what was sent", bodies(site, user)[-1].endswith(b"\r\n" + octets))


def folders(site):
    chapter("user+folder")
    site.postern("folder", "create", "alice", "Lists/postern")
    port = site.ports["lmtp"]
    for address, folder in (("alice+Lists/postern", "Lists/postern"), ("ALICE+lists/POSTERN@localhost", "Lists/postern"),
                            ("alice+Junk", "Junk"), ("alice+no such", "INBOX"), ("alice+", "INBOX"), ("alice", "INBOX")):
        before = len(bodies(site, "alice", folder))
        local, _, domain = address.partition("@")
        quoted = f'"{local}"' + ("@" + domain if domain else "")
        claim(f"{address} is taken", codes(deliver(port, "ann@example.net", [quoted], MESSAGE % address.encode())), [250])
        claim(f"it is in {folder}", len(bodies(site, "alice", folder)), before + 1)
    site.setting("delivery", "SubaddressSeparator", "none")
    claim("without a separator it is nobody", codes(deliver(port, "ann@example.net", ["alice+Junk"], MESSAGE % b"x")), [550])
    site.setting("delivery", "SubaddressSeparator", "-")
    claim("another separator", codes(deliver(port, "ann@example.net", ["alice-Junk"], MESSAGE % b"y")), [250])
    site.setting("delivery", "SubaddressSeparator", "+")


def idle(site, port):
    chapter("Who idles is told")
    with site.wire("imap") as wire:
        wire.read_line()
        wire.imap("a LOGIN bob secret")
        n = int(next(line for line in wire.imap("b SELECT INBOX") if line.endswith(" EXISTS")).split()[1])
        wire.send_line("c IDLE")
        wire.read_line()
        claim("delivered", codes(deliver(port, "ann@example.net", ["bob"], MESSAGE % b"idle")), [250])
        claim("EXISTS", wire.read_line(), f"* {n + 1} EXISTS".encode())


def full(site):
    chapter("A user at his limits gets mail")
    port = site.ports["lmtp"]
    wires = []
    for _ in range(16):
        wires.append(site.wire("imap"))
        wires[-1].read_line()
        claim_that("in", wires[-1].imap("a LOGIN carol secret")[-1].startswith("a OK"))
    with site.wire("imap") as refused:
        refused.read_line()
        claim_that("the seventeenth is refused", refused.imap("a LOGIN carol secret")[-1].startswith("a NO"))
    site.reg("Maximum Allowed Sessions Per User", 16)
    before = int(re.search(r"MESSAGES (\d+)", wires[0].imap("b STATUS INBOX (MESSAGES)")[0])[1])
    claim("delivered", codes(deliver(port, "ann@example.net", ["carol"], MESSAGE % b"full")), [250])
    after = int(re.search(r"MESSAGES (\d+)", wires[0].imap("b STATUS INBOX (MESSAGES)")[0])[1])
    claim("it is there", after, before + 1)
    claim("his sessions are what they were", len(site.sessions("carol")), 16)
    site.reg("Maximum Allowed Sessions Per User", None)
    for wire in wires:
        wire.close()
    chapter("The service has a limit of its own")
    site.reg("Maximum Allowed Exchange Sessions Per Service", 0)
    claim("451 while it is full", codes(deliver(port, "ann@example.net", ["carol"], MESSAGE % b"none")), [451])
    site.reg("Maximum Allowed Exchange Sessions Per Service", None)
    claim("delivered afterwards", codes(deliver(port, "ann@example.net", ["carol"], MESSAGE % b"none")), [250])


def refused(site):
    chapter("What is refused while it comes is thrown away, and not for ever")
    site.setting("delivery", "DiscardMax", 65536)
    most = b"x" * 65536

    def begin(*recipients):
        post = Post(site.ports["lmtp"])
        claim("a transaction", [post.docmd(line)[0] for line in ("MAIL FROM:<>", *(f"RCPT TO:<{to}>" for to in recipients))],
              [250] * (1 + len(recipients)))
        return post

    def ended(post, answers):
        claim("the answers", [post.getreply()[0] for _ in range(len(answers))], answers)
        claim("the end", post.file.read(), b"")
        post.close()
    post = begin()
    post.send(b"BDAT 65536\r\n" + most)
    claim("a chunk for nobody", post.getreply()[0], 503)
    post.send(b"BDAT 2\r\nx")
    ended(post, [421])
    post = begin("alice", "bob")
    post.send(b"BDAT 1\r\n\0")
    claim("a chunk with a NUL", post.getreply()[0], 554)
    post.send(b"BDAT 65535 LAST\r\n" + most[1:])
    claim("one behind it", post.getreply()[0], 503)
    post.send(b"BDAT 1000000000000000\r\nx")
    ended(post, [554, 554, 421])
    post = begin("alice", "bob")
    claim("DATA", post.docmd("DATA")[0], 354)
    post.send(b"\0" + most)
    ended(post, [554, 554, 421])
    site.setting("delivery", "DiscardMax", 1 << 30)


def doorbell(site):
    chapter("The mount is told")
    try:
        site.mount()
    except Skip as skip:
        print(f"   the mount is left out: {skip}")
        return
    folder = site.folder("bob")
    before = len(os.listdir(folder))
    watcher = subprocess.Popen(["inotifywait", "-m", "-q", "-e", "create", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    heard = []
    threading.Thread(target=lambda: heard.extend(iter(watcher.stdout.readline, "")), daemon=True).start()
    # inotifywait says nothing when it has begun: a message at a time, until one is heard.
    n = 0

    def rings():
        nonlocal n
        n += 1
        claim("delivered", codes(deliver(site.ports["lmtp"], "ann@example.net", ["bob"], MESSAGE % b"bell %d" % n)), [250])
        return until(lambda: heard, 2)
    try:
        claim_that("inotify hears of the message", until(rings), heard)
    finally:
        watcher.terminate()
        watcher.wait()
    claim("it is listed", len(os.listdir(folder)), before + n)


def unix_socket(site):
    chapter("Through a Unix socket")
    path = os.path.join(site.store, "lmtp.sock")
    site.configure("lmtp", "listen", f"127.0.0.1:{site.ports['lmtp']} unix:lmtp.sock")
    site.configure("lmtp", "socket_mode", "0600")
    for end in (site.stop, site.kill, site.stop):
        end("lmtp")
        site.serve("lmtp")
        claim("its mode", oct(os.stat(path).st_mode & 0o777), "0o600")
        claim("delivered", codes(deliver(path, "ann@example.net", ["bob"], MESSAGE % end.__name__.encode())),
              [250])


def main():
    with Site() as site:
        for user in ("alice", "bob", "carol"):
            site.user(user, "secret", plain=True)
        site.serve("imap", "lmtp")
        content(site)
        large(site)
        folders(site)
        idle(site, site.ports["lmtp"])
        full(site)
        refused(site)
        unix_socket(site)
        doorbell(site)


if __name__ == "__main__":
    run_main(main)
