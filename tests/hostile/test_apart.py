#!/usr/bin/env python3
"""Who takes over a door reads no verifier: from within imapd, pop3d and lmtpd auth.db can't be opened, since Landlock does
not let them where all daemons run as one account, and since its folder is another's where they don't; from within authd it
can.  Nor does he open what lies outside the store, and is anybody's, where there is Landlock.  And all that needs it works
in either case."""
import errno
import os
import pwd
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from harness.daemon import Daemon
from harness.programs import Skip, program, run_main
from harness.site import DAEMONS, PASSWORD, Site
from harness.story import chapter, claim, claim_that, until

PROBE = os.path.join(os.path.abspath(os.environ["POSTERN_BUILD"]), "tests", "hostile", "probe.so")
DOORS = ("imap", "pop3", "lmtp")
OWNER, CHECKER = "daemon", "games"  # every Debian has them


def serve(site, door):
    """With an intruder in it, who tries when somebody connects."""
    real = os.path.realpath(os.path.join(site.store, "auth", "auth.db"))
    # By its link, by its name, around through the store, and with what SQLite has beside it.
    tries = [os.path.join(site.store, "auth", "auth.db"), real, os.path.join(site.store, "..", os.path.relpath(real, site.work)),
             real + "-wal", os.path.dirname(real)]
    outside = os.path.join(site.work, "outside")
    with open(outside, "w") as f:
        f.write("anybody's\n")
    good = os.path.join(site.store, "directory.db")
    env = {"LD_PRELOAD": PROBE, "POSTERN_PROBE": ":".join([good, *tries, outside]),
           "POSTERN_PROBED": os.path.join(site.work, f"{door}.probed"),
           "ASAN_OPTIONS": ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))}
    site.daemons[door] = Daemon([program(DAEMONS[door]), "--store", site.store], site.work, DAEMONS[door], env)
    return good, tries, outside


def tried(site, door):
    """What came of it: errno by path."""
    path = os.path.join(site.work, f"{door}.probed")
    with site.wire(door) as wire:
        if door != "auth":
            wire.read_line()
        claim_that(f"somebody was in {door}", until(lambda: os.path.getsize(path) > 0))
    with open(path) as f:
        return {path: int(number) for path, number in (line.rsplit(" ", 1) for line in f)}


def has_landlock(site, door):
    said = re.search(r" confined .*landlock=(\S+)", site.daemons[door].log())
    return said and said[1].startswith("abi")


def nobody_reads(site, confined):
    site.serve("auth")
    for door in DOORS:
        good, tries, outside = serve(site, door)
        if confined and not has_landlock(site, door):
            raise Skip("this kernel has no Landlock")
        got = tried(site, door)
        claim(f"an intruder in {door} opens what {door} opens", got[good], 0)
        claim(f"but in {door} nothing of auth.db", {path: got[path] for path in tries}, dict.fromkeys(tries, errno.EACCES))
        claim(f"and in {door} what is outside the store" + ("" if confined else ", without Landlock, opens"),
              got[outside], errno.EACCES if confined else 0)
    site.stop("auth")
    _, tries, _ = serve(site, "auth")
    claim("in authd it would", tried(site, "auth")[tries[0]], 0)
    site.stop("auth")   # closing what it opened, the intruder dropped SQLite's locks
    site.serve("auth")


def all_works(site):
    with site.wire("imap") as wire:
        wire.read_line()
        claim_that("a login", wire.imap(f"1 LOGIN anna {PASSWORD}")[-1].startswith("1 OK"))
    password = site.postern("apppass", "add", "anna", "phone", "--doors", "pop3").stdout.strip()
    with site.wire("pop3") as wire:
        wire.read_line()
        wire.ask("USER anna")
        claim_that("a login by an application password", wire.ask(f"PASS {password}").startswith("+OK"))
    site.postern("user", "passwd", "anna", "--password-stdin", stdin="another\n")
    with site.wire("imap") as wire:
        wire.read_line()
        claim_that("the old one is wrong", wire.imap(f"1 LOGIN anna {PASSWORD}")[-1].startswith("1 NO"))
        claim_that("and the new one right", wire.imap("2 LOGIN anna another")[-1].startswith("2 OK"))
    site.postern("user", "add", "berta", "--no-password")
    claim_that("lists know who has none", " no-password" in site.postern("user", "list").stdout)
    site.postern("user", "del", "berta", "--with-mail")


def give(account, *folders):
    who = pwd.getpwnam(account)
    for folder in folders:
        subprocess.run(["chown", "-R", f"{who.pw_uid}:{who.pw_gid}", folder], check=True)


def story(site, confined=True):
    nobody_reads(site, confined)
    all_works(site)


def main():
    chapter("one account: who started it")
    with Site() as site:
        site.user("anna")
        story(site)
    if os.geteuid() != 0:
        print("   (not root: other accounts are not tried)")
        return
    chapter("one account: the store's owner")
    with Site() as site:
        site.user("anna")
        os.chmod(site.work, 0o755)
        give(OWNER, site.store, os.path.join(site.work, "run"))
        story(site)
        claim("auth/ became his, with all in it", owners(site), {OWNER})
    chapter("two accounts, without Landlock")
    with Site() as site:
        site.configure("security", "confine", "no")
        os.chmod(site.work, 0o755)
        site.configure("auth", "account", CHECKER)
        site.user("anna")
        give(OWNER, site.store, os.path.join(site.work, "run"))
        story(site, confined=False)
        claim("auth/ is the checker's alone", owners(site), {CHECKER})


def owners(site):
    folder = os.path.realpath(os.path.join(site.store, "auth"))
    paths = [folder, *(os.path.join(folder, name) for name in os.listdir(folder))]
    claim("nobody else may read any of it", [path for path in paths if os.stat(path).st_mode & 0o077], [])
    return {pwd.getpwuid(os.stat(path).st_uid).pw_name for path in paths}


if __name__ == "__main__":
    run_main(main)
