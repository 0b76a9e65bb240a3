#!/usr/bin/env python3
"""The table of extensions in postern-imapd(8) against what CAPABILITY says after a login."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.programs import run_main
from harness.site import PASSWORD, Site
from harness.story import claim_that

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../doc/man/postern-imapd.8")


def documented():
    with open(PAGE, encoding="utf-8") as file:
        section = re.search(r"^\.Ss Extensions\n(.*?)^\.S[sh] ", file.read(), re.M | re.S).group(1)
    rows = re.findall(r"^\.It Cm (.*)\n(.*)$", section, re.M)
    for words, where in rows:
        claim_that(f"{words} has its place", re.match(r"(RFC \d+|.*expired)", where), where)
    return {word for words, _ in rows for word in words.split()}


def served(site):
    with site.wire("imap") as wire:
        wire.read_line()
        wire.imap(f"a LOGIN alice {PASSWORD}")
        line = next(line for line in wire.imap("b CAPABILITY") if b"CAPABILITY" in as_bytes(line))
    return {re.sub(r"^APPENDLIMIT=\d+$", "APPENDLIMIT", word) for word in as_bytes(line).decode().split()[2:]}


def as_bytes(line):
    return line.encode() if isinstance(line, str) else line


def main():
    with Site() as site:
        site.user("alice")
        site.setting("imap", "UidOnly", "1")
        site.serve("imap")
        words, page = served(site), documented()
        claim_that("CAPABILITY has no word that the manual lacks", words <= page, sorted(words - page))
        claim_that("the manual has no word that CAPABILITY lacks", page <= words, sorted(page - words))


run_main(main)
