#!/usr/bin/env python3
"""A hundred thousand commands sent without waiting: each is answered, in order, while somebody else is served and
the daemon grows by no more than its buffers; also where the client reads nothing until it can send no more."""
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import patience, run_main
from harness.story import chapter, claim, claim_that, step
from hostile.common import attacked, in_memory, is_well, login, memory_is_measured

COMMANDS = 100000
GROWTH_KB = 8192
MIX = ("NOOP", "FETCH 1:* (UID FLAGS)", "STORE 2 +FLAGS.SILENT (\\Seen)", "UID SEARCH SEEN", "CHECK", "NOOP", "FROB",
       "STATUS INBOX (MESSAGES)", "STORE 2 -FLAGS.SILENT (\\Seen)", "FETCH 1 (BODY.PEEK[HEADER])")


def commands(mix, n):
    return b"".join(b"p%d %s\r\n" % (i, mix[i % len(mix)].encode()) for i in range(n))


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))


def read_tags(wire, n):
    """The tags of the answers in the order they come, until n of them came."""
    tags, tail = [], b""
    wire.socket.settimeout(patience(120))
    while len(tags) < n:
        came = wire.socket.recv(1 << 20)
        if not came:
            break
        whole, _, tail = (tail + came).rpartition(b"\n")
        tags += re.findall(rb"^p(\d+) (?:OK|BAD)", whole, re.M)
    return [int(tag) for tag in tags]


def pipelined(site, wire, octets, n):
    sender = threading.Thread(target=wire.socket.sendall, args=(octets,))
    before, began = rss_kb(site.daemons["imap"].pid), time.monotonic()
    sender.start()
    tags = read_tags(wire, n)
    sender.join()
    took = time.monotonic() - began
    claim_that(f"all {n} are answered in order ({n / took:.0f} a second)", tags == list(range(n)), tags[-3:])
    grown = rss_kb(site.daemons["imap"].pid) - before
    claim_that(f"the daemon grew by {grown} KB", grown < GROWTH_KB, grown)


def all_kinds(site):
    chapter(f"{COMMANDS} commands of all kinds")
    with login(site, "imap") as wire:
        wire.imap("s SELECT INBOX")
        octets = commands(MIX, COMMANDS)
        others = threading.Thread(target=is_well, args=(site,))
        others.start()
        pipelined(site, wire, octets, COMMANDS)
        others.join()
        claim("the next command is answered", wire.imap("t NOOP")[-1].startswith("t OK"), True)


def send_until_full(wire, octets):
    """As much as the sockets and the server take of a client that reads nothing."""
    wire.socket.settimeout(2)
    sent = 0
    try:
        while sent < len(octets):
            sent += wire.socket.send(octets[sent:sent + 65536])
    except socket.timeout:
        pass
    return sent


def reads_late(site):
    chapter("a client that reads nothing until it can send no more")
    with login(site, "imap", receive_buffer=65536) as wire:
        wire.imap("s SELECT INBOX")
        octets = commands(("FETCH 1:3 (BODY.PEEK[])",), COMMANDS)
        pid = site.daemons["imap"].pid
        before = rss_kb(pid)
        sent = send_until_full(wire, octets)
        claim_that(f"the server stopped reading after {sent} octets", sent < len(octets), sent)
        claim_that(f"and grew by {rss_kb(pid) - before} KB", rss_kb(pid) - before < GROWTH_KB, rss_kb(pid) - before)
        is_well(site)
        whole = octets[:sent].rfind(b"\r\n") + 2
        n = octets[:whole].count(b"\r\n")
        tags = read_tags(wire, n)
        claim_that(f"the {n} it sent are answered once it reads", tags == list(range(n)), tags[-3:])
        step("and it is not cut, as it reads in time")
        wire.socket.sendall(octets[sent:octets.index(b"\r\n", sent) + 2] + b"t NOOP\r\n")
        while not (line := wire.read_response()).startswith(b"t "):
            pass
        claim_that("the next command is answered", line.startswith(b"t OK"), line)


def read_numbers(wire, n):
    """The message numbers of n answers to LIST, in the order they come."""
    numbers, tail = [], b""
    wire.socket.settimeout(patience(120))
    while len(numbers) < n and (came := wire.socket.recv(1 << 20)):
        whole, _, tail = (tail + came).rpartition(b"\n")
        numbers += re.findall(rb"^\+OK (\d+) ", whole, re.M)
    return [int(number) for number in numbers]


def pop3(site):
    chapter(f"pop3: {COMMANDS} commands, and a client that reads nothing")
    pid = site.daemons["pop3"].pid
    with login(site, "pop3") as wire:
        before = rss_kb(pid)
        octets = b"".join(b"LIST %d\r\n" % (i % 3 + 1) for i in range(COMMANDS))
        sender = threading.Thread(target=wire.socket.sendall, args=(octets,))
        sender.start()
        numbers = read_numbers(wire, COMMANDS)
        sender.join()
        claim_that("all are answered in order", numbers == [i % 3 + 1 for i in range(COMMANDS)], numbers[-3:])
        claim_that(f"the daemon grew by {rss_kb(pid) - before} KB", rss_kb(pid) - before < GROWTH_KB)
    with login(site, "pop3", receive_buffer=65536) as wire:
        before = rss_kb(pid)
        octets = b"RETR 1\r\nRETR 2\r\nRETR 3\r\n" * (8 * COMMANDS)  # more than what sockets take
        sent = send_until_full(wire, octets)
        claim_that(f"the server stopped reading after {sent} octets", sent < len(octets), sent)
        claim_that(f"and grew by {rss_kb(pid) - before} KB", rss_kb(pid) - before < GROWTH_KB)
        is_well(site)
        n, answers = octets[:sent].count(b"\n"), 0
        wire.socket.settimeout(patience(120))
        while answers < n:
            wire.read_line()
            wire.read_multiline()
            answers += 1
        claim(f"the {n} it sent are answered once it reads", answers, n)


def main():
    memory_is_measured()
    in_memory()
    with attacked() as site:
        site.serve("imap", "pop3")
        pop3(site)
        all_kinds(site)
        reads_late(site)
        is_well(site)


if __name__ == "__main__":
    run_main(main)
