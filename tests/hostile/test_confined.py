#!/usr/bin/env python3
"""What the daemons have given up before they serve, as /proc tells it, and that they serve nevertheless."""
import os
import pwd
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import DaemonError
from harness.programs import need_root, run_main
from harness.site import PASSWORD, Site, make_certificate
from harness.story import chapter, claim, claim_that, until
from hostile.common import is_sanitized

ACCOUNT = "daemon"  # every Debian has it
MESSAGE = "Subject: =?euc-jp?B?pKI=?=\r\n\r\nHello\r\n"
DOORS = ("imap", "pop3", "lmtp", "auth")


def status(path):
    with open(f"/proc/{path}/status") as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


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


def keepers(site, door):
    """The children of a door's daemon."""
    with open(f"/proc/{site.daemons[door].pid}/task/{site.daemons[door].pid}/children") as f:
        return [int(pid) for pid in f.read().split()]


def shown(site, door):
    with site.wire(door) as wire:
        return wire.socket.getpeercert(binary_form=True)


def renewed(site):
    """As a renewal program leaves it: a link in a folder of root's alone points to another key of root's alone."""
    live, archive = os.path.join(site.work, "live"), os.path.join(site.work, "archive")
    for folder in (live, archive):
        os.mkdir(folder, 0o700)

    def put(n):
        turn = os.path.join(archive, str(n))
        os.mkdir(turn)
        for path, name in zip(make_certificate(turn), ("cert.pem", "key.pem")):
            os.rename(path, os.path.join(archive, f"{n}-{name}"))
            link = os.path.join(live, name)
            os.symlink(os.path.join("..", "archive", f"{n}-{name}"), link + ".new")
            os.rename(link + ".new", link)

    put(1)
    for key, name in (("certificate", "cert.pem"), ("key", "key.pem")):
        site.configure("tls", key, os.path.join(live, name))
    for door in ("imap", "pop3", "lmtp"):
        site.stop(door)
        site.serve(door)
    first = {door: shown(site, door + "s") for door in ("imap", "pop3", "lmtp")}
    for door in first:
        keeper, = keepers(site, door)
        has = status(keeper)
        claim(f"{door} leaves a keeper of its keys, which is root", has["Uid"].split(), ["0"] * 4)
        if not is_sanitized():
            claim(f"{door}'s keeper may read, and nothing else", int(has["CapPrm"], 16), 1 << 2)
            claim(f"{door}'s keeper has a filter of system calls", has["Seccomp"], "2")
        claim(f"{door}'s keeper holds no socket but the one to the door", len(os.listdir(f"/proc/{keeper}/fd")), 4)
    put(2)
    for door in first:
        claim_that(f"{door}: a renewed key that only root may read is in force", until(lambda: shown(site, door + "s") != first[door]))
    second = shown(site, "imaps")
    keeper, = keepers(site, "imap")
    os.kill(keeper, signal.SIGKILL)
    put(3)
    claim_that("without its keeper it says what to do",
               until(lambda: (shown(site, "imaps"), "key-keeper-gone" in site.daemons["imap"].log())[1]))
    claim_that("and serves with what it has", shown(site, "imaps") == second)
    keeper, = keepers(site, "pop3")
    site.stop("pop3")
    claim_that("a keeper ends with its door", until(lambda: not os.path.exists(f"/proc/{keeper}")))


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
        renewed(site)
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
