#!/usr/bin/env python3
"""What the daemons have given up before they serve, as /proc tells it, and that they serve nevertheless."""
import os
import pwd
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import DaemonError
from harness.programs import need_root, program, run_main
from harness.site import PASSWORD, Site
from harness.story import chapter, claim, claim_that

ACCOUNT = "daemon"  # every Debian has it
MESSAGE = "Subject: =?euc-jp?B?pKI=?=\r\n\r\nHello\r\n"
DOORS = ("imap", "pop3", "lmtp", "auth")


def status(path):
    with open(f"/proc/{path}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def is_sanitized():
    """System calls and capabilities are left alone then, and the log says so."""
    names = subprocess.run(["nm", program("postern-imapd")], capture_output=True, text=True).stdout
    return "__asan_init" in names or "__tsan_init" in names


def given_up(site, door, account):
    daemon = site.daemons[door]
    said = re.search(r" confined (.*)", daemon.log())
    claim_that(f"{door} says what it got", said and f"account={account}" in said[1], daemon.log())
    print(f"   {said[1]}")
    for task in os.listdir(f"/proc/{daemon.pid}/task"):
        has = status(f"{daemon.pid}/task/{task}")
        uid = str(pwd.getpwnam(account).pw_uid)
        claim(f"{door} is {account}, all of it", has["Uid"].split(), [uid] * 4)
        claim(f"{door} can gain nothing", has["NoNewPrivs"], "1")
        if not is_sanitized():
            claim(f"{door} has a filter of system calls", has["Seccomp"], "2")
            claim(f"{door} has no capability, and can't have one",
                  [int(has[kind], 16) for kind in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")], [0] * 5)


def serves(site):
    with site.wire("imap") as wire:
        wire.read_line()
        claim_that("a login", wire.imap(f"1 LOGIN anna {PASSWORD}")[-1].startswith("1 OK"))
        claim_that("a message", wire.imap(f"2 APPEND INBOX {{{len(MESSAGE)}+}}\r\n{MESSAGE}")[-1].startswith("2 OK"))
        wire.imap("3 SELECT INBOX")
        wire.send(b"4 SEARCH CHARSET EUC-JP SUBJECT {2+}\r\n\xa4\xa2\r\n")
        claim("a charset, whose module iconv reads now", wire.read_response(), b"* SEARCH 1")


def story(site, account):
    site.serve(*DOORS)
    for door in DOORS:
        given_up(site, door, account)
    serves(site)


def main():
    need_root()
    chapter("root's store: root without root's powers")
    with Site(tls=True) as site:
        site.user("anna")
        story(site, "root")
    chapter("another's store: root becomes its owner")
    with Site(tls=True) as site:
        site.user("anna")
        os.chmod(site.work, 0o755)
        who = pwd.getpwnam(ACCOUNT)
        for folder in (site.store, os.path.join(site.work, "run")):
            subprocess.run(["chown", "-R", f"{who.pw_uid}:{who.pw_gid}", folder], check=True)
        story(site, ACCOUNT)
        claim_that("it says that it can't read the key again", "certificate-once" in site.daemons["imap"].log())
    chapter("switched off")
    with Site() as site:
        site.configure("security", "confine", "no")
        site.serve("imap")
        claim("nothing is taken", status(site.daemons["imap"].pid)["NoNewPrivs"], "0")
        claim_that("and that is said", "not-confined" in site.daemons["imap"].log())
    chapter("what makes no sense")
    for key, value in (("confine", "perhaps"), ("account", "no-such-account")):
        with Site() as site:
            site.configure("security", key, value)
            try:
                site.serve("imap")
            except DaemonError as e:
                claim_that(f"{key} = {value} is refused", "[security]" in str(e), str(e))
                site.daemons.clear()
            else:
                claim_that(f"{key} = {value} is refused", False)


run_main(main)
